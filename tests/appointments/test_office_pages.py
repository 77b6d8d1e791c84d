"""The office's list of all visits, one visit with its history, moving it, and the file."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import day
from audit.models import Action, AuditLog
from core.schemas import schema_context
from core.visits import VisitKind
from hospitals.models import Department, Doctor
from tenants.models import Hospital
from tests import factories
from tests.accounts import supporting
from tests.appointments.today import arrived, as_it_is, booked, person, staff
from tests.conftest import browser
from tests.factories import at

LIST = "/office/appointments/"


def address(visit: Appointment, step: str = "") -> str:
    return f"{LIST}{visit.code}/{step}"


def listed(client: Client, **asked: str) -> list[str]:
    return [row.visit.patient.name.split()[0] for row in client.get(LIST, asked).context["listed"]]


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("hospital_admin", 200),
        ("front_desk", 200),
        ("nurse", 200),
        ("billing_clerk", 200),
        ("doctor", 403),
        ("pharmacist", 403),
        ("content_manager", 403),
    ],
)
def test_the_list_is_for_those_who_see_all_visits(in_cedar: Hospital, role: str, status: int) -> None:
    assert staff(in_cedar, role).get(LIST).status_code == status


def test_strangers_patients_and_visitors_see_no_visits(
    in_cedar: Hospital, rao: Doctor, asha: User, kiran: User
) -> None:
    visit = factories.visit(in_cedar, rao, asha)
    for user, status in ((kiran, 403), (asha, 403), (None, 302)):
        client = browser("cedar.localhost", user)
        answers = [client.get(LIST), client.get(address(visit)), client.get(address(visit, "move/"))]
        assert [answer.status_code for answer in answers] == [status] * 3
    assert browser("lotus.localhost", kiran).get(address(visit)).status_code == 404


def test_the_list_begins_with_today_and_the_tabs_show_the_rest(in_cedar: Hospital, rao: Doctor) -> None:
    today = booked(in_cedar, rao, person("Asha"), "09:00")
    Appointment.objects.filter(pk=today.pk).update(starts_at=now(), ends_at=now() + timedelta(minutes=30))
    factories.visit(in_cedar, rao, person("Bela"), days=3)
    old = booked(in_cedar, rao, person("Chand"), "11:00")
    long_ago = at(in_cedar, "11:00", days=-3)
    Appointment.objects.filter(pk=old.pk).update(starts_at=long_ago, ends_at=long_ago + (old.ends_at - old.starts_at))
    desk = staff(in_cedar, "front_desk")
    assert listed(desk) == ["Asha", "Bela"]
    assert listed(desk, when="past") == ["Chand"]
    assert listed(desk, when="not-closed") == ["Chand"]
    assert listed(desk, when="all") == ["Chand", "Asha", "Bela"]


def test_the_list_is_narrowed_by_all_that_is_known_of_a_visit(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    department = Department.objects.create(name="Heart", slug="heart")
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika", department=department)
    asha = factories.visit(in_cedar, rao, person("Asha"))
    factories.visit(in_cedar, sen, person("Bela"), days=3, source="desk")
    gone = factories.visit(in_cedar, rao, person("Chand"), days=5)
    day.cancel(hospital=in_cedar, visit=gone, by=hari, reason="", now=now(), by_hospital=True)
    desk = staff(in_cedar, "front_desk")
    in_three_days = at(in_cedar, "10:00", days=3).date().isoformat()
    narrowed = {
        "Asha": [{"q": "asha"}, {"q": asha.reference}, {"q": str(asha.patient), "status": "confirmed"}],
        "Bela": [
            {"doctor": str(sen.code)},
            {"department": str(department.code)},
            {"source": "desk"},
            {"first": in_three_days, "last": in_three_days},
        ],
        "Chand": [{"status": "cancelled"}],
    }
    for name, questions in narrowed.items():
        for asked in questions:
            assert listed(desk, **asked) == [name], asked
    assert listed(desk, kind="video") == []
    assert len(listed(desk, kind=VisitKind.IN_PERSON)) == 3


def test_the_list_is_sorted_as_asked(in_cedar: Hospital, rao: Doctor) -> None:
    for clock, name in (("10:00", "Chand"), ("11:00", "Asha"), ("12:00", "Bela")):
        factories.visit(in_cedar, rao, person(name), clock)
    desk = staff(in_cedar, "front_desk")
    assert listed(desk) == ["Chand", "Asha", "Bela"]
    assert listed(desk, sort="patient") == ["Asha", "Bela", "Chand"]
    assert listed(desk, sort="-time") == ["Bela", "Asha", "Chand"]
    assert listed(desk, sort="; DROP") == ["Chand", "Asha", "Bela"]


def test_filters_that_make_no_sense_are_told_and_break_nothing(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    factories.visit(in_cedar, rao, asha)
    desk = staff(in_cedar, "front_desk")
    page = desk.get(LIST, {"first": "soon", "doctor": "nobody", "status": "lost", "page": "99"})
    assert page.status_code == 422
    assert "Enter a valid date" in page.content.decode()
    assert [row.visit.patient.name for row in page.context["listed"]] == ["Asha Patel"]


def test_an_empty_list_says_what_to_do(in_cedar: Hospital) -> None:
    desk = staff(in_cedar, "front_desk")
    assert "Visits appear as soon as patients book them." in desk.get(LIST).content.decode()
    assert "No visit matches these filters" in desk.get(LIST, {"q": "zzz"}).content.decode()
    assert "Every visit of the past is closed" in desk.get(LIST, {"when": "not-closed"}).content.decode()


def test_the_list_asks_the_same_number_of_queries_on_a_full_page(
    in_cedar: Hospital, rao: Doctor, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        factories.visit(in_cedar, rao, person("Asha"), f"{9 + number // 2:02}:{number % 2 * 2}0")
    desk = staff(in_cedar, "hospital_admin")
    desk.get(LIST)
    # session, person, staff row; how many, the page, doctors, departments, those not closed
    with django_assert_max_num_queries(10):
        response = desk.get(LIST)
    assert len(response.context["listed"]) == 10


def test_a_visit_shows_who_when_what_it_costs_and_what_happened(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    visit = arrived(in_cedar, rao, asha, reason="Cough")
    page = staff(in_cedar, "front_desk").get(address(visit)).content.decode()
    for words in ("Asha Patel", visit.reference, "₹700", "Not paid", "Visit confirmed", "Checked in", "Cough"):
        assert words in page


def test_the_billing_clerk_reads_no_reason_and_finds_no_button(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit = booked(in_cedar, rao, asha, reason="Cough")
    response = staff(in_cedar, "billing_clerk").get(address(visit))
    assert "Cough" not in response.content.decode()
    assert (response.context["buttons"], response.context["may_cancel"], response.context["may_move"]) == (
        [],
        False,
        False,
    )


def test_a_doctor_opens_their_own_visit_and_moves_it(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit = factories.visit(in_cedar, rao, asha)
    client = browser("cedar.localhost", rao.user)
    assert client.get(address(visit)).status_code == 200
    client.post(address(visit, "move/"), {"starts_at": at(in_cedar, "11:00").isoformat()})
    assert as_it_is(in_cedar, visit).status == Status.RESCHEDULED


def test_a_visit_is_moved_to_another_doctor_and_both_pages_say_so(
    in_cedar: Hospital, rao: Doctor, hari: User, asha: User
) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    visit = factories.visit(in_cedar, rao, asha)
    desk = staff(in_cedar, "front_desk")
    url = address(visit, f"move/?doctor={sen.code}")
    assert "10:00" in desk.get(url).content.decode()
    answer = desk.post(url, {"starts_at": at(in_cedar, "10:00", days=2).isoformat(), "reason": "On leave"})
    with schema_context(in_cedar.schema_name):
        moved = Appointment.objects.get(rescheduled_from=visit)
    assert moved.doctor_id == sen.pk
    assert answer.headers["Location"] == address(moved)
    assert "This visit was moved" in desk.get(address(visit)).content.decode()
    assert "Moved from" in desk.get(address(moved)).content.decode()


def test_moving_to_a_taken_time_is_refused_with_the_next_one(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit = factories.visit(in_cedar, rao, asha)
    factories.visit(in_cedar, rao, person("Bela"), "11:00")
    answer = staff(in_cedar, "front_desk").post(
        address(visit, "move/"), {"starts_at": at(in_cedar, "11:00").isoformat()}
    )
    assert answer.status_code == 422
    assert "11:00 has just been taken." in answer.content.decode()
    assert as_it_is(in_cedar, visit).status == Status.CONFIRMED


def test_a_nurse_moves_nothing(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit = factories.visit(in_cedar, rao, asha)
    assert staff(in_cedar, "nurse").get(address(visit, "move/")).status_code == 403


def test_the_page_of_a_visit_asks_the_same_number_of_queries(
    in_cedar: Hospital, rao: Doctor, asha: User, django_assert_max_num_queries: Any
) -> None:
    visit = arrived(in_cedar, rao, asha)
    with schema_context(in_cedar.schema_name):
        for _ in range(5):
            day.undo(visit=visit, by=asha)
            day.check_in(hospital=in_cedar, visit=visit, by=asha, now=now())
    desk = staff(in_cedar, "front_desk")
    desk.get(address(visit))
    with django_assert_max_num_queries(8):  # session, person, staff row; visit, the one it became, history
        desk.get(address(visit))


def file_of(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.post(f"{LIST}csv/{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_the_file_holds_what_the_list_shows_and_no_reason(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit = factories.visit(in_cedar, rao, asha, reason="Canary cough")
    factories.visit(in_cedar, rao, person("Bela"), "11:00")
    admin = staff(in_cedar, "hospital_admin")
    rows = file_of(admin, "?q=asha")
    assert [row["Reference"] for row in rows] == [visit.reference]
    assert (rows[0]["Starts"], rows[0]["Status"], rows[0]["Fee"]) == ("10:00", "Confirmed", "700.00")
    assert "Canary" not in str(rows)
    assert len(file_of(admin)) == 2


def test_a_name_is_never_a_formula_in_the_file(in_cedar: Hospital, rao: Doctor) -> None:
    factories.visit(in_cedar, rao, person("=HYPERLINK(1)"))
    [row] = file_of(staff(in_cedar, "hospital_admin"))
    assert row["Patient"].startswith("'=")


def test_taking_the_file_stands_in_the_log_without_what_was_looked_for(
    in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    factories.visit(in_cedar, rao, asha)
    file_of(staff(in_cedar, "hospital_admin"), "?q=asha&status=confirmed")
    with schema_context(in_cedar.schema_name):
        row = AuditLog.objects.get(action=Action.VISITS_EXPORTED)
    assert row.data == {"visits": 1, "narrowed_by": "q, status"}


@pytest.mark.parametrize(
    ("role", "status"), [("hospital_admin", 200), ("front_desk", 403), ("nurse", 403), ("billing_clerk", 403)]
)
def test_the_file_is_for_the_admin(in_cedar: Hospital, role: str, status: int) -> None:
    assert staff(in_cedar, role).post(f"{LIST}csv/").status_code == status


def test_a_file_of_many_visits_is_whole_and_in_order(
    in_cedar: Hospital, rao: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appointments.services.exporting._AT_ONCE", 2)
    rao.availability.update(capacity=3)
    for number in range(7):
        factories.visit(in_cedar, rao, person("Asha"), f"{10 + number // 3}:00")
    rows = file_of(staff(in_cedar, "hospital_admin"))
    assert len({row["Reference"] for row in rows}) == 7
    assert [row["Starts"] for row in rows] == sorted(row["Starts"] for row in rows)


def test_support_sees_no_visit_and_no_queue(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User, portal_usha: Client
) -> None:
    visit = factories.visit(in_cedar, rao, asha)
    acting = supporting.arrived(supporting.ask(portal_usha, in_cedar, hari))
    for path in (
        LIST,
        address(visit),
        address(visit, "move/"),
        "/office/desk/",
        "/office/desk/walk-in/",
        "/office/desk/book/",
    ):
        assert acting.get(path).status_code == 403
    for path in (f"{LIST}csv/", f"{LIST}bulk/", f"/office/visits/{visit.code}/cancel/"):
        assert acting.post(path).status_code == 403
    assert as_it_is(in_cedar, visit).status == Status.CONFIRMED
