"""A platform on which something has happened, and every page of it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
from django.core.files.base import File
from django.db import transaction
from django.utils.timezone import now
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import Totp, User
from core import pictures
from core.hosts import hospital_url, portal_url
from core.schemas import schema_context
from core.sealing import seal
from hospitals import demo
from hospitals.models import Department, Doctor, Settings, Staff
from hospitals.services import departments, joining, staff
from hospitals.services import settings as hospital_settings
from hospitals.services.doctors import reviewing
from notifications import services as notifications
from notifications.models import Notification, State
from tenants import services as tenants
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.hospitals import doctors
from tests.journeys import scene_leaving, scene_money, scene_visits
from tests.journeys.conftest import come_in
from tests.journeys.scene_money import Money
from tests.journeys.scene_visits import Visits
from tests.journeys.stops import Stop, opened, pressed

PEOPLE = {
    "superadmin": "usha@rhms.example",
    "admin": "hari@cedar.example",
    "stranger": "kiran@lotus.example",
    "careful": "dev@example.com",
    "applicant": "anika@example.com",
    "patient": "asha@example.com",
    "doctor": "rao@cedar.example",
}


@dataclass
class Scene:
    """What was made, for the addresses of its pages."""

    cedar: Hospital
    pending: Hospital
    confirmed: Hospital
    rejected: Hospital
    invited: Hospital
    suspended: Hospital
    department: Department
    failed: Notification
    waiting: Doctor
    verified: Doctor
    colleagues: dict[str, Staff]
    visits: Visits
    money: Money


def build() -> Scene:
    """Let hospitals be in every state, and Cedar be furnished."""
    usha, hari = (User.objects.get(email=PEOPLE[who]) for who in ("superadmin", "admin"))
    cedar = Hospital.objects.get(slug="cedar")
    names = ["Banyan Heart Institute", "Sanjeevani", "Quick Cure Polyclinic", "मातृछाया अस्पताल", "Neem Tree Hospital"]
    pending, confirmed, rejected, invited, suspended = (factories.pending(name=name) for name in names)
    joining.confirm_email(hospital=confirmed, now=now())
    joining.reject(hospital=rejected, by=usha, reason="The number is not in the state's register.")
    for hospital in (invited, suspended):
        joining.approve(hospital=hospital, by=usha, now=now())
    joining.suspend(hospital=suspended, by=usha, reason="The licence ran out.")
    with schema_context(cedar.schema_name):
        with (Path(demo.__file__).parent / "cedar.png").open("rb") as file:
            logo = pictures.judge(File(file, name="cedar.png"))
        hospital_settings.change_brand(hospital=cedar, name="Cedar Hospital", accent="#8a1c4a", logo=logo, by=hari)
        hospital_settings.change_welcome(
            settings=Settings.objects.get(),
            welcome="A hundred beds beside the lake, and a doctor who has time for you.",
            emergency_phone="112",
            opening_hours="Every day, 8:00 to 20:00",
            by=hari,
        )
        photo = pictures.judge(factories.picture("heart.png", size=(800, 500), colour="#c8d8d8"))
        department = departments.add(
            hospital=cedar, name="Cardiology", description="ECG, echo and stress test.", image=photo, by=hari
        )
        for name in (
            "General medicine",
            "Ear, nose and throat",
            "Paediatrics",
            "Orthopaedics",
            "Dermatology",
            "Dental",
        ):
            departments.add(hospital=cedar, name=name, description="What you come for." * 4, image=None, by=hari)
        closed = departments.add(hospital=cedar, name="Oncology", description="", image=None, by=hari)
        departments.deactivate(hospital=cedar, department=closed, by=hari)
        tenants.claim_domain(hospital=cedar, domain="www.cedarhospital.in", by=hari)
        waiting, verified = _doctors(cedar, department, hari)
        colleagues = _staff(cedar, hari)
        visits = scene_visits.build(cedar, hari, department)
        money = scene_money.build(cedar, hari, visits.patient)
    careful = factories.person(PEOPLE["careful"], "Dev", "Nair")
    Totp.objects.create(user=careful, sealed_secret=seal(pyotp.random_base32()), confirmed_at=now())
    browser("localhost").post("/password/forgotten/", {"email": PEOPLE["admin"]})
    failed = Notification.objects.get(template="registration_rejected")
    Notification.objects.filter(pk=failed.pk).update(
        state=State.FAILED, attempts=7, last_error="SMTPRecipientsRefused: 550 No such user here"
    )
    with transaction.atomic():  # a second page of messages
        for number in range(8):
            notifications.notify(
                to_address=f"person{number}@hospital.example",
                to_name="Meera Shah",
                template="hospital_resumed",
                subject="Your hospital's site is open again",
                brand_name="RHMS",
                accent="#0b6e6e",
                context={"hospital_name": "Cedar Hospital", "link": portal_url("home")},
            )
    return Scene(
        cedar,
        pending,
        confirmed,
        rejected,
        invited,
        suspended,
        department,
        failed,
        waiting,
        verified,
        colleagues,
        visits,
        money,
    )


def _doctors(cedar: Hospital, department: Department, hari: User) -> list[Doctor]:
    """One who waits and one who is verified; Anika Sen is asked for more."""
    people = [("waiting@example.com", "Vikram"), ("verified@example.com", "Rohan"), (PEOPLE["applicant"], "Anika")]
    waiting, verified, asked = (
        doctors.applied(cedar, factories.person(email, name, "Sen"), licence_number=name, department=department)
        for email, name in people
    )
    reviewing.approve(hospital=cedar, doctor=verified, department=department, by=hari, now=now())
    reviewing.ask(hospital=cedar, doctor=asked, answer="The back of your licence is missing.", by=hari)
    return [waiting, verified]


def _staff(cedar: Hospital, hari: User) -> dict[str, Staff]:
    """A colleague in each state."""
    states = ["active", "deactivated", "invited", "taken_back"]
    names = ["Meena Shah", "Farid Khan", "Nila Iyer", "Bina Roy"]
    made = {}
    for state, name in zip(states, names, strict=True):
        email = f"{state.replace('_', '-')}@cedar.example"
        colleague = staff.invite(hospital=cedar, name=name, email=email, role="nurse", by=hari, now=now())
        if state in ("active", "deactivated"):
            Staff.objects.filter(pk=colleague.pk).update(joined_at=now())
            staff.change_role(hospital=cedar, staff=colleague, role="front_desk", by=hari)
        if state == "deactivated":
            staff.deactivate(hospital=cedar, staff=colleague, by=hari, now=now(), reason="Moved to Pune.")
        if state == "taken_back":
            staff.take_back(staff=colleague, by=hari, now=now())
        made[state] = colleague
    return made


def _letter(template: str, to: str) -> str:
    """The path of the link in a message."""
    text = Notification.objects.filter(template=template, to_address=to).latest("pk").text
    found = re.search(r"https?://[^/]+(/\S+)", text)
    assert found, text
    return found[1]


def _sign_in_wrongly(page: Page) -> None:
    page.get_by_label("E-mail address").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("not-this-one")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.wait_for_load_state()


def _sign_up(page: Page) -> None:
    page.get_by_label("First name").fill("Nita")
    page.get_by_label("E-mail address").fill("nita@example.com")
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Confirm your address")).to_be_visible()
    page.wait_for_load_state()


def _ask_for_a_code(page: Page) -> None:
    page.get_by_label("E-mail address").fill("nobody@example.com")
    page.get_by_role("button", name="Send the code").click()
    expect(page.get_by_role("heading", name="Enter the code")).to_be_visible()
    page.wait_for_load_state()


def _take_the_first_step(page: Page) -> None:
    page.get_by_label("E-mail address").fill(PEOPLE["careful"])
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.wait_for_load_state()


def _begin_an_app(page: Page) -> None:
    page.get_by_role("button", name="Set up an app").click()
    expect(page.get_by_role("heading", name="Set up an authenticator app")).to_be_visible()
    page.wait_for_load_state()


def _begin_a_passkey(page: Page) -> None:
    page.get_by_label("Name").fill("My telephone")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Create the passkey")).to_be_visible()
    page.wait_for_load_state()


def visitors_of_the_portal(scene: Scene) -> Iterator[Stop]:
    """What everybody sees on the portal."""
    yield Stop("home", portal_url("home"))
    yield Stop("hospitals", portal_url("hospital_list"))
    yield Stop("hospitals, none found", portal_url("hospital_list") + "?q=dentist&city=Pune")
    yield Stop("hospital", portal_url("hospital_detail", scene.cedar.code))
    yield Stop("registration", portal_url("register"))
    yield Stop("registration, refused", portal_url("register"), act=pressed("Send"), acted_status=422)
    yield Stop("registration received", portal_url("registration_received", scene.pending.code))
    for hospital in (scene.pending, scene.confirmed, scene.rejected, scene.invited, scene.suspended):
        link = joining.status_link(hospital)
        yield Stop(f"status, {Hospital.objects.get(pk=hospital.pk).status} {hospital.pk}", link)
    yield Stop("API", portal_url("api_docs"))
    yield Stop("sign in", portal_url("sign_in"))
    yield Stop("sign in, refused", portal_url("sign_in"), act=_sign_in_wrongly, acted_status=422)
    yield Stop("sign up", portal_url("sign_up"))
    yield Stop("sign up, refused", portal_url("sign_up"), act=pressed("Create account"), acted_status=422)
    yield Stop("sign up, code", portal_url("sign_up"), act=_sign_up)
    yield Stop("sign up, code refused", portal_url("sign_up_code"), act=pressed("Confirm"), acted_status=422)
    yield Stop("sign in with a code", portal_url("sign_in_code"))
    yield Stop("sign in, code", portal_url("sign_in_code"), act=_ask_for_a_code)
    yield Stop("error 401", portal_url("sign_up_code"), status=401)
    yield Stop("second step", portal_url("sign_in"), act=_take_the_first_step)
    yield Stop("second step, refused", portal_url("second_step"), act=pressed("Sign in"), acted_status=422)
    yield Stop("password forgotten", portal_url("password_forgotten"))
    yield Stop("password forgotten, sent", portal_url("password_forgotten_sent"))
    reset = portal_url("home").rstrip("/") + _letter("password_reset", PEOPLE["admin"])
    yield Stop("new password", reset)
    yield Stop("new password, refused", reset, act=pressed("Set"), acted_status=422)
    yield Stop("error 404", portal_url("home") + "nothing/", status=404)
    yield Stop("error 404, no such hospital", hospital_url("nowhere", "home"), status=404)
    yield Stop("error 410", portal_url("registration_status", "broken"), status=410)
    yield from scene_leaving.visitors_of_the_portal()


def superadmin(scene: Scene) -> Iterator[Stop]:
    """The superadmin's rooms."""
    for status in ("pending", "approved", "rejected", "suspended"):
        yield Stop(f"queue, {status}", portal_url("queue") + f"?status={status}")
    yield Stop("queue, none found", portal_url("queue") + "?q=nobody")
    for hospital in (scene.pending, scene.rejected, scene.invited, scene.suspended):
        url = portal_url("queue_detail", hospital.code)
        yield Stop(f"queue, hospital {Hospital.objects.get(pk=hospital.pk).status}", url)
    decide = portal_url("queue_detail", scene.pending.code)
    yield Stop("queue, approving", decide, act=opened("[data-dialog=approve]", "dialog#approve"))
    yield Stop("queue, rejecting", decide, act=opened("[data-dialog=reject]", "dialog#reject"))
    yield Stop("account menu", portal_url("queue"), act=opened(".menu-person", ".menu-panel"))
    yield Stop("audit log", portal_url("platform_log"))
    yield Stop("audit log, second page", portal_url("platform_log") + "?page=2")
    yield Stop("audit log, none found", portal_url("platform_log") + "?first=2001-01-01&last=2001-01-02")
    yield Stop("outbox", portal_url("outbox"))
    yield Stop("outbox, failed", portal_url("outbox") + "?state=failed")
    yield Stop("message, failed", portal_url("outbox_message", scene.failed.code))
    invitation = Notification.objects.get(template="invitation", to_address=scene.invited.email)
    yield Stop("message with a link", portal_url("outbox_message", invitation.code))
    yield Stop("style guide", portal_url("styleguide"))
    yield from scene_leaving.superadmin()


