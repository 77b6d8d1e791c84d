"""Changing what somebody is in the office: another role, deactivated, active again."""

from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from core.schemas import schema_context
from hospitals.models import Doctor, Staff
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.hospitals.staff import INDEX, address, as_it_is, letters


def test_a_role_is_changed_and_told_by_mail(cedar_hari: Client, meena: Staff, cedar: Hospital) -> None:
    response = cedar_hari.post(address(meena, "role/"), {"role": "billing_clerk"}, follow=True)
    assert "Meena Shah is now: Billing clerk." in response.content.decode()
    [letter] = letters(cedar, "staff_role_changed")
    assert (letter.to_address, "You are now: Billing clerk." in letter.text) == ("meena@cedar.example", True)


def test_a_new_role_counts_on_the_very_next_request(cedar_hari: Client, meena: Staff) -> None:
    hers = browser("cedar.localhost", meena.user)
    assert hers.get("/office/departments/").status_code == 403
    cedar_hari.post(address(meena, "role/"), {"role": "content_manager"})
    assert hers.get("/office/departments/").status_code == 200
    cedar_hari.post(address(meena, "role/"), {"role": "nurse"})
    assert hers.get("/office/departments/").status_code == 403


def test_nobody_becomes_a_doctor_without_checked_documents(cedar_hari: Client, meena: Staff, cedar: Hospital) -> None:
    response = cedar_hari.post(address(meena, "role/"), {"role": "doctor"})
    assert response.status_code == 422
    assert "Choose one of the roles." in response.content.decode()
    assert as_it_is(meena, cedar).role == "front_desk"


def test_a_verified_doctor_may_be_something_else_and_a_doctor_again(
    cedar_hari: Client, rao: Staff, cedar: Hospital
) -> None:
    cedar_hari.post(address(rao, "role/"), {"role": "nurse"})
    with schema_context(cedar.schema_name):
        assert Doctor.objects.get(user=rao.user).is_verified
    assert as_it_is(rao, cedar).role == "nurse"
    assert "Verified doctor" in cedar_hari.get(address(rao)).content.decode()
    cedar_hari.post(address(rao, "role/"), {"role": "doctor"})
    assert as_it_is(rao, cedar).role == "doctor"


@pytest.mark.parametrize(("step", "fields"), [("role/", {"role": "nurse"}), ("deactivate/", {})])
def test_the_only_admin_stays(
    cedar_hari: Client, hari: User, in_cedar: Hospital, meena: Staff, step: str, fields: dict[str, str]
) -> None:
    own = Staff.objects.get(user=hari)
    response = cedar_hari.post(address(own, step), fields)
    assert response.status_code == 422
    assert "Hari Rao is the only admin here. Appoint another admin first." in response.content.decode()
    assert as_it_is(own, in_cedar).state == "active"
    page = cedar_hari.get(address(own)).content.decode()
    assert "Somebody has to run the hospital." in page
    assert "Change role" not in page
    assert "Deactivate" not in page


def test_an_invited_or_closed_admin_does_not_count_as_another(
    cedar_hari: Client, hari: User, in_cedar: Hospital, second_admin: Staff
) -> None:
    own = Staff.objects.get(user=hari)
    Staff.objects.filter(pk=second_admin.pk).update(joined_at=None)
    assert cedar_hari.post(address(own, "deactivate/")).status_code == 422
    with schema_context(in_cedar.schema_name):
        Staff.objects.filter(pk=second_admin.pk).update(joined_at=now())
        User.objects.filter(pk=second_admin.user_id).update(is_active=False)
    assert cedar_hari.post(address(own, "role/"), {"role": "nurse"}).status_code == 422


def test_an_admin_who_steps_down_goes_on_with_what_is_left(
    cedar_hari: Client, hari: User, in_cedar: Hospital, second_admin: Staff
) -> None:
    own = Staff.objects.get(user=hari)
    assert "Change your own role?" in cedar_hari.get(address(own)).content.decode()
    assert cedar_hari.post(address(own, "role/"), {"role": "nurse"})["Location"] == "/start/"
    assert cedar_hari.get(INDEX).status_code == 403


def test_an_admin_who_leaves_is_out_at_once(
    cedar_hari: Client, hari: User, in_cedar: Hospital, second_admin: Staff
) -> None:
    own = Staff.objects.get(user=hari)
    assert cedar_hari.post(address(own, "deactivate/"))["Location"] == "/"
    assert cedar_hari.get(INDEX)["Location"] == f"/sign-in/?next={INDEX}"


