"""Signing in with a code from the mail in place of the password."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import OneTimeCode, Passkey, User
from accounts.services import codes
from audit.models import Action, AuditLog
from core.schemas import schema_context
from tenants.models import Hospital
from tests.accounts.mail import code_for, sent, wrong
from tests.conftest import browser

ASK = "/sign-in/code/"
ENTER = "/sign-in/code/enter/"
HARI = "hari@cedar.example"


def test_the_sign_in_page_leads_to_it_and_keeps_where_the_person_is_going(cedar_site: Client) -> None:
    page = cedar_site.get("/sign-in/?next=/office/departments/").content.decode()
    assert 'href="/sign-in/code/?next=/office/departments/"' in page
    assert 'href="/sign-up/?next=/office/departments/"' in page


def test_the_code_from_the_mail_signs_in_and_leads_on(cedar_site: Client, cedar: Hospital) -> None:
    answer = cedar_site.post(f"{ASK}?next=/office/departments/", {"email": " Hari@Cedar.example "})
    assert answer["Location"] == f"{ENTER}?next=%2Foffice%2Fdepartments%2F"
    assert b"hari@cedar.example" in cedar_site.get(answer["Location"]).content
    done = cedar_site.post(answer["Location"], {"code": code_for(HARI, cedar)})
    assert done["Location"] == "/office/departments/"
    assert cedar_site.get("/office/departments/").status_code == 200
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.USER_SIGNED_IN, actor="Hari Rao").exists()


def test_the_message_is_in_the_hospitals_brand_and_only_its_body_holds_the_code(
    cedar_site: Client, cedar: Hospital
) -> None:
    cedar_site.post(ASK, {"email": HARI})
    message = sent("code", to=HARI, hospital=cedar)[0]
    code = code_for(HARI, cedar)
    assert code not in message.subject  # which the outbox goes on showing
    assert "Cedar Hospital" in message.html
    assert code in message.html
    assert message.is_secret


def test_an_unknown_address_gets_the_same_pages_and_a_letter_that_says_so(portal: Client, asha: User) -> None:
    other = browser("localhost")
    assert portal.post(ASK, {"email": "nobody@example.com"})["Location"] == ENTER
    assert other.post(ASK, {"email": asha.email})["Location"] == ENTER
    letter = sent("no_account", to="nobody@example.com")[0]
    assert "http://localhost/sign-up/" in letter.text
    unknown, known = portal.post(ENTER, {"code": "123456"}), other.post(ENTER, {"code": wrong(code_for(asha.email))})
    assert (unknown.status_code, unknown.context["form"].errors) == (known.status_code, known.context["form"].errors)


def test_a_person_who_was_made_inactive_gets_no_code(portal: Client, asha: User) -> None:
    User.objects.filter(pk=asha.pk).update(is_active=False)
    portal.post(ASK, {"email": asha.email})
    assert sent("code", to=asha.email) == []


def test_a_code_counts_once(portal: Client, asha: User) -> None:
    portal.post(ASK, {"email": asha.email})
    code = code_for(asha.email)
    assert portal.post(ENTER, {"code": code})["Location"] == "/start/"
    assert not OneTimeCode.objects.filter(user=asha).exists()


def test_a_code_counts_for_five_minutes(portal: Client, asha: User) -> None:
    portal.post(ASK, {"email": asha.email})
    OneTimeCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert portal.post(ENTER, {"code": code_for(asha.email)}).status_code == 422
    assert timedelta(minutes=5) == codes.VALID_FOR


def test_what_is_kept_of_a_code_is_not_the_code(portal: Client, asha: User) -> None:
    portal.post(ASK, {"email": asha.email})
    kept = OneTimeCode.objects.get()
    assert code_for(asha.email) not in kept.digest
    assert len(kept.digest) == 64


@pytest.mark.parametrize("typed", ["", "12", "abcdef", "１２３４５６", "12345678901234567890123"])
def test_what_is_no_code_is_refused_calmly(portal: Client, asha: User, typed: str) -> None:
    portal.post(ASK, {"email": asha.email})
    assert portal.post(ENTER, {"code": typed}).status_code == 422


def test_a_new_code_goes_to_the_same_address(portal: Client, asha: User) -> None:
    portal.post(f"{ASK}?next=/hospitals/", {"email": asha.email})
    again = portal.post("/sign-in/code/again/?next=/hospitals/")
    assert again["Location"] == f"{ENTER}?next=%2Fhospitals%2F"
    assert len(sent("code", to=asha.email)) == 2


def test_asking_too_often_says_how_long_to_wait(portal: Client, asha: User) -> None:
    for _ in range(4):
        portal.post(ASK, {"email": asha.email})
    for answer in (portal.post(ASK, {"email": asha.email}), portal.post("/sign-in/code/again/")):
        assert (answer.status_code, bool(answer["Retry-After"])) == (429, True)
        assert b"Too many tries. Wait 60 minutes" in answer.content


@pytest.mark.parametrize("path", [ASK, ENTER, "/sign-up/", "/sign-up/code/", "/sign-in/"])
def test_who_is_in_already_is_sent_on(cedar_hari: Client, path: str) -> None:
    assert cedar_hari.get(f"{path}?next=/departments/")["Location"] == "/departments/"


# --- the same for apps -----------------------------------------------------------------------------------------------


def send(client: Client, path: str, **body: str) -> Any:
    return client.post(f"/api/auth/{path}", body, content_type="application/json")


def test_an_app_signs_in_with_the_code(cedar_site: Client, cedar: Hospital) -> None:
    assert send(cedar_site, "login/code/", email=HARI).status_code == 202
    pair = send(cedar_site, "login/code/verify/", email=HARI, code=code_for(HARI, cedar)).json()
    headers = {"Authorization": f"Bearer {pair['access']}"}
    assert cedar_site.get("/api/activity/", headers=headers).status_code == 200
    assert "sessionid" not in cedar_site.cookies


def test_an_app_gets_the_same_answers_for_a_known_and_an_unknown_address(portal: Client, asha: User) -> None:
    known, unknown = (send(portal, "login/code/", email=email) for email in (asha.email, "nobody@example.com"))
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    wrong_code = wrong(code_for(asha.email))
    known, unknown = (
        send(portal, "login/code/verify/", email=email, code=wrong_code) for email in (asha.email, "nobody@example.com")
    )
    assert known.status_code == unknown.status_code == 401
    assert known.json() == unknown.json()
    assert known.json()["field"] == "code"


def test_an_app_that_lacks_the_second_factor_is_told_and_the_code_still_counts(portal: Client, asha: User) -> None:
    Passkey.objects.create(user=asha, name="Key", relying_party="localhost", credential=b"1", public_key=b"1")
    send(portal, "login/code/", email=asha.email)
    code = code_for(asha.email)
    answer = send(portal, "login/code/verify/", email=asha.email, code=code)
    assert (answer.status_code, answer.json()["field"]) == (401, "second_factor")
    answer = send(portal, "login/code/verify/", email=asha.email, code=code, second_factor="000000")
    assert answer.status_code == 401
    assert OneTimeCode.objects.filter(user=asha).exists()


def test_an_app_confirms_a_new_account(portal: Client) -> None:
    nita = User.objects.create_user("nita@example.com", "correct-horse-7", first_name="Nita")
    refused = send(portal, "login/", email=nita.email, password="correct-horse-7")
    assert (refused.status_code, refused.json()["field"]) == (403, "email")
    code = code_for(nita.email)
    body = {"email": nita.email, "code": code}
    assert send(portal, "verify/", **body, password="wrong").status_code == 401
    assert set(send(portal, "verify/", **body, password="correct-horse-7").json()) == {"access", "refresh"}
    assert send(portal, "login/", email=nita.email, password="correct-horse-7").status_code == 200


def test_the_digits_made_for_an_address_without_an_account_open_nothing(asha: User) -> None:
    now, purpose = timezone.now(), OneTimeCode.Purpose.SIGN_IN
    digits = codes.make(user=None, purpose=purpose, email="nobody@example.com", now=now)
    assert OneTimeCode.objects.filter(user=None, email="nobody@example.com").exists()
    for user in (None, asha):
        with pytest.raises(codes.WrongCode):
            codes.check(user=user, purpose=purpose, code=digits, address="", now=now)