def visitors_of_a_hospital(scene: Scene) -> Iterator[Stop]:
    """What everybody sees on a hospital's site."""
    yield Stop("hospital home", hospital_url("cedar", "home"))
    yield Stop("hospital home, new", hospital_url(scene.invited.slug, "home"))
    yield Stop("departments", hospital_url("cedar", "department_list"))
    yield Stop("departments, none found", hospital_url("cedar", "department_list") + "?q=nothing")
    yield Stop("department", hospital_url("cedar", "department_detail", scene.department.slug))
    yield Stop("joining as a doctor", hospital_url("cedar", "doctor_join"))
    yield Stop("hospital API", hospital_url("cedar", "api_docs"))
    yield Stop("hospital sign in", hospital_url("cedar", "sign_in"))
    yield Stop("hospital password forgotten", hospital_url("cedar", "password_forgotten"))
    token = _letter("invitation", scene.invited.email).split("/")[2]
    invitation = hospital_url(scene.invited.slug, "invitation", token)
    yield Stop("invitation", invitation)
    yield Stop("invitation, refused", invitation, act=pressed("Set password"), acted_status=422)
    yield Stop("hospital error 404", hospital_url("cedar", "home") + "nothing/", status=404)
    yield Stop("hospital error 410", hospital_url("cedar", "invitation", "broken"), status=410)
    yield Stop("hospital error 503", hospital_url(scene.suspended.slug, "home"), status=503)
    yield from scene_leaving.visitors_of_a_hospital()


