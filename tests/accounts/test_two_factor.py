"""The second factor: an authenticator app, recovery codes, and where they are asked for."""

import re
from datetime import datetime
from typing import Any

import pyotp
import pytest
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.test import Client
from django.utils.timezone import now

from accounts.models import RecoveryCode, Session, TokenFamily, Totp, User
from accounts.services import two_factor
from accounts.sessions import SessionStore
from audit.models import Action, AuditLog
from core.errors import DomainError
from core.schemas import schema_context
from core.sealing import seal, unseal
from notifications.models import Notification
from tenants.models import Hospital
from tests.conftest import browser, come_in, forget
from tests.factories import PASSWORD

OVERVIEW = "/account/two-factor/"
APP, CODES, OFF = f"{OVERVIEW}app/", f"{OVERVIEW}recovery-codes/", f"{OVERVIEW}app/remove/"
SECOND = "/sign-in/second/"


def app_of(user: User) -> pyotp.TOTP:
    """The telephone in the person's hand."""
    return pyotp.TOTP(unseal(Totp.objects.get(user=user).sealed_secret))


def turned_on(user: User) -> list[str]:
    """Give the person an app in use, and recovery codes."""
    Totp.objects.create(user=user, sealed_secret=seal(pyotp.random_base32()), confirmed_at=now())
    return two_factor.make_recovery_codes(user=user)


def fresh(user: User, at: datetime | None = None) -> str:
    """What the app shows."""
    return app_of(user).at(at or now())


def password_right(client: Client, user: User, next_page: str = "") -> Any:
    """Take the first step of a sign-in."""
    address = f"/sign-in/?next={next_page}" if next_page else "/sign-in/"
    return client.post(address, {"email": user.email, "password": PASSWORD})


def session_of(client: Client) -> Session:
    return Session.objects.get(session_key=client.cookies["sessionid"].value)


def is_two_factor(client: Client) -> bool:
    """Whether the client's session counts as opened with a second factor."""
    return bool(SessionStore().decode(session_of(client).session_data).get("second_factor"))


def codes_on(page: str) -> list[str]:
    """The recovery codes a page shows."""
    return re.findall(r"\b[2-9a-z]{5}-[2-9a-z]{5}\b", page)


def require_two_factor(hospital: Hospital) -> None:
    Hospital.objects.filter(pk=hospital.pk).update(requires_two_factor=True)
    forget()  # which keeps what is true of a host


# --- The second step of a sign-in ------------------------------------------------------------------------------------


def test_without_a_second_factor_the_password_is_enough(portal: Client, asha: User) -> None:
    assert password_right(portal, asha)["Location"] == "/start/"


def test_with_an_app_the_password_leads_to_the_second_step_and_opens_nothing(cedar_site: Client, hari: User) -> None:
    turned_on(hari)
    assert password_right(cedar_site, hari)["Location"] == SECOND
    assert session_of(cedar_site).user is None
    assert "/sign-in/" in cedar_site.get("/start/")["Location"]


def test_the_apps_code_ends_the_sign_in(cedar_site: Client, hari: User) -> None:
    turned_on(hari)
    password_right(cedar_site, hari)
    before = cedar_site.cookies["sessionid"].value
    assert b"One more step" in cedar_site.get(SECOND).content
    assert cedar_site.post(SECOND, {"code": fresh(hari)})["Location"] == "/start/"
    assert cedar_site.get("/start/").status_code == 200
    assert is_two_factor(cedar_site)
    assert cedar_site.cookies["sessionid"].value != before


def test_where_the_person_was_going_is_kept(cedar_site: Client, hari: User) -> None:
    turned_on(hari)
    second = password_right(cedar_site, hari, "/office/settings/")["Location"]
    assert second == f"{SECOND}?next=%2Foffice%2Fsettings%2F"
    assert cedar_site.post(second, {"code": fresh(hari)})["Location"] == "/office/settings/"


def test_another_host_is_nowhere_to_go(cedar_site: Client, hari: User) -> None:
    turned_on(hari)
    password_right(cedar_site, hari)
    answer = cedar_site.post(f"{SECOND}?next=https://evil.example/", {"code": fresh(hari)})
    assert answer["Location"] == "/start/"


def test_the_code_may_be_typed_with_a_space(cedar_site: Client, hari: User) -> None:
    turned_on(hari)
    password_right(cedar_site, hari)
    code = fresh(hari)
    assert cedar_site.post(SECOND, {"code": f"{code[:3]} {code[3:]}"}).status_code == 302


