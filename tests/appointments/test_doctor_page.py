"""A doctor's page on the hospital's site: who they are, and the times that are really free."""

from typing import Any

from django.conf import settings
from django.test import Client

from accounts.models import User
from appointments.models import Appointment, Schedule
from audit.models import AuditLog
from core.schemas import schema_context
from hospitals.models import Doctor, Staff
from tenants.models import Hospital
from tests.appointments.patients_way import choose, said, value
from tests.conftest import browser
from tests.factories import at, visit


def address(doctor: Doctor, **asked: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"/doctors/{doctor.code}/" + (f"?{query}" if query else "")


def tomorrow(hospital: Hospital) -> str:
    return f"{at(hospital, '10:00'):%Y-%m-%d}"


def test_everybody_sees_who_the_doctor_is_and_what_a_visit_costs(cedar_site: Client, rao: Doctor) -> None:
    Doctor.objects.filter(pk=rao.pk).update(bio="Hearts, gently.", qualifications="MD", languages=["en", "hi"])
    text = said(cedar_site.get(address(rao)))
    for words in ("Vikram Rao", "Cardiology", "Verified", "Hearts, gently.", "MD", "Hindi", "₹700", "₹500"):
        assert words in text


def test_a_free_time_can_be_chosen_and_a_taken_one_not(
    cedar_site: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    visit(cedar, rao, asha, "10:00")
    text = said(cedar_site.get(address(rao, week=tomorrow(cedar))))
    assert value(cedar, "10:20") in text
    assert value(cedar, "10:00") not in text
    assert "23 free" in text


def test_a_day_without_a_free_time_is_full_and_no_link(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    rao.availability.filter(weekday=at(cedar, "10:00", 2).weekday()).delete()
    text = said(cedar_site.get(address(rao, week=tomorrow(cedar))))
    assert "Full" in text
    assert f"week={at(cedar, '10:00', 2):%Y-%m-%d}" not in text


def test_the_first_week_with_a_free_time_is_opened(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    first = at(cedar, "10:00", 16).date()
    rao.availability.update(first_date=first)
    text = said(cedar_site.get(address(rao)))
    assert value(cedar, "09:00", 16) in text


def test_a_week_without_a_free_time_names_the_next_one(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    rao.availability.update(first_date=at(cedar, "10:00", 16).date())
    text = said(cedar_site.get(address(rao, week=tomorrow(cedar))))
    assert "Nothing is free in this week" in text
    assert f"The next free time is {at(cedar, '09:00', 16):%a} {at(cedar, '09:00', 16).day}" in text


def test_weeks_end_with_the_days_that_can_be_booked(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    Schedule.objects.filter(doctor=rao).update(horizon_days=5)
    text = said(cedar_site.get(address(rao, week=f"{at(cedar, '10:00', 90):%Y-%m-%d}")))
    assert "Later week" not in text
    assert "Earlier week" not in text


def test_a_time_that_comes_with_the_link_is_chosen_already(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    text = said(cedar_site.get(address(rao, at=value(cedar, "16:20", 3), kind="video")))
    chosen = text[text.index(f'value="{value(cedar, "16:20", 3)}"') :]
    assert "checked" in chosen[: chosen.index(">")]
    assert "Video, ₹500" in text


def test_a_time_that_comes_with_the_link_and_is_gone_is_said(
    cedar_site: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    visit(cedar, rao, asha, "10:00")
    text = said(cedar_site.get(address(rao, at=value(cedar, "10:00"))))
    assert "10:00 is no longer free. Choose another time." in text


def test_only_times_of_the_kind_that_is_asked_for_are_shown(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    rao.availability.filter(weekday=at(cedar, "10:00").weekday()).update(visit_kinds=["video"])
    day = tomorrow(cedar)
    assert value(cedar, "10:00") not in said(cedar_site.get(address(rao, week=day)))
    assert value(cedar, "10:00") in said(cedar_site.get(address(rao, week=day, kind="video")))


def test_nonsense_in_the_address_is_passed_over(cedar_site: Client, rao: Doctor) -> None:
    response = cedar_site.get(address(rao, week="soon", at="then", kind="dance"))
    assert response.status_code == 200
    assert "In person" in said(response)


def test_htmx_gets_the_times_alone(cedar_site: Client, rao: Doctor) -> None:
    text = said(cedar_site.get(address(rao), headers={"HX-Request": "true"}))
    assert "book-week" in text
    assert "<html" not in text


def test_a_doctor_who_takes_no_bookings_has_no_page(cedar_site: Client, rao: Doctor) -> None:
    Doctor.objects.filter(pk=rao.pk).update(is_available=False)
    assert cedar_site.get(address(rao)).status_code == 404


def test_a_doctor_who_works_here_no_more_has_no_page(cedar_site: Client, rao: Doctor) -> None:
    Staff.objects.filter(user=rao.user).update(is_active=False)
    assert cedar_site.get(address(rao)).status_code == 404


def test_another_hospital_does_not_know_the_doctor(rao: Doctor, lotus: Hospital, kiran: User) -> None:
    assert browser("lotus.localhost", kiran).get(address(rao)).status_code == 404


def test_looking_writes_nothing_and_sets_no_session(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    before = AuditLog.objects.count()
    cedar_site.get(address(rao))
    with schema_context(cedar.schema_name):
        assert (Appointment.objects.count(), AuditLog.objects.count()) == (0, before)
    assert settings.SESSION_COOKIE_NAME not in cedar_site.cookies
    assert "holder" not in cedar_site.cookies


def test_what_one_holds_oneself_can_be_chosen_again_and_what_another_holds_not(
    cedar_site: Client, rao: Doctor, cedar: Hospital
) -> None:
    choose(cedar_site, cedar, rao, "11:00")
    day = tomorrow(cedar)
    assert value(cedar, "11:00") in said(cedar_site.get(address(rao, week=day)))
    assert value(cedar, "11:00") not in said(browser("cedar.localhost").get(address(rao, week=day)))


def test_a_week_takes_at_most_eight_questions_to_the_database(
    cedar_site: Client, rao: Doctor, cedar: Hospital, asha: User, django_assert_max_num_queries: Any
) -> None:
    for hour in range(9, 16):
        visit(cedar, rao, asha, f"{hour:02}:00")
    cedar_site.get(address(rao))
    with django_assert_max_num_queries(8):
        cedar_site.get(address(rao, week=tomorrow(cedar)))
