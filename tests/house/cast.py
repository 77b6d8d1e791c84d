"""Two hospitals full of people and things, for the tests that knock at every door.

In each hospital there is somebody in every role, a doctor who waits for approval, somebody who was invited and somebody
who has left. What only the hospital may know carries its canary, `CANARYCEDAR...`; what the portal shows to everybody
carries `OPENCEDAR...`. People who sign in themselves carry none: their own name follows them everywhere.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.tokens import default_token_generator
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpRequest
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.timezone import now

from accounts import tokens
from accounts.models import FamilyMember, Passkey, Relation, Session, Sex, User
from accounts.permissions import STAFF_ROLES, Role
from accounts.services import support
from accounts.sessions import SECOND_FACTOR, SessionStore, Visit
from audit import services as audit
from audit.models import Action
from core import pictures
from core.schemas import schema_context
from hospitals.models import Doctor, DoctorDocument, Settings, Staff
from hospitals.services import departments, invitations, joining
from notifications.models import Notification, State
from tenants.models import Domain, DomainClaim, Hospital
from tests import factories
from tests.house import bills, visits
from tests.house.walk import Door

# Who stands in one column of the matrix; the roles of a hospital are between them.
VISITOR, PATIENT, APPLICANT, SUPPORTER, SUPERADMIN = "visitor", "patient", "applicant", "support", "superadmin"
INVITED, FORMER = "invited", "former"
ROLES = [str(role) for role in STAFF_ROLES]

_kinds: set[str] = set()
_NAMES = {
    "cedar": "Lakshmi Vasudha Meena Farid Ganesh Bina Chitra Dinesh Esha Firoz",
    "lotus": "Nandini Omkar Pooja Qasim Ritu Sanjay Tara Umesh Varun Waheeda",
}


def canary(slug: str, kind: str) -> str:
    """A word that only this hospital's own people may ever see."""
    _kinds.add(kind)
    return f"CANARY{slug}{kind}".upper()


@dataclass
class House:
    """A hospital with its people and the arguments of its doors."""

    hospital: Hospital
    people: dict[str, User] = field(default_factory=dict)
    # What an argument of an address stands for, by the door's name where it differs from door to door.
    things: dict[str, Any] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return self.hospital.slug

    @property
    def host(self) -> str:
        return self.hospital.host.partition(":")[0]


def furnish(hospital: Hospital) -> House:
    """Fill a hospital with one of everything."""
    house = House(hospital)
    slug, admin = hospital.slug, User.objects.get(email=hospital.email)
    names = dict(zip([*ROLES[1:], APPLICANT, INVITED, FORMER], _NAMES[slug].split(), strict=True))
    house.people = {ROLES[0]: admin} | {
        column: factories.person(f"{name.lower()}@{slug}.example", name, "Iyer") for column, name in names.items()
    }
    with schema_context(hospital.schema_name):
        _people(house)
        _departments(house, admin)
        _doctors(house, admin)
        visits.furnish(house, admin, canary)
        bills.furnish(house, admin, canary)
        _words(house, admin)  # last, so that they stand on the first page of the log and of the outbox
    _public(house, admin)
    return house


def _people(house: House) -> None:
    for role in ROLES[1:]:
        Staff.objects.create(user=house.people[role], role=role, joined_at=now())
    Staff.objects.create(user=house.people[FORMER], role=Role.HOSPITAL_ADMIN, joined_at=now(), is_active=False)
    invited = Staff.objects.create(user=house.people[INVITED], role=Role.HOSPITAL_ADMIN)
    _invitation, token = invitations.issue(staff=invited, now=now())
    bystanders = {}
    for kind, role in (("colleague", Role.NURSE), ("guest", Role.FRONT_DESK), ("leaver", Role.BILLING_CLERK)):
        word = canary(house.slug, kind)
        user = factories.person(f"{word.lower()}@{house.slug}.example", word, "Shah")
        joined = {"joined_at": now()} if kind != "guest" else {}
        bystanders[kind] = Staff.objects.create(user=user, role=role, is_active=kind != "leaver", **joined)
    _invitation, _token = invitations.issue(staff=bystanders["guest"], now=now())
    house.things |= {
        "invitation token": token,
        "colleague": bystanders["colleague"],
        "guest": bystanders["guest"],
        "leaver": bystanders["leaver"],
    }