def admin(scene: Scene) -> Iterator[Stop]:
    """The office of a hospital."""
    yield Stop("start", hospital_url("cedar", "start"))
    yield Stop("office outbox", hospital_url("cedar", "outbox"))
    yield Stop("office departments", hospital_url("cedar", "department_admin"))
    yield Stop("office departments, none found", hospital_url("cedar", "department_admin") + "?q=nothing")
    yield Stop("department, adding", hospital_url("cedar", "department_add"))
    yield Stop(
        "department, adding refused",
        hospital_url("cedar", "department_add"),
        act=pressed("Add department"),
        acted_status=422,
    )
    edit = hospital_url("cedar", "department_edit", scene.department.code)
    yield Stop("department, editing", edit)
    yield Stop("department, deleting", edit, act=opened("summary[data-dialog]", "dialog[open]"))
    yield Stop("staff", hospital_url("cedar", "staff_admin"))
    for query in ("q=nothing", "role=pharmacist", "state=deactivated"):
        yield Stop(f"staff, {query}", hospital_url("cedar", "staff_admin") + f"?{query}")
    yield Stop("staff, inviting", hospital_url("cedar", "staff_invite"))
    invite = pressed("Send invitation")
    yield Stop("staff, inviting refused", hospital_url("cedar", "staff_invite"), act=invite, acted_status=422)
    for state, colleague in scene.colleagues.items():
        yield Stop(f"staff, {state}", hospital_url("cedar", "staff_member", colleague.code))
    member = hospital_url("cedar", "staff_member", scene.colleagues["active"].code)
    for dialog in ("role", "deactivate"):
        yield Stop(f"staff, {dialog}", member, act=opened(f"summary[data-dialog={dialog}]", f"dialog#{dialog}"))
    for code, status in ((scene.waiting.code, "pending"), (scene.verified.code, "approved")):
        yield Stop(f"doctors, {status}", hospital_url("cedar", "doctor_admin") + f"?status={status}")
        yield Stop(f"doctor, {status}", hospital_url("cedar", "doctor_review", code))
    decide = hospital_url("cedar", "doctor_review", scene.waiting.code)
    yield Stop("doctor, asking", decide, act=opened("summary[data-dialog=ask]", "dialog[open]"))
    yield Stop("doctors, none found", hospital_url("cedar", "doctor_admin") + "?q=nothing")
    for name, button in (("doctor_invite", "Verify and invite"), ("doctor_import", "Check the file")):
        yield Stop(name.replace("_", ", "), hospital_url("cedar", name))
        yield Stop(f"{name}, refused", hospital_url("cedar", name), act=pressed(button), acted_status=422)
    for name in (
        "settings",
        "settings_brand",
        "settings_contact",
        "settings_welcome",
        "settings_sign_in",
        "settings_domains",
    ):
        yield Stop(name.replace("_", ", "), hospital_url("cedar", name))
    for name in ("profile", "email_change", "email_change_code", "password_change", "sessions"):
        yield Stop(name.replace("_", ", "), hospital_url("cedar", name))
    yield Stop("profile, refused", hospital_url("cedar", "email_change"), act=pressed("Send"), acted_status=422)
    yield Stop("two-factor", hospital_url("cedar", "two_factor"))
    yield Stop("two-factor, an app", hospital_url("cedar", "two_factor"), act=_begin_an_app)
    yield Stop("passkey, adding", hospital_url("cedar", "passkey_add"))
    yield Stop("passkey, making", hospital_url("cedar", "passkey_add"), act=_begin_a_passkey)
    yield Stop("activity", hospital_url("cedar", "activity"))
    yield Stop("activity, second page", hospital_url("cedar", "activity") + "?page=2")
    yield Stop("activity, none found", hospital_url("cedar", "activity") + "?first=2001-01-01&last=2001-01-02")


