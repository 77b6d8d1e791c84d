"""Opening an account: on every host, for whoever reads the mail at the address, and telling nobody who has one."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Action, AuditLog
from core.schemas import schema_context
from tenants.models import Hospital
from tests.accounts.mail import code_for, sent, wrong
from tests.conftest import browser
from tests.factories import PASSWORD

SIGN_UP = "/sign-up/"
CODE = "/sign-up/code/"
NITA = "nita@example.com"


def ask(client: Client, email: str = NITA, password: str = PASSWORD, wanted: str = "", **fields: str) -> Any:
    address = f"{SIGN_UP}?next={wanted}" if wanted else SIGN_UP
    given = {"first_name": "Nita", "last_name": "Kulkarni", "email": email, "password": password, **fields}
    return client.post(address, given)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_an_account_opens_with_the_code_from_the_mail(portal: Client) -> None:
    assert ask(portal, phone="98450 12345")["Location"] == CODE
    assert not is_in(portal)
    assert portal.post(CODE, {"code": code_for(NITA)})["Location"] == "/start/"
    person = User.objects.get(email=NITA)
    assert (str(person), str(person.phone), bool(person.email_verified_at)) == ("Nita Kulkarni", "+919845012345", True)
    assert is_in(portal)


def test_the_address_is_kept_in_small_letters(portal: Client) -> None:
    ask(portal, email=" Nita@Example.com ")
    assert User.objects.filter(email=NITA).exists()


def test_one_name_is_enough(portal: Client) -> None:
    assert ask(portal, last_name="")["Location"] == CODE


def test_a_code_may_be_typed_with_spaces(portal: Client) -> None:
    ask(portal)
    code = code_for(NITA)
    assert portal.post(CODE, {"code": f" {code[:3]} {code[3:]} "})["Location"] == "/start/"


def test_on_a_hospitals_host_all_is_in_its_brand_and_its_log(cedar_site: Client, cedar: Hospital) -> None:
    assert b"For Cedar Hospital, and every other hospital" in cedar_site.get(SIGN_UP).content
    ask(cedar_site)
    message = sent("code", to=NITA, hospital=cedar)[0]
    assert "Cedar Hospital" in message.text
    assert message.is_secret
    cedar_site.post(CODE, {"code": code_for(NITA, cedar)})
    with schema_context(cedar.schema_name):
        actions = list(AuditLog.objects.filter(actor="Nita Kulkarni").values_list("action", flat=True))
    assert {Action.USER_ADDED, Action.USER_EMAIL_CONFIRMED, Action.USER_SIGNED_IN} <= set(actions)


def test_where_the_person_was_going_is_kept_through_all_steps(cedar_site: Client, cedar: Hospital) -> None:
    wanted = "/departments/%3Fpage%3D2"
    answer = ask(cedar_site, wanted=wanted)
    assert answer["Location"] == "/sign-up/code/?next=%2Fdepartments%2F%3Fpage%3D2"
    page = cedar_site.get(answer["Location"]).content.decode()
    assert "/sign-up/code/again/?next=%2Fdepartments%2F%3Fpage%3D2" in page
    done = cedar_site.post(answer["Location"], {"code": code_for(NITA, cedar)})
    assert done["Location"] == "/departments/?page=2"


def test_next_leads_nowhere_else(portal: Client) -> None:
    assert ask(portal, wanted="https%3A%2F%2Fevil.example")["Location"] == CODE


def test_what_was_typed_stays_when_something_is_missing(portal: Client) -> None:
    page = ask(portal, email="", first_name="Nita <b>")
    assert page.status_code == 422
    assert b"Nita &lt;b&gt;" in page.content
    assert PASSWORD.encode() not in page.content


def test_a_weak_password_is_refused_at_its_field(portal: Client) -> None:
    page = ask(portal, password="nita-kulkarni")
    assert page.status_code == 422
    assert "password" in page.context["form"].errors
    assert not User.objects.filter(email=NITA).exists()


# --- nobody learns who has an account --------------------------------------------------------------------------------


def test_a_known_address_looks_the_same_and_its_owner_is_told(portal: Client, asha: User) -> None:
    other = browser("localhost")
    known, new = ask(portal, email=asha.email), ask(other)
    assert known["Location"] == new["Location"]
    pages = [client.get(CODE).content.decode() for client in (portal, other)]
    assert pages[0].replace(asha.email, NITA).count("Type the code") == pages[1].count("Type the code") == 1
    letter = sent("already_registered", to=asha.email)[0]
    assert "http://localhost/sign-in/" in letter.text
    assert sent("code", to=asha.email) == []


def test_a_known_person_is_not_changed_by_it(portal: Client, asha: User) -> None:
    ask(portal, email=asha.email, password="another-horse-8")
    asha.refresh_from_db()
    assert (str(asha), asha.check_password(PASSWORD)) == ("Asha Patel", True)


def test_a_wrong_code_says_the_same_for_a_known_and_a_new_address(portal: Client, asha: User) -> None:
    other = browser("localhost")
    ask(portal, email=asha.email)
    ask(other)
    for _ in range(6):
        known = portal.post(CODE, {"code": "000000"})
        new = other.post(CODE, {"code": wrong(code_for(NITA))})
        assert known.status_code == new.status_code == 422
        assert str(known.context["form"].errors) == str(new.context["form"].errors)


def test_asking_again_says_the_same_for_a_known_and_a_new_address(portal: Client, asha: User) -> None:
    other = browser("localhost")
    ask(portal, email=asha.email)
    ask(other)
    for expected in (302, 302, 302, 429):
        known, new = portal.post("/sign-up/code/again/"), other.post("/sign-up/code/again/")
        assert known.status_code == new.status_code == expected


def test_an_account_that_was_closed_is_told_like_any_other(portal: Client, asha: User) -> None:
    User.objects.filter(pk=asha.pk).update(is_active=False)
    assert ask(portal, email=asha.email)["Location"] == CODE
    assert sent("code", to=asha.email) == []


# --- whoever registered first with somebody's address gains nothing ---------------------------------------------------


def test_the_reader_of_the_mail_gets_the_account_not_who_registered_it_first(portal: Client) -> None:
    thief, owner = portal, browser("localhost")
    ask(thief, password="thiefs-horse-8", first_name="Thief")
    ask(owner)
    assert owner.post(CODE, {"code": code_for(NITA)})["Location"] == "/start/"
    person = User.objects.get(email=NITA)
    assert (person.first_name, person.check_password("thiefs-horse-8")) == ("Nita", False)


def test_the_first_ones_session_is_worth_nothing_after_the_second_registration(portal: Client) -> None:
    thief, owner = portal, browser("localhost")
    ask(thief, password="thiefs-horse-8")
    ask(owner)
    answer = thief.post(CODE, {"code": code_for(NITA)})
    assert answer.status_code == 401
    assert b"This sign-in took too long. Start again." in answer.content
    assert not is_in(thief)


def test_a_code_does_not_open_the_account_for_a_password_set_by_somebody_else_in_between(portal: Client) -> None:
    owner, thief = portal, browser("localhost")
    ask(owner)
    ask(thief, password="thiefs-horse-8")
    assert owner.post(CODE, {"code": code_for(NITA)}).status_code == 401
    assert User.objects.get(email=NITA).email_verified_at is None


def test_a_sign_in_by_code_takes_away_a_password_that_was_chosen_before_the_address_was_confirmed(
    portal: Client,
) -> None:
    ask(portal, password="thiefs-horse-8")
    owner = browser("localhost")
    owner.post("/sign-in/code/", {"email": NITA})
    assert owner.post("/sign-in/code/enter/", {"code": code_for(NITA)})["Location"] == "/start/"
    person = User.objects.get(email=NITA)
    assert person.email_verified_at
    assert not person.has_usable_password()


def test_an_unconfirmed_account_is_not_signed_in_by_its_password_alone(portal: Client) -> None:
    ask(portal)
    later = browser("localhost")
    answer = later.post("/sign-in/", {"email": NITA, "password": PASSWORD})
    assert answer["Location"] == CODE
    assert not is_in(later)
    assert later.post(CODE, {"code": code_for(NITA)})["Location"] == "/start/"


# --- the code --------------------------------------------------------------------------------------------------------


def test_after_five_wrong_codes_the_right_one_is_wrong_too(portal: Client) -> None:
    ask(portal)
    code = code_for(NITA)
    for _ in range(5):
        portal.post(CODE, {"code": wrong(code)})
    assert portal.post(CODE, {"code": code}).status_code == 422
    assert not is_in(portal)


def test_a_new_code_takes_the_place_of_the_old_one(portal: Client) -> None:
    ask(portal)
    old = code_for(NITA)
    answer = portal.post("/sign-up/code/again/", follow=True)
    assert b"A new code is on its way." in answer.content
    if old != code_for(NITA):
        assert portal.post(CODE, {"code": old}).status_code == 422
    assert portal.post(CODE, {"code": code_for(NITA)})["Location"] == "/start/"


def test_asking_for_codes_too_often_says_how_long_to_wait_on_the_same_page(portal: Client) -> None:
    ask(portal)
    for _ in range(3):
        portal.post("/sign-up/code/again/")
    answer = portal.post("/sign-up/code/again/?next=/hospitals/")
    assert (answer.status_code, bool(answer["Retry-After"])) == (429, True)
    assert b"Too many tries. Wait 60 minutes" in answer.content
    assert b'action="/sign-up/code/?next=%2Fhospitals%2F"' in answer.content
    assert portal.post(CODE, {"code": code_for(NITA)})["Location"] == "/start/"


@pytest.mark.parametrize("path", [CODE, "/sign-in/code/enter/"])
def test_without_the_first_step_the_page_says_to_start_again(portal: Client, path: str) -> None:
    answer = portal.get(path)
    assert answer.status_code == 401
    assert b"Start again." in answer.content
    assert b'href="/sign-in/"' in answer.content


def test_the_field_offers_the_code_from_the_telephone(portal: Client) -> None:
    ask(portal)
    page = portal.get(CODE).content.decode()
    assert 'autocomplete="one-time-code"' in page
    assert 'inputmode="numeric"' in page
