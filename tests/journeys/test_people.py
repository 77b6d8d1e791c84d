"""How a patient, a doctor and a colleague come in, as they see it."""

import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from playwright.sync_api import Page, expect

from accounts.models import User
from core.schemas import schema_context
from hospitals.demo import papers
from hospitals.models import Doctor, Staff
from hospitals.services import departments
from tenants.models import Hospital
from tests.journeys.conftest import Complaints, Visitor, come_in
from tests.journeys.people import Telephone, code_in_mail, heading, link_in_mail, picture_arrived, sign_in, telephone_of
from tests.journeys.server import Platform

PASSWORD = "monsoon-lantern-42"
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])


@pytest.fixture
def in_cedar(platform: Platform) -> Hospital:
    """Cedar, with a department to work in."""
    cedar = Hospital.objects.get(slug="cedar")
    with schema_context(cedar.schema_name):
        hari = Staff.objects.get().user
        departments.add(hospital=cedar, name="Cardiology", description="", image=None, by=hari)
    return cedar


@pytest.fixture
def licence(tmp_path: Path) -> Path:
    return _on_disk(tmp_path, papers.licence(name="Anil Rao", number="MMC/2004/11873", qualifications="MBBS, MD"))


@pytest.fixture
def degree(tmp_path: Path) -> Path:
    return _on_disk(tmp_path, papers.degree(name="Anil Rao", qualifications="MBBS, MD"))


def _on_disk(folder: Path, paper: SimpleUploadedFile) -> Path:
    path = folder / str(paper.name)
    path.write_bytes(paper.read())
    return path


def code_for(hospital: Hospital, email: str) -> str:
    with schema_context(hospital.schema_name):
        return code_in_mail(email)


def sign_up(page: Page, hospital: Hospital, first: str, last: str, email: str) -> None:
    """From the filled form to the confirmed address."""
    heading(page, "Create an account")
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill(last)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    heading(page, "Confirm your address")
    page.get_by_label("Code").fill(code_for(hospital, email))
    page.get_by_role("button", name="Confirm and continue").click()


@SCRIPTS
def test_a_patient_opens_an_account_at_a_hospital_and_is_known_on_the_portal(
    visitor: Visitor, platform: Platform, complaints: Complaints, in_cedar: Hospital, scripts: bool
) -> None:
    email = "ravi@example.com"
    page = visitor(java_script_enabled=scripts)
    page.goto(platform.hospital("cedar", "home"))
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_role("link", name="Create an account").click()

    # A weak password is refused, and nothing typed is lost but the password.
    heading(page, "Create an account")
    page.get_by_label("First name").fill("Ravi")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill("password")
    complaints.expect(422, platform.hospital("cedar", "sign_up"))
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert").first).to_contain_text("too short")
    page.wait_for_load_state()
    expect(page.get_by_label("E-mail address")).to_have_value(email)
    sign_up(page, in_cedar, "Ravi", "Kumar", email)
    heading(page, "Cedar Hospital")

    # Their account is theirs; the office is not.
    page.goto(platform.hospital("cedar", "profile"))
    heading(page, "Your account")
    expect(page.get_by_label("First name")).to_have_value("Ravi")
    complaints.expect(403, platform.hospital("cedar", "staff_admin"))
    page.goto(platform.hospital("cedar", "staff_admin"))
    heading(page, "You may not open this page")

    # They come back with a code from their mail, without the password.
    page.context.clear_cookies()
    page.goto(platform.hospital("cedar", "sign_in"))
    page.get_by_role("link", name="Send me a code instead").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send the code").click()
    complaints.expect(422, platform.hospital("cedar", "sign_in_code_enter"))
    complaints.expect(401, platform.hospital("cedar", "sign_in_code_enter"))
    wrong = f"{(int(code_for(in_cedar, email)) + 1) % 1_000_000:06d}"
    page.get_by_label("Code").fill(wrong)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("This code is not right")
    page.wait_for_load_state()
    page.get_by_label("Code").fill(code_for(in_cedar, email))
    page.get_by_role("button", name="Sign in", exact=True).click()
    heading(page, "Cedar Hospital")

    # One sign-in: from the hospital's site to the portal they go on as themselves.
    page.goto(platform.portal("hand_over_begin") + f"?from={in_cedar.host}&next=/account/")
    expect(page).to_have_url(platform.portal("profile"))
    expect(page.get_by_label("First name")).to_have_value("Ravi")