def test_a_wrong_code_is_refused_recorded_and_may_be_corrected(cedar_site: Client, hari: User, cedar: Hospital) -> None:
    turned_on(hari)
    password_right(cedar_site, hari)
    wrong = f"{(int(fresh(hari)) + 1) % 1_000_000:06d}"
    answer = cedar_site.post(SECOND, {"code": wrong})
    assert answer.status_code == 422
    assert b"This code is not right" in answer.content
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.USER_SIGN_IN_REFUSED).exists()
    assert cedar_site.post(SECOND, {"code": fresh(hari)}).status_code == 302


def test_a_code_of_the_app_counts_once(hari: User, cedar: Hospital) -> None:
    turned_on(hari)
    code = fresh(hari)
    first, second = browser("cedar.localhost"), browser("cedar.localhost")
    for client, status in ((first, 302), (second, 422)):
        password_right(client, hari)
        assert client.post(SECOND, {"code": code}).status_code == status


def test_a_recovery_code_counts_once_and_is_told_by_mail(hari: User, cedar: Hospital) -> None:
    recovery = turned_on(hari)[0]
    for status in (302, 422):
        client = browser("cedar.localhost")
        password_right(client, hari)
        assert client.post(SECOND, {"code": recovery.upper()}).status_code == status
    assert two_factor.codes_left(hari) == 9
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.USER_RECOVERY_CODE_USED).count() == 1
        assert "recovery code" in Notification.objects.get(template="account_changed").text


def test_the_eleventh_try_waits(cedar_site: Client, hari: User) -> None:
    turned_on(hari)
    password_right(cedar_site, hari)
    for _try in range(10):
        cedar_site.post(SECOND, {"code": "zzzzz-zzzzz"})
    answer = cedar_site.post(SECOND, {"code": fresh(hari)})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_the_second_step_without_the_first_leads_back(cedar_site: Client, cedar: Hospital) -> None:
    answer = cedar_site.get(f"{SECOND}?next=/start/")
    assert answer["Location"] == "/sign-in/?next=%2Fstart%2F"
    assert cedar_site.post(SECOND, {"code": "123456"})["Location"] == "/sign-in/"


def test_the_first_step_does_not_count_on_another_host(hari: User, cedar: Hospital, lotus: Hospital) -> None:
    turned_on(hari)
    client = browser("cedar.localhost")
    password_right(client, hari)
    elsewhere = browser("lotus.localhost")
    elsewhere.cookies["sessionid"] = client.cookies["sessionid"].value
    assert elsewhere.post(SECOND, {"code": fresh(hari)})["Location"] == "/sign-in/"


def test_who_is_in_has_no_second_step(cedar_hari: Client) -> None:
    assert cedar_hari.get(f"{SECOND}?next=/office/settings/")["Location"] == "/office/settings/"


# --- Setting an app up -----------------------------------------------------------------------------------------------


def test_an_app_is_set_up_with_its_first_code(portal: Client, asha: User) -> None:
    client = browser("localhost", asha)
    assert client.post(f"{APP}begin/")["Location"] == APP
    page = client.get(APP).content.decode()
    secret = unseal(Totp.objects.get(user=asha).sealed_secret)
    assert "data:image/svg+xml" in page
    assert " ".join(re.findall("....", secret)) in page
    before = client.cookies["sessionid"].value
    answer = client.post(APP, {"code": fresh(asha)})
    assert len(codes_on(answer.content.decode())) == 10
    assert answer["Cache-Control"] == "no-store"
    assert is_two_factor(client)
    assert client.cookies["sessionid"].value != before
    assert AuditLog.objects.about(asha).filter(action=Action.USER_TWO_FACTOR_ON).exists()
    assert "turned on" in Notification.objects.get(template="account_changed").text


def test_the_secret_is_not_stored_as_it_is(asha: User) -> None:
    assert two_factor.begin(user=asha) not in Totp.objects.get(user=asha).sealed_secret


def test_recovery_codes_are_stored_as_digests(asha: User) -> None:
    made = turned_on(asha)
    stored = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert not stored & {code.replace("-", "") for code in made}


def test_a_wrong_first_code_keeps_the_key_on_the_page(asha: User) -> None:
    client = browser("localhost", asha)
    client.post(f"{APP}begin/")
    key = unseal(Totp.objects.get(user=asha).sealed_secret)
    answer = client.post(APP, {"code": "000000"})
    assert answer.status_code == 422
    assert key[:4] in answer.content.decode()
    assert not two_factor.is_on(asha)


def test_an_app_that_was_not_confirmed_is_not_asked_for(portal: Client, asha: User) -> None:
    two_factor.begin(user=asha)
    assert password_right(portal, asha)["Location"] == "/start/"