def _departments(house: House, admin: User) -> None:
    shown = departments.add(
        hospital=house.hospital,
        name=f"OPEN{house.slug.upper()} Cardiology",
        description="Hearts.",
        image=pictures.judge(factories.picture(colour="navy")),
        by=admin,
    )
    hidden = departments.add(
        hospital=house.hospital,
        name=canary(house.slug, "hidden"),
        description=canary(house.slug, "plan"),
        image=pictures.judge(factories.picture(colour="maroon")),
        by=admin,
    )
    departments.deactivate(hospital=house.hospital, department=hidden, by=admin)
    house.things |= {"shown": shown, "hidden": hidden}


def _doctors(house: House, admin: User) -> None:
    """One doctor who waits and is a column of the matrix, one who was verified and whom only colleagues see."""
    waiting = Doctor.objects.create(
        user=house.people[APPLICANT],
        specialization=canary(house.slug, "specialty"),
        qualifications=canary(house.slug, "degree"),
        licence_number=canary(house.slug, "licence"),
        experience_years=7,
        department=house.things["shown"],
        status=Doctor.Status.PENDING,
        sent_at=now(),
    )
    audit.record(action=Action.DOCTOR_SENT, target=waiting, by=waiting.user, new=Doctor.Status.PENDING)
    verified = Doctor.objects.create(
        user=house.things["colleague"].user,
        specialization=canary(house.slug, "craft"),
        licence_number=canary(house.slug, "number"),
        department=house.things["hidden"],
        status=Doctor.Status.APPROVED,
        verified_at=now(),
        verified_by=admin,
    )
    audit.record(action=Action.DOCTOR_APPROVED, target=verified, by=admin, new=Doctor.Status.APPROVED)
    content = f"%PDF-1.4\n{canary(house.slug, 'scan')}\n".encode()
    path = f"{house.hospital.code}/doctors/{waiting.code}/{hashlib.sha256(content).hexdigest()[:32]}.pdf"
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(content))
    document = DoctorDocument.objects.create(
        doctor=waiting,
        kind=DoctorDocument.Kind.LICENCE,
        name=f"{canary(house.slug, 'file')}.pdf",
        path=path,
        content_type="application/pdf",
        size=len(content),
    )
    house.things |= {"doctor": waiting, "verified doctor": verified, "document": document}


def _words(house: House, admin: User) -> None:
    """Settings, a message that was not delivered, and a log that tells why something was done."""
    Settings.objects.update(welcome=f"OPEN{house.slug.upper()} welcomes you.")
    waiting = {"template": "invitation", "to_address": f"asha@{house.slug}.example"}
    Notification.objects.create(subject=canary(house.slug, "news"), sent_text=canary(house.slug, "news"), **waiting)
    message = Notification.objects.create(
        to_name=canary(house.slug, "recipient"),
        to_address=f"{canary(house.slug, 'box').lower()}@example.com",
        template="invitation",
        subject=canary(house.slug, "subject"),
        sent_text=canary(house.slug, "letter"),
        sent_html=f"<p>{canary(house.slug, 'letter')}</p>",
        state=State.FAILED,
        attempts=7,
        last_error=canary(house.slug, "mailfault"),
    )
    audit.record(
        action=Action.STAFF_DEACTIVATED,
        target=house.things["leaver"],
        by=admin,
        reason=canary(house.slug, "reason"),
        data={"note": canary(house.slug, "detail")},
    )
    house.things["message"] = message


def _public(house: House, admin: User) -> None:
    """What stands in public: own domains, and a logo everybody may see."""
    hospital = house.hospital
    logo = pictures.judge(factories.picture(colour="olive" if house.slug == "cedar" else "purple"))
    Hospital.objects.filter(pk=hospital.pk).update(
        logo=pictures.store(logo, folder=str(hospital.code), kind="logo"), city=f"OPEN{house.slug.upper()}"
    )
    hospital.refresh_from_db()
    claim = DomainClaim.objects.create(
        hospital=hospital,
        domain=f"{canary(house.slug, 'claim').lower()}.example",
        token=canary(house.slug, "token"),
    )
    domain = Domain.objects.create(tenant=hospital, domain=f"www.open{house.slug}.example", is_primary=False)
    house.things |= {"claim": claim, "domain": domain}