def stranger(scene: Scene) -> Iterator[Stop]:
    """Somebody who is signed in where they have no business."""
    yield Stop("hospital error 403", hospital_url("cedar", "settings"), status=403)
    yield Stop("hospital home, signed in", hospital_url("cedar", "home"))
    yield Stop("profile of a visitor", hospital_url("cedar", "profile"))
    yield Stop("devices of a visitor", hospital_url("cedar", "sessions"))


def applicant(scene: Scene) -> Iterator[Stop]:
    """A doctor who is asked for more."""
    application = hospital_url("cedar", "doctor_application")
    yield Stop("application, more asked", application)
    yield Stop("application, refused", application, act=pressed("Add document"), acted_status=422)


# Each tour: who takes it, where they are signed in, and its pages.
TOURS: dict[str, tuple[str, Callable[[Scene], Iterator[Stop]]]] = {
    "visitors of the portal": ("", visitors_of_the_portal),
    "the superadmin": ("superadmin", superadmin),
    "visitors of a hospital": ("", visitors_of_a_hospital),
    "a hospital's admin": ("admin", admin),
    "a stranger": ("stranger", stranger),
    "a doctor who applies": ("applicant", applicant),
    "who searches a doctor": ("", lambda scene: scene_visits.searcher(scene.visits)),
    "a patient": ("patient", lambda scene: scene_visits.patient(scene.visits)),
    "a doctor": ("doctor", lambda scene: scene_visits.doctor(scene.visits)),
    "the office and its visits": ("admin", lambda scene: scene_visits.office(scene.visits)),
    "a patient's bills": ("patient", lambda scene: scene_money.patient(scene.money)),
    "the office and its money": ("admin", lambda scene: scene_money.office(scene.money)),
    "the owner of the money": ("admin", lambda scene: scene_money.owner(scene.money)),
}


def come_in_for(tour: str, context: BrowserContext) -> None:
    """Sign in as who takes the tour, where they take it."""
    who, _stops = TOURS[tour]
    if who:
        user = User.objects.get(email=PEOPLE[who])
        come_in(context, user, portal_url("home") if user.is_superuser else hospital_url("cedar", "home"))