def test_a_deactivated_colleague_is_told_and_the_reason_stays_in_the_log(
    cedar_hari: Client, meena: Staff, cedar: Hospital
) -> None:
    response = cedar_hari.post(address(meena, "deactivate/"), {"reason": "Left in March"}, follow=True)
    page = response.content.decode()
    assert "Meena Shah is deactivated, and signed out of this hospital." in page
    assert "Left in March" in page
    [letter] = letters(cedar, "staff_deactivated")
    assert "Your access to Cedar Hospital has ended" in letter.text
    assert "Left in March" not in letter.text
    assert "Activate again" in page


def test_a_reason_that_is_too_long_stays_in_its_box(cedar_hari: Client, meena: Staff, cedar: Hospital) -> None:
    response = cedar_hari.post(address(meena, "deactivate/"), {"reason": "because " * 100})
    assert response.status_code == 422
    assert "Keep the reason under 500 characters." in response.content.decode()
    assert "because because" in response.content.decode()
    assert as_it_is(meena, cedar).is_active


def test_deactivating_ends_the_open_session_here_on_the_very_next_request(cedar_hari: Client, meena: Staff) -> None:
    hers, on_the_portal = browser("cedar.localhost", meena.user), browser("localhost", meena.user)
    assert hers.get("/start/", follow=True).status_code == 200
    cedar_hari.post(address(meena, "deactivate/"))
    assert hers.get("/start/")["Location"] == "/sign-in/?next=/start/"
    assert on_the_portal.get("/").wsgi_request.user == meena.user


def test_deactivating_ends_the_tokens_of_this_hospital_on_the_very_next_request(
    cedar_hari: Client, second_admin: Staff, cedar: Hospital, lotus: Hospital
) -> None:
    def tokens(host: str) -> dict[str, str]:
        fields = {"email": "bina@cedar.example", "password": factories.PASSWORD}
        answer = Client(HTTP_HOST=host).post("/api/auth/login/", fields, content_type="application/json")
        return dict(answer.json())

    here, portal = tokens("cedar.localhost"), tokens("localhost")
    bearer = {"Authorization": f"Bearer {here['access']}"}
    client = Client(HTTP_HOST="cedar.localhost")
    assert client.get("/api/staff/", headers=bearer).status_code == 200
    cedar_hari.post(address(second_admin, "deactivate/"))
    assert client.get("/api/staff/", headers=bearer).status_code == 401
    refresh: Any = {"content_type": "application/json"}
    assert client.post("/api/auth/refresh/", {"refresh": here["refresh"]}, **refresh).status_code == 401
    elsewhere = Client(HTTP_HOST="localhost")
    assert elsewhere.post("/api/auth/refresh/", {"refresh": portal["refresh"]}, **refresh).status_code == 200


def test_who_was_deactivated_may_sign_in_as_a_patient_without_any_power(cedar_hari: Client, meena: Staff) -> None:
    cedar_hari.post(address(meena, "deactivate/"))
    again = browser("cedar.localhost", meena.user)
    assert again.get("/start/")["Location"] == "/"
    assert again.get(INDEX).status_code == 403


def test_activating_gives_the_role_back(cedar_hari: Client, meena: Staff, cedar: Hospital) -> None:
    cedar_hari.post(address(meena, "deactivate/"))
    response = cedar_hari.post(address(meena, "activate/"), follow=True)
    assert "Meena Shah can work here again." in response.content.decode()
    assert browser("cedar.localhost", meena.user).get("/start/", follow=True).status_code == 200
    assert [letter.to_address for letter in letters(cedar, "staff_activated")] == ["meena@cedar.example"]


def test_a_step_that_somebody_else_took_first_is_refused_with_how_it_stands(cedar_hari: Client, meena: Staff) -> None:
    cedar_hari.post(address(meena, "deactivate/"))
    response = cedar_hari.post(address(meena, "deactivate/"))
    assert response.status_code == 422
    assert "Meena Shah is deactivated already." in response.content.decode()
    cedar_hari.post(address(meena, "activate/"))
    assert "Meena Shah is active already." in cedar_hari.post(address(meena, "activate/")).content.decode()