def queue(usha: User) -> dict[str, Any]:
    """What the superadmin decides about: a hospital that waits, and messages and rows of the platform's own."""
    pending = factories.pending(slug="willow", name="Willow Hospital")
    message = Notification.objects.filter(to_address=pending.email).latest("pk")
    Notification.objects.filter(pk=message.pk).update(state=State.FAILED)
    return {"pending": pending, "message": message}


class Stage:
    """Both hospitals, the portal, and everybody's way in. Made once for a module, in a transaction that ends with it."""

    def __init__(self) -> None:
        self.usha = User.objects.get(email="usha@rhms.example")
        self.asha = User.objects.get(email="asha@example.com")
        self.cedar = furnish(Hospital.objects.get(slug="cedar"))
        self.lotus = furnish(Hospital.objects.get(slug="lotus"))
        self.portal = queue(self.usha)
        self.kinds = frozenset(_kinds)  # all kinds of canaries there are
        self._clients: dict[tuple[str, str, bool], Client] = {}
        self._cookies: dict[tuple[str, str, bool], str] = {}

    # --- People ---

    def person(self, name: str) -> User | None:
        """`patient`, `superadmin`, or somebody of a hospital as `cedar nurse`."""
        known = {VISITOR: None, PATIENT: self.asha, SUPERADMIN: self.usha}
        if name in known:
            return known[name]
        slug, _space, column = name.partition(" ")
        house: House = getattr(self, slug)
        return house.people[Role.HOSPITAL_ADMIN if column == SUPPORTER else column]

    def host(self, place: str) -> str:
        """`portal`, `cedar` or `lotus` as a host."""
        return "localhost" if place == "portal" else f"{place}.localhost"

    def client(self, place: str, name: str, *, lacks_factor: bool = False) -> Client:
        """Somebody's browser at a place, as it was just after they came in."""
        key = (place, name, lacks_factor)
        if key not in self._clients:
            self._clients[key] = Client(raise_request_exception=False, HTTP_HOST=self.host(place))
            self._cookies[key] = "" if name == VISITOR else self._session(place, name, lacks_factor)
        client = self._clients[key]
        client.cookies.clear()
        if self._cookies[key]:
            client.cookies[settings.SESSION_COOKIE_NAME] = self._cookies[key]
        return client

    def carried(self, to: str, name: str, of: str) -> Client:
        """A browser at `to` that holds the cookie of a session at `of`."""
        self.client(of, name)
        client = Client(raise_request_exception=False, HTTP_HOST=self.host(to))
        client.cookies[settings.SESSION_COOKIE_NAME] = self._cookies[of, name, False]
        return client

    def _session(self, place: str, name: str, lacks_factor: bool) -> str:
        user = self.person(name)
        assert user is not None
        request = HttpRequest()
        request.session = SessionStore()
        request.session.visit = Visit(place=self.code(place), host=self.host(place))
        if name.endswith(SUPPORTER):
            support.open_session(request=request, user=user, supporter=self.usha, now=now())
        else:
            login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
            request.session[SECOND_FACTOR] = name == SUPERADMIN and not lacks_factor
        request.session.save()
        return request.session.session_key or ""

    def bearer(self, place: str, name: str) -> Client:
        """Somebody's client of the API at a place."""
        user = self.person(name)
        assert user is not None
        request = HttpRequest()
        request.META["HTTP_HOST"] = self.host(place)
        request.hospital = None if place == "portal" else getattr(self, place).hospital  # type: ignore[attr-defined]
        pair = tokens.issue(request=request, user=user, is_two_factor=name == SUPERADMIN)
        return Client(
            raise_request_exception=False, HTTP_HOST=self.host(place), HTTP_AUTHORIZATION=f"Bearer {pair['access']}"
        )

    def code(self, place: str) -> str:
        """The place as sessions and tokens know it."""
        return "" if place == "portal" else str(getattr(self, place).hospital.code)

    # --- Arguments of addresses ---

    def arguments(self, door: Door, house: House, name: str) -> dict[str, Any]:
        """What stands in the address of a door: things of `house`, and what is the asker's own."""
        if door.name == "hand_over":
            to = self.host("cedar" if door.place == "portal" else "portal")
            return {"?": {"to": to, "state": "0" * 64}}
        if not door.slots:
            return {}
        if door.is_admin:
            return {"object_id": self.usha.pk, "app_label": "accounts", "url": "x", "id": self.usha.pk} | {
                "content_type_id": 1
            }
        found = (self.of_portal if door.place == "portal" else self.of_hospital)(door, house)
        found = found if found is not None else self._everywhere(door, house, name)
        missing = [slot for slot in door.slots if slot not in (found or {})]
        if found is None or missing:
            raise LookupError(f"tests/house/cast.py has nothing to put into {door} ({door.name}): {door.slots}.")
        return found

    def _everywhere(self, door: Door, house: House, name: str) -> dict[str, Any] | None:
        hospital, own = house.hospital, self.person(name) or self.asha
        if "session" in door.name:
            return {"code": self._session_of(own)}
        if "family" in door.name:
            return {"code": self._relative_of(own)}
        if "passkey" in door.name:
            return {"code": self._passkey_of(own)}
        known: dict[str, dict[str, Any]] = {
            "theme_css": {"accent": hospital.accent[1:], "digest": "0"},
            "theme_preview_css": {"accent": hospital.accent[1:]},
            "logo": {"code": hospital.code, "name": hospital.logo.rpartition("-")[2]},
            "arrive": {"ticket": "a" * 43},
            "password_new": {
                "key": urlsafe_base64_encode(force_bytes(str(own.code))),
                "token": default_token_generator.make_token(own),
            },
        }
        return known.get(door.name)

    def _session_of(self, user: User) -> UUID:
        """The code of a session of one's own that is not the one asked with."""
        row, _made = Session.objects.get_or_create(
            user=user, session_key=f"elsewhere{user.pk}", defaults={"expire_date": now() + timedelta(days=1)}
        )
        return row.code

    def _passkey_of(self, user: User) -> UUID:
        fields = {"name": "Telephone", "relying_party": "elsewhere.example", "public_key": b"x"}
        row, _made = Passkey.objects.get_or_create(user=user, credential=f"key {user.pk}".encode(), defaults=fields)
        return row.code

    def _relative_of(self, user: User) -> UUID:
        born = {"birth_date": date(2018, 3, 9), "sex": Sex.MALE, "relation": Relation.CHILD}
        row, _made = FamilyMember.objects.get_or_create(user=user, name="Ishaan", defaults=born)
        return row.code

    def of_portal(self, door: Door, house: House) -> dict[str, Any] | None:
        """What the portal has at a door."""
        waiting, message = self.portal["pending"], self.portal["message"]
        found = bills.arguments(door, house) or visits.arguments(door, house)
        if found:
            return found
        if door.name in ("hospital_detail", "api_hospital") or "support" in door.name:
            return {"code": house.hospital.code}
        if door.name == "registration_status":
            return {"token": joining.status_link(waiting).rstrip("/").rpartition("/")[2]}
        if door.name in ("outbox_message", "outbox_retry", "api_retry"):
            return {"code": message.code}
        if door.name == "registration_received" or door.name.startswith("queue_") or "/api/admin/" in door.pattern:
            return {"code": waiting.code}
        return None

    def of_hospital(self, door: Door, house: House) -> dict[str, Any] | None:
        """What belongs to the hospital alone at a door."""
        things = house.things
        found = bills.arguments(door, house) or visits.arguments(door, house)
        if found:
            return found
        shown, hidden = things["shown"], things["hidden"]
        if "document" in door.name:
            return {"code": things["document"].code}
        if "doctor" in door.name or "application" in door.name:
            return {"code": things["doctor"].code}
        if "staff" in door.name:
            return {"code": things["guest" if "invit" in door.name else "colleague"].code}
        return {
            "department_detail": {"slug": shown.slug},
            "department_image": {"slug": shown.slug, "name": shown.image_name},
            "api_department": {"code": shown.code},
            "department_edit": {"code": hidden.code},
            "department_activate": {"code": hidden.code},
            "department_deactivate": {"code": hidden.code},
            "department_delete": {"code": hidden.code},
            "invitation": {"token": things["invitation token"]},
            "outbox_message": {"code": things["message"].code},
            "outbox_retry": {"code": things["message"].code},
            "api_retry": {"code": things["message"].code},
            "settings_domain_verify": {"code": things["claim"].code},
            "settings_domain_drop": {"code": things["claim"].code},
            "settings_domain_remove": {"domain": things["domain"].domain},
            "api_domain": {"domain": things["domain"].domain},
            "api_verify_domain": {"domain": things["claim"].domain},
        }.get(door.name)