def test_beginning_again_makes_a_new_key(asha: User) -> None:
    assert two_factor.begin(user=asha) != two_factor.begin(user=asha)


def test_an_app_in_use_is_not_replaced(asha: User) -> None:
    client = browser("localhost", asha)
    turned_on(asha)
    secret = Totp.objects.get(user=asha).sealed_secret
    assert client.post(f"{APP}begin/").status_code == 409
    assert client.get(APP)["Location"] == OVERVIEW
    assert Totp.objects.get(user=asha).sealed_secret == secret


def test_whoever_has_only_the_password_cannot_add_a_factor_of_their_own(asha: User, kiran: User) -> None:
    client = browser("localhost", asha)  # opened before the passkey was added
    asha.passkeys.create(name="Key", relying_party="localhost", credential=b"1", public_key=b"1")
    client.post(f"{APP}begin/")
    answer = client.post(APP, {"code": fresh(asha)})
    assert answer.status_code == 422
    assert b"without your second factor" in answer.content
    assert not two_factor.has_app(asha)


# --- Looking at it, and giving it up ---------------------------------------------------------------------------------


def test_the_overview_says_what_is_set_up(asha: User) -> None:
    client = browser("localhost", asha)
    page = client.get(OVERVIEW).content.decode()
    assert "Set up an app" in page
    assert "Recovery codes" not in page
    turned_on(asha)
    page = client.get(OVERVIEW).content.decode()
    assert "10 of 10 left" in page


def test_a_session_from_before_proves_the_second_factor_there_and_then(asha: User) -> None:
    client = browser("localhost", asha)
    turned_on(asha)
    page = client.get(OVERVIEW).content.decode()
    assert "Prove your second factor" in page
    assert OFF not in page
    before = client.cookies["sessionid"].value
    answer = client.post(f"{OVERVIEW}?next=/hospitals/", {"code": fresh(asha)})
    assert answer["Location"] == "/hospitals/"
    assert is_two_factor(client)
    assert client.cookies["sessionid"].value != before
    assert OFF in client.get(OVERVIEW).content.decode()


def test_new_recovery_codes_ask_for_the_password_and_end_the_old_ones(asha: User) -> None:
    client = browser("localhost", asha)
    old = turned_on(asha)
    client.post(OVERVIEW, {"code": fresh(asha)})
    assert client.post(CODES, {"password": "not-it"}).status_code == 422
    new = codes_on(client.post(CODES, {"password": PASSWORD}).content.decode())
    assert len(new) == 10
    assert not set(old) & set(new)
    assert AuditLog.objects.about(asha).filter(action=Action.USER_RECOVERY_CODES_MADE).exists()


def test_who_has_no_password_proves_themselves_with_a_code(asha: User) -> None:
    client = browser("localhost", asha)
    codes = turned_on(asha)
    client.post(OVERVIEW, {"code": fresh(asha)})
    asha.set_unusable_password()
    asha.save(update_fields=["password"])
    client = browser("localhost", asha)
    assert b"Your password" not in client.get(CODES).content
    assert len(codes_on(client.post(CODES, {"code": codes[0]}).content.decode())) == 10


def test_an_app_is_removed_by_password(asha: User) -> None:
    client = browser("localhost", asha)
    turned_on(asha)
    client.post(OVERVIEW, {"code": fresh(asha)})
    assert client.post(OFF, {"password": "not-it"}).status_code == 422
    assert two_factor.is_on(asha)
    assert client.post(OFF, {"password": PASSWORD})["Location"] == OVERVIEW
    assert not two_factor.is_on(asha)
    assert not RecoveryCode.objects.exists()
    assert AuditLog.objects.about(asha).filter(action=Action.USER_TWO_FACTOR_OFF).exists()


def test_what_two_factor_gave_ends_with_it(asha: User, cedar: Hospital) -> None:
    turned_on(asha)
    here, there = browser("localhost"), browser("cedar.localhost")
    for client in (here, there):
        come_in(client, asha, is_two_factor=True)
    fields = {"email": asha.email, "password": PASSWORD, "second_factor": fresh(asha)}
    here.post("/api/auth/login/", fields, content_type="application/json")
    assert TokenFamily.objects.get().is_two_factor
    here.post(OFF, {"password": PASSWORD})
    assert here.get("/account/").status_code == 200
    assert not is_two_factor(here)
    assert there.get("/account/")["Location"].startswith("/sign-in/")
    assert not TokenFamily.objects.get().is_two_factor


