"""Cancelling and moving many visits: each is done or says why not, and none is lost."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import bulk
from core.errors import Invalid
from core.schemas import schema_context
from hospitals.models import Doctor
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.appointments.today import arrived, as_it_is, booked, called, person, staff
from tests.factories import at

BULK = "/office/appointments/bulk/"


@pytest.fixture
def admin(in_cedar: Hospital) -> Client:
    """Somebody who runs Cedar."""
    return staff(in_cedar, "hospital_admin")


def do(client: Client, act: str, *visits: Appointment, query: str = "", **fields: str) -> Any:
    sent = {"act": act, "sure": "1", "reason": "Ill", "visit": [str(visit.code) for visit in visits], **fields}
    return client.post(f"{BULK}{query}", sent)


def test_ticked_visits_are_cancelled_after_a_question(in_cedar: Hospital, rao: Doctor, admin: Client) -> None:
    one, other = (factories.visit(in_cedar, rao, person("Asha"), clock) for clock in ("10:00", "11:00"))
    asked = admin.post(BULK, {"act": "cancel", "visit": [str(one.code)]})
    assert asked.status_code == 200
    assert "Cancel 1 visit" in asked.content.decode()
    assert as_it_is(in_cedar, one).status == Status.CONFIRMED
    done = do(admin, "cancel", one)
    assert "1 visit was cancelled." in done.content.decode()
    assert [as_it_is(in_cedar, visit).status for visit in (one, other)] == [Status.CANCELLED, Status.CONFIRMED]
    fresh = as_it_is(in_cedar, one)
    assert (fresh.cancelled_by_hospital, int(fresh.kept_fee)) == (True, 0)


def test_a_reason_is_needed_and_what_was_ticked_is_kept(in_cedar: Hospital, rao: Doctor, admin: Client) -> None:
    visit = factories.visit(in_cedar, rao, person("Asha"))
    answer = do(admin, "cancel", visit, reason="")
    assert answer.status_code == 422
    assert f'value="{visit.code}"' in answer.content.decode()
    assert as_it_is(in_cedar, visit).status == Status.CONFIRMED


def test_all_that_match_are_those_that_the_question_showed(in_cedar: Hospital, rao: Doctor, admin: Client) -> None:
    matching = [factories.visit(in_cedar, rao, person("Asha"), f"{10 + number}:00") for number in range(3)]
    other = factories.visit(in_cedar, rao, person("Bela"), "15:00")
    asked = admin.post(f"{BULK}?q=asha", {"act": "cancel", "everything": "1"})
    assert [visit.pk for visit in asked.context["visits"]] == [visit.pk for visit in matching]
    late = factories_visit(in_cedar, rao, "Asha", "16:00")
    do(admin, "cancel", *asked.context["visits"], query="?q=asha")
    statuses = [as_it_is(in_cedar, visit).status for visit in (*matching, other, late)]
    assert statuses == [Status.CANCELLED] * 3 + [Status.CONFIRMED] * 2


def factories_visit(hospital: Hospital, doctor: Doctor, name: str, clock: str) -> Appointment:
    with schema_context(hospital.schema_name):
        return factories.visit(hospital, doctor, person(name), clock)


def test_who_has_arrived_is_cancelled_too_and_who_is_inside_is_not(
    in_cedar: Hospital, rao: Doctor, admin: Client
) -> None:
    here = arrived(in_cedar, rao, person("Asha"), "10:00")
    inside = called(in_cedar, rao, person("Bela"), "11:00")
    answer = do(admin, "cancel", here, inside)
    assert [outcome.visit for outcome in answer.context["done"]] == [here]
    [refused] = answer.context["refused"]
    assert "Called to the doctor by" in refused.refusal
    assert as_it_is(in_cedar, inside).status == Status.IN_PROGRESS


def test_visits_move_to_another_doctor_at_the_same_time_where_it_is_free(
    in_cedar: Hospital, rao: Doctor, hari: User, admin: Client
) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    factories.visit(in_cedar, sen, person("Zara"), "11:00")
    visits = [factories.visit(in_cedar, rao, person("Asha"), clock) for clock in ("10:00", "11:00")]
    answer = do(admin, "move", *visits, doctor=str(sen.code))
    moved = [outcome.moved_to for outcome in answer.context["done"]]
    assert [(visit.doctor, visit.starts_at) for visit in moved] == [
        (sen, at(in_cedar, "10:00")),
        (sen, at(in_cedar, "11:20")),
    ]
    assert "2 visits were moved." in answer.content.decode()


def test_visits_move_to_another_day_and_stay_in_their_order(in_cedar: Hospital, rao: Doctor, admin: Client) -> None:
    factories.visit(in_cedar, rao, person("Zara"), "10:00", days=2)
    visits = [factories.visit(in_cedar, rao, person("Asha"), clock) for clock in ("10:00", "10:20")]
    answer = do(admin, "move", *reversed(visits), on=at(in_cedar, "10:00", days=2).date().isoformat())
    moved = [outcome.moved_to.starts_at for outcome in answer.context["done"]]
    assert moved == [at(in_cedar, "10:20", days=2), at(in_cedar, "10:40", days=2)]


def test_what_finds_no_time_stays_as_it_was_and_says_why(in_cedar: Hospital, rao: Doctor, admin: Client) -> None:
    rao.availability.exclude(weekday=at(in_cedar, "10:00").weekday()).delete()
    rao.availability.update(starts="10:00", ends="11:00")
    factories.visit(in_cedar, rao, person("Zara"), "10:40", days=8)
    visits = [factories.visit(in_cedar, rao, person("Asha"), clock) for clock in ("10:00", "10:20", "10:40")]
    answer = do(admin, "move", *visits, on=at(in_cedar, "10:00", days=8).date().isoformat())
    assert [outcome.visit for outcome in answer.context["done"]] == visits[:2]
    [refused] = answer.context["refused"]
    assert (refused.visit, refused.refusal) == (visits[2], "No time is free that day.")
    assert as_it_is(in_cedar, visits[2]).status == Status.CONFIRMED


def test_a_patient_with_a_visit_elsewhere_at_that_time_gets_the_next_one(
    in_cedar: Hospital, rao: Doctor, hari: User, asha: User, admin: Client
) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    visit = factories.visit(in_cedar, rao, asha, "10:00")
    factories.visit(in_cedar, sen, asha, "11:00")
    rao.availability.update(starts="11:00")
    answer = do(admin, "move", visit, on=at(in_cedar, "10:00").date().isoformat())
    [outcome] = answer.context["done"]
    assert outcome.moved_to.starts_at == at(in_cedar, "11:20")


def test_a_move_needs_a_doctor_or_a_day(in_cedar: Hospital, rao: Doctor, asha: User, admin: Client) -> None:
    visit = factories.visit(in_cedar, rao, asha)
    answer = do(admin, "move", visit)
    assert answer.status_code == 422
    assert "Choose another doctor, another day, or both." in answer.content.decode()
    with schema_context(in_cedar.schema_name), pytest.raises(Invalid):
        bulk.move(hospital=in_cedar, visits=[], doctor=None, on=None, by=asha, reason="", now=at(in_cedar, "10:00"))


def test_nothing_ticked_and_too_much_are_told(
    in_cedar: Hospital, rao: Doctor, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LIMIT", 1)
    visits = [factories.visit(in_cedar, rao, person("Asha"), clock) for clock in ("10:00", "11:00")]
    nothing = admin.post(BULK, {"act": "cancel"}, follow=True)
    assert "Tick at least one visit" in nothing.content.decode()
    many = admin.post(f"{BULK}?q=asha", {"act": "cancel", "everything": "1"}, follow=True)
    assert "At most 1 visit can be changed at once." in many.content.decode()
    assert many.redirect_chain == [("/office/appointments/?q=asha", 302)]
    assert [as_it_is(in_cedar, visit).status for visit in visits] == [Status.CONFIRMED] * 2


def test_every_patient_is_told(in_cedar: Hospital, rao: Doctor, admin: Client) -> None:
    visits = [factories.visit(in_cedar, rao, person("Asha"), clock) for clock in ("10:00", "11:00")]
    do(admin, "cancel", *visits)
    with schema_context(in_cedar.schema_name):
        for visit in visits:
            assert visit.patient
            assert Notification.objects.filter(template="visit_cancelled", to_address=visit.patient.email).exists()


@pytest.mark.parametrize("role", ["front_desk", "nurse", "billing_clerk", "doctor", "pharmacist"])
def test_changing_many_is_for_the_admin(in_cedar: Hospital, rao: Doctor, asha: User, role: str) -> None:
    visit = booked(in_cedar, rao, asha)
    assert do(staff(in_cedar, role), "cancel", visit).status_code == 403
    assert as_it_is(in_cedar, visit).status == Status.CONFIRMED


def test_the_visits_of_another_hospital_are_not_among_them(
    in_cedar: Hospital, rao: Doctor, lotus: Hospital, asha: User
) -> None:
    visit = booked(in_cedar, rao, asha)
    answer = staff(lotus, "hospital_admin").post(
        BULK, {"act": "cancel", "sure": "1", "reason": "x", "visit": [visit.code]}
    )
    assert answer.status_code == 302
    assert as_it_is(in_cedar, visit).status == Status.CONFIRMED
