"""Every state a visit can be in, every state it might be brought into, by everybody: what the table says and no more."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from appointments.models import TRANSITIONS, Appointment, Status
from audit import services as audit
from audit.models import Action
from core import schemas
from core.schemas import schema_context
from core.visits import VisitKind
from hospitals.models import Doctor, Staff
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser, forget

WHO = ["patient", "doctor", "nurse", "front_desk", "hospital_admin"]
# From, to, and whether each of WHO may. Nobody else may do anything.
TABLE = """
pending      confirmed    -  doctor  -      front_desk  hospital_admin
pending      cancelled    patient  doctor  -      front_desk  hospital_admin
pending      rescheduled  patient  doctor  -      front_desk  hospital_admin
pending      no_show      -  doctor  nurse  front_desk  hospital_admin
confirmed    checked_in   patient  doctor  nurse  front_desk  hospital_admin
confirmed    in_progress  -  doctor  nurse  front_desk  hospital_admin
confirmed    cancelled    patient  doctor  -      front_desk  hospital_admin
confirmed    rescheduled  patient  doctor  -      front_desk  hospital_admin
confirmed    no_show      -  doctor  nurse  front_desk  hospital_admin
checked_in   confirmed    -  doctor  nurse  front_desk  hospital_admin
checked_in   in_progress  -  doctor  nurse  front_desk  hospital_admin
checked_in   cancelled    -  doctor  -      front_desk  hospital_admin
checked_in   no_show      -  doctor  nurse  front_desk  hospital_admin
in_progress  checked_in   -  doctor  nurse  front_desk  hospital_admin
in_progress  completed    -  doctor  -      -           hospital_admin
"""
MAY = {(row[0], row[1]): {who for who in row[2:] if who != "-"} for row in map(str.split, TABLE.strip().splitlines())}
# Those who may do nothing with this visit, or do not even see it.
OTHERS = ["other_patient", "other_doctor", "billing_clerk", "pharmacist", "content_manager", "stranger", "visitor"]
PATH = "/api/appointments/"


@pytest.fixture
def noon(in_cedar: Hospital) -> Hospital:
    """Cedar, where the clocks show about noon: a visit of now is a visit of today."""
    shift = 12 - datetime.now(UTC).hour
    zone = "Etc/GMT" if shift == 0 else f"Etc/GMT{-shift:+d}"  # the names of these zones have the sign reversed
    Hospital.objects.filter(pk=in_cedar.pk).update(time_zone=zone)
    forget()
    return Hospital.objects.get(pk=in_cedar.pk)


@pytest.fixture
def rao(noon: Hospital, hari: User) -> Doctor:
    """Dr Rao of Cedar."""
    return factories.bookable_doctor(noon, hari)


@pytest.fixture
def callers(noon: Hospital, rao: Doctor, asha: User, hari: User, kiran: User) -> dict[str, Client]:
    """Everybody, with a browser at Cedar."""
    sen = factories.bookable_doctor(noon, hari, "sen@cedar.example", "Anika")
    people = {"patient": asha, "doctor": rao.user, "hospital_admin": hari, "other_doctor": sen.user, "stranger": kiran}
    people["other_patient"] = factories.person("nita@example.com", "Nita")
    factories.patient(people["other_patient"])
    for role in ("nurse", "front_desk", "billing_clerk", "pharmacist", "content_manager"):
        people[role] = factories.person(f"{role}@cedar.example", role)
        Staff.objects.create(user=people[role], role=role, joined_at=now())
    return {"visitor": browser("cedar.localhost")} | {
        name: browser("cedar.localhost", user) for name, user in people.items()
    }


def in_state(doctor: Doctor, user: User, status: str, *, has_begun: bool) -> Appointment:
    """A visit of this moment that stands there, written with its audit row."""
    moment = now() + timedelta(minutes=-5 if has_begun else 10)
    row = Appointment(
        doctor=doctor,
        patient=factories.patient(user),
        kind=VisitKind.IN_PERSON,
        status=status,
        starts_at=moment,
        ends_at=moment + timedelta(minutes=20),
        fee=700,
        holder=user.code,
        held_until=moment,
    )
    row.save(force_insert=True)
    audit.record(action=Action(f"appointment.{status}"), target=row, by=user, new=status)
    return row


def ask(client: Client, code: UUID, to: str, hospital: Hospital) -> int:
    """What the door answers that brings a visit into a state."""
    kind: Any = {"content_type": "application/json"}
    if to == Status.RESCHEDULED:
        tomorrow = factories.at(hospital, "10:00").isoformat()
        return client.post(f"{PATH}{code}/reschedule/", {"starts_at": tomorrow}, **kind).status_code
    return client.patch(f"{PATH}{code}/update_status/", {"status": to}, **kind).status_code


def test_the_table_has_a_line_for_every_transition_of_a_visit() -> None:
    visits = {state: to for state, to in TRANSITIONS.items() if state != Status.HELD}
    # That nobody pays, or pays late, is what the clock and the gateway tell: nobody brings it about.
    by_itself = {("pending", "expired"), ("expired", "confirmed")}
    assert set(MAY) | by_itself == {(str(state), str(to)) for state, targets in visits.items() for to in targets}


@pytest.mark.parametrize("state", [str(status) for status in Status])
def test_from_this_state(state: str, callers: dict[str, Client], noon: Hospital, rao: Doctor, asha: User) -> None:
    assert set(callers) == {*WHO, *OTHERS}
    # Who did not come is known once the visit has begun; patients cancel and move before.
    rows = {begun: in_state(rao, asha, state, has_begun=begun) for begun in (True, False)}
    wrong = []
    for to in Status:
        visit = rows[to == Status.NO_SHOW]
        for who, client in callers.items():
            mark = transaction.savepoint()
            answer = ask(client, visit.code, to, noon)
            with schema_context(noon.schema_name):
                became = Appointment.objects.get(pk=visit.pk).status
            transaction.savepoint_rollback(mark)
            schemas.enter(noon)  # where the connection looks was rolled back with the rest
            may = who in MAY.get((state, to), set())
            expected = (answer == 200, became) == (may, to if may else state)
            if not expected or answer >= 500:
                wrong.append(f"{state} -> {to} by {who}: {answer}, and it is {became}")
    assert not wrong, "\n".join(wrong)


def test_a_visit_is_not_moved_by_saying_that_it_is(callers: dict[str, Client], rao: Doctor, asha: User) -> None:
    visit = in_state(rao, asha, Status.CONFIRMED, has_begun=False)
    answer = callers["doctor"].patch(
        f"{PATH}{visit.code}/update_status/", {"status": "rescheduled"}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["field"]) == (422, "status")