@SCRIPTS
def test_a_doctor_applies_waits_is_asked_for_more_and_comes_in(
    visitor: Visitor,
    platform: Platform,
    complaints: Complaints,
    in_cedar: Hospital,
    licence: Path,
    degree: Path,
    scripts: bool,
) -> None:
    email = "rao@example.com"
    rao, hari = visitor(java_script_enabled=scripts), visitor(java_script_enabled=scripts)
    rao.goto(platform.hospital("cedar", "doctor_join"))
    heading(rao, re.compile("Work as a doctor"))
    rao.get_by_role("link", name="Open an account").click()
    sign_up(rao, in_cedar, "Anil", "Rao", email)

    # What is missing is named; the document that was sent along is kept.
    heading(rao, re.compile("Your application"))
    application = platform.hospital("cedar", "doctor_application")
    complaints.expect(422, application)
    rao.get_by_label("Specialization").fill("Cardiology")
    rao.get_by_label("Qualifications").fill("MBBS, MD")
    rao.get_by_label("Licence number").fill("MMC/2004/11873")
    rao.get_by_label("What it shows").select_option("Licence to practise")
    rao.get_by_label("File").set_input_files(licence)
    rao.get_by_role("button", name="Send for approval").click()
    expect(rao.get_by_role("alert").first).to_contain_text("years of experience")
    rao.wait_for_load_state()
    expect(rao.locator(".doctor-documents")).to_contain_text("Licence to practise")
    rao.get_by_label("Years of experience").fill("19")
    rao.get_by_label("Department you would like").select_option("Cardiology")
    rao.get_by_role("button", name="Send for approval").click()
    expect(rao.get_by_text("Awaiting approval").first).to_be_visible()

    # Nothing else is open to a doctor who waits.
    rao.goto(platform.hospital("cedar", "start"))
    expect(rao).to_have_url(application)
    for name in ("department_admin", "doctor_admin", "activity"):
        complaints.expect(403, platform.hospital("cedar", name))
        rao.goto(platform.hospital("cedar", name))
        heading(rao, "You may not open this page")

    # The admin looks at the document and asks for the degree.
    with schema_context(in_cedar.schema_name):
        admin = Staff.objects.select_related("user").get(role="hospital_admin").user
        doctor = Doctor.objects.get(user__email=email)
    come_in(hari.context, admin, platform.hospital("cedar", "home"))
    hari.goto(platform.hospital("cedar", "doctor_admin"))
    hari.get_by_role("link", name="Anil Rao").click()
    heading(hari, re.compile("Anil Rao"))
    picture_arrived(hari.locator("#main img").first)
    hari.locator("summary").filter(has_text="Ask for more").click()
    hari.get_by_role("textbox", name="What is missing").locator("visible=true").fill("Please add your degree.")
    hari.get_by_role("button", name="Ask the doctor").click()
    expect(hari.get_by_text("More asked for").first).to_be_visible()

    rao.goto(application)
    expect(rao.get_by_text("Please add your degree.")).to_be_visible()
    rao.get_by_label("What it shows").select_option("Degree or certificate")
    rao.get_by_label("File").set_input_files(degree)
    rao.get_by_role("button", name="Add document").click()
    expect(rao.locator(".doctor-documents")).to_contain_text("degree.pdf")
    rao.get_by_role("button", name="Send again").click()
    expect(rao.get_by_text("Awaiting approval").first).to_be_visible()

    # Approved: the same sign-in opens the work.
    hari.goto(platform.hospital("cedar", "doctor_review", doctor.code))
    hari.get_by_label("Department").select_option("Cardiology")
    hari.get_by_role("button", name="Approve").click()
    expect(hari.get_by_text("Verified").first).to_be_visible()
    rao.goto(platform.hospital("cedar", "start"))
    heading(rao, "Today")
    with schema_context(in_cedar.schema_name):
        assert link_in_mail("doctor_approved", email).startswith(platform.hospital("cedar", "start"))