def test_a_superadmin_who_turns_somebodys_off_keeps_their_own(usha: User, asha: User) -> None:
    turned_on(asha)
    client = browser("localhost")
    come_in(client, asha, is_two_factor=True)
    request = HttpRequest()
    request.hospital = None  # type: ignore[attr-defined]
    request.META["HTTP_HOST"] = "localhost"
    request.session = SessionStore()
    request.session[SESSION_KEY], request.session["second_factor"] = str(usha.pk), True
    two_factor.turn_off(request=request, user=asha, by=usha)
    assert not two_factor.is_on(asha)
    assert request.session["second_factor"]
    assert not Session.objects.filter(user=asha).exists()


def test_the_password_alone_removes_nothing_where_the_second_factor_was_not_proved(asha: User) -> None:
    client = browser("localhost", asha)
    turned_on(asha)
    assert client.post(OFF, {"password": PASSWORD}).status_code == 422
    assert two_factor.is_on(asha)


def test_an_app_that_is_required_here_is_not_removed_here(hari: User, cedar: Hospital) -> None:
    require_two_factor(cedar)
    turned_on(hari)
    client = browser("cedar.localhost", hari)
    client.post(OVERVIEW, {"code": fresh(hari)})
    answer = client.post(OFF, {"password": PASSWORD})
    assert answer.status_code == 422
    assert b"Your role here needs two-factor" in answer.content
    assert two_factor.is_on(hari)


def test_it_is_removed_on_the_portal_where_nobody_requires_it(hari: User, cedar: Hospital) -> None:
    require_two_factor(cedar)
    turned_on(hari)
    client = browser("localhost", hari)
    client.post(OVERVIEW, {"code": fresh(hari)})
    assert b"must set it up again" in client.get(OFF).content
    client.post(OFF, {"password": PASSWORD})
    assert not two_factor.is_on(hari)


@pytest.mark.parametrize("path", [OVERVIEW, APP, CODES, OFF])
def test_visitors_sign_in_first(portal: Client, path: str) -> None:
    assert portal.get(path)["Location"].startswith("/sign-in/?next=")


def test_the_overview_costs_the_same_however_many_passkeys(asha: User, django_assert_num_queries: Any) -> None:
    client = browser("localhost", asha)
    for number in range(5):
        asha.passkeys.create(
            name=f"Key {number}", relying_party="localhost", credential=b"%d" % number, public_key=b"1"
        )
    client.get(OVERVIEW)
    with django_assert_num_queries(5):  # session, person, app, recovery codes, passkeys
        client.get(OVERVIEW)


# --- Where it is required --------------------------------------------------------------------------------------------


def test_staff_without_it_are_led_to_set_it_up_and_then_on(hari: User, cedar: Hospital) -> None:
    client = browser("cedar.localhost", hari)
    assert client.get("/office/settings/").status_code == 200
    require_two_factor(cedar)
    answer = client.get("/office/settings/")
    assert answer["Location"] == f"{OVERVIEW}?next=/office/settings/"
    page = client.get(answer["Location"]).content.decode()
    assert "Cedar Hospital asks its staff to prove who they are twice." in page
    begun = client.post(f"{APP}begin/?next=/office/settings/")
    assert begun["Location"] == f"{APP}?next=%2Foffice%2Fsettings%2F"
    page = client.post(begun["Location"], {"code": fresh(hari)}).content.decode()
    assert 'href="/office/settings/"' in page
    assert client.get("/office/settings/").status_code == 200


def test_a_patient_of_the_same_hospital_needs_none(asha: User, cedar: Hospital) -> None:
    require_two_factor(cedar)
    page = browser("cedar.localhost", asha).get(OVERVIEW).content.decode()
    assert "Two-factor is needed" not in page


def test_a_superadmin_needs_it_on_the_portal_and_in_djangos_admin(usha: User) -> None:
    client = browser("localhost")
    password_right(client, usha)
    for path in ("/admin/", "/admin/accounts/user/"):
        answer = client.get(path, follow=True)
        assert answer.redirect_chain[-1][0].startswith(OVERVIEW)
        assert "Superadmins prove who they are twice" in answer.content.decode()
    assert client.get("/start/")["Location"].startswith(OVERVIEW)
    client.post(f"{APP}begin/?next=/admin/")
    page = client.post(f"{APP}?next=/admin/", {"code": fresh(usha)}).content.decode()
    assert 'href="/admin/"' in page
    assert client.get("/admin/").status_code == 200


def test_the_service_needs_no_page(asha: User) -> None:
    request = HttpRequest()
    request.session = SessionStore()
    with pytest.raises(DomainError):
        two_factor.turn_on(request=request, user=asha, code="123456", now=now())