@SCRIPTS
def test_a_colleague_is_invited_to_a_hospital_that_asks_for_two_factor(
    visitor: Visitor, platform: Platform, complaints: Complaints, in_cedar: Hospital, scripts: bool
) -> None:
    hari, meena = visitor(java_script_enabled=scripts), visitor(java_script_enabled=scripts)
    admin = User.objects.get(email="hari@cedar.example")
    telephone = telephone_of(admin)
    hari.goto(platform.hospital("cedar", "settings_sign_in"))
    sign_in(hari, admin.email, telephone=telephone)
    heading(hari, "Sign-in")
    hari.get_by_role("checkbox").check()
    hari.get_by_role("button", name="Save sign-in settings").click()
    hari.wait_for_load_state()
    assert Hospital.objects.get(slug="cedar").requires_two_factor

    hari.goto(platform.hospital("cedar", "staff_invite"))
    hari.get_by_label("Name").fill("Meena Kulkarni")
    hari.get_by_label("E-mail address").fill("meena@cedar.example")
    hari.get_by_label("Role").select_option("Front desk")
    hari.get_by_role("button", name="Send invitation").click()
    expect(hari.get_by_text("meena@cedar.example").first).to_be_visible()

    # She chooses a password, sets up her telephone, keeps the recovery codes, and is at her work.
    with schema_context(in_cedar.schema_name):
        invitation = link_in_mail("staff_invited", "meena@cedar.example")
    meena.goto(invitation)
    meena.get_by_label("New password").fill(PASSWORD)
    meena.get_by_role("button", name="Set password and start").click()
    heading(meena, "Your account")
    expect(meena.get_by_text("Two-factor is needed for your work here")).to_be_visible()
    meena.get_by_role("button", name="Set up an app").click()
    secret = meena.locator(".account-key").inner_text().replace(" ", "")
    hers = Telephone(secret)
    meena.get_by_label("Code").fill(hers.code())
    meena.get_by_role("button", name="Turn on").click()
    recovery = meena.locator("#codes").inner_text().split()
    assert len(recovery) == 10
    meena.get_by_role("link", name="I have kept them").click()
    heading(meena, "Front desk")

    # The next morning: password and telephone; the day it is lost: a recovery code, which works once.
    for code in (hers.code(), recovery[0]):
        meena.context.clear_cookies()
        meena.goto(platform.hospital("cedar", "start"))
        sign_in(meena, "meena@cedar.example", PASSWORD)
        heading(meena, "One more step")
        meena.get_by_label("Code").fill(code)
        meena.get_by_role("button", name="Sign in", exact=True).click()
        heading(meena, "Front desk")
    meena.context.clear_cookies()
    meena.goto(platform.hospital("cedar", "start"))
    sign_in(meena, "meena@cedar.example", PASSWORD)
    complaints.expect(401, platform.hospital("cedar", "second_step"))
    complaints.expect(422, platform.hospital("cedar", "second_step"))
    meena.get_by_label("Code").fill(recovery[0])
    meena.get_by_role("button", name="Sign in", exact=True).click()
    expect(meena.get_by_role("alert").first).to_contain_text("was used already")
    meena.wait_for_load_state()

    # Deactivated, her next click leads nowhere.
    meena.get_by_label("Code").fill(recovery[1])
    meena.get_by_role("button", name="Sign in", exact=True).click()
    heading(meena, "Front desk")
    hari.goto(platform.hospital("cedar", "staff_admin"))
    hari.get_by_role("link", name="Meena Kulkarni").click()
    hari.locator("summary").filter(has_text="Deactivate").click()
    hari.get_by_role("button", name=re.compile("Deactivate")).locator("visible=true").last.click()
    expect(hari.get_by_text("Deactivated").first).to_be_visible()
    meena.goto(platform.hospital("cedar", "start"))
    heading(meena, "Sign in")


def test_an_account_is_opened_and_a_sign_in_ended_with_the_keyboard_alone(
    visitor: Visitor, platform: Platform, in_cedar: Hospital
) -> None:
    page = visitor()
    keys = page.keyboard
    page.goto(platform.hospital("cedar", "sign_up"))
    page.get_by_label("First name").focus()
    for typed in ("Ravi", "Kumar", "ravi@example.com", "", PASSWORD):
        keys.type(typed)
        keys.press("Tab")
    keys.press("Shift+Tab")
    keys.press("Enter")
    heading(page, "Confirm your address")
    tab_to(page, "Code")
    keys.type(code_for(in_cedar, "ravi@example.com"))
    keys.press("Enter")
    heading(page, "Cedar Hospital")

    page.goto(platform.hospital("cedar", "sessions"))
    tab_to(page, "Sign out everywhere")
    keys.press("Enter")
    if page.locator("dialog[open], details[open]").count():
        tab_to(page, "Sign out everywhere")
        keys.press("Enter")
    heading(page, "Sign in")
    page.goto(platform.hospital("cedar", "profile"))
    heading(page, "Sign in")
    page.get_by_label("E-mail address").focus()
    keys.type("ravi@example.com")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    heading(page, "Your account")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the thing with this name has the focus, which a person can see."""
    for _stop in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => { const e = document.activeElement, style = getComputedStyle(e);
            return {name: (e.labels?.[0]?.textContent || e.textContent || "").trim(),
            seen: (parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none") || style.boxShadow !== "none"} }"""
        )
        if focus["name"].startswith(name):
            assert focus["seen"], f"nothing shows that {name} has the focus"
            return
    raise AssertionError(f"Tab never reaches {name}")
