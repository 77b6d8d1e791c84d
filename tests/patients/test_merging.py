"""Two entries become one, and two again, exactly as they were."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils.timezone import localdate, now

from accounts.models import User
from appointments.models import Appointment, Status, WaitlistEntry
from appointments.services import booking, day
from appointments.services.booking import Booking
from appointments.services.following import follow
from audit import services as audit
from audit.models import Action, AuditLog
from core.errors import Conflict, Invalid, NotAllowedNow
from core.visits import VisitKind
from directory.models import TakenTime
from hospitals.models import Doctor
from patients.models import Merge, Patient
from patients.services import merging, register
from tenants.models import Hospital
from tests import factories

Register = Callable[..., Patient]


@pytest.fixture
def double(at_desk: Register) -> Patient:
    """Ravi once more, as another colleague wrote him down."""
    return at_desk("Ravi Kumaar", phone="+919900112233", address="12 Lake Road", birth_date=None, sex="")


def merge(kept: Patient, gone: Patient, by: User, **wishes: Any) -> Merge:
    done = merging.merge(kept=kept, gone=gone, by=by, now=now(), **wishes)
    kept.refresh_from_db()
    gone.refresh_from_db()
    return done


def unmerge(gone: Patient, by: User) -> None:
    merging.unmerge(gone=gone, by=by, now=now())


def checksum(*models: Any) -> str:
    """Of every column of every row."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"SELECT row_to_json(r)::text FROM {model._meta.db_table} r ORDER BY id")
            for (row,) in cursor.fetchall():
                digest.update(row.encode())
    return digest.hexdigest()


def at_desk_visit(hospital: Hospital, doctor: Doctor, patient: Patient, by: User, clock: str) -> Appointment:
    asked = Booking(patient=patient, source=Appointment.Source.DESK)
    starts_at = factories.at(hospital, clock)
    return booking.book(
        hospital=hospital, doctor=doctor, starts_at=starts_at, kind=VisitKind.IN_PERSON, booking=asked, by=by, now=now()
    )


def wish(doctor: Doctor, patient: Patient) -> WaitlistEntry:
    """A place on the doctor's waitlist."""
    entry = WaitlistEntry.objects.create(
        status="waiting",
        doctor=doctor,
        patient=patient,
        first_date=localdate(),
        last_date=localdate() + timedelta(days=9),
    )
    audit.record(action=Action.WAITLIST_WAITING, target=entry, by=None, new="waiting")
    return entry


def test_one_entry_has_the_visits_of_both(
    in_cedar: Hospital, rao: Doctor, ravi: Patient, double: Patient, hari: User
) -> None:
    first = at_desk_visit(in_cedar, rao, ravi, hari, "10:00")
    second = at_desk_visit(in_cedar, rao, double, hari, "11:00")
    place = wish(rao, double)
    merge(ravi, double, hari)
    assert list(ravi.appointments.order_by("pk")) == [first, second]
    assert list(ravi.waitlist.all()) == [place]
    assert double.merged_into == ravi
    assert list(Patient.objects.current()) == [ravi]


def test_what_only_the_other_one_knows_is_taken_over(ravi: Patient, double: Patient, hari: User) -> None:
    merge(ravi, double, hari)
    assert (ravi.name, ravi.address, str(ravi.phone)) == ("Ravi Kumar", "12 Lake Road", "+919845012345")


def test_where_both_know_something_one_chooses(ravi: Patient, double: Patient, hari: User) -> None:
    merge(ravi, double, hari, take=["phone", "birth_date"])
    assert str(ravi.phone) == "+919900112233"
    assert ravi.birth_date == date(1984, 3, 27), "the other one knows none"


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (None, None, None),
        (None, [], []),
        ([], None, []),
        (["Penicillin"], None, ["Penicillin"]),
        ([], ["Latex"], ["Latex"]),
        (["Penicillin"], ["penicillin", "Latex"], ["Penicillin", "Latex"]),
    ],
)
def test_no_allergy_is_lost(
    ravi: Patient,
    double: Patient,
    hari: User,
    one: list[str] | None,
    other: list[str] | None,
    both: list[str] | None,
) -> None:
    for patient, known in ((ravi, one), (double, other)):
        Patient.objects.filter(pk=patient.pk).update(allergies=known)
    merge(ravi, double, hari)
    assert ravi.allergies == both


@pytest.mark.parametrize(
    ("one", "other", "both"), [("", "A+", "A+"), ("A+", "A+", "A+"), ("A+", "", "A+"), ("A+", "B-", "")]
)
def test_a_blood_group_in_doubt_is_asked_anew(
    ravi: Patient, double: Patient, hari: User, one: str, other: str, both: str
) -> None:
    for patient, known in ((ravi, one), (double, other)):
        Patient.objects.filter(pk=patient.pk).update(blood_group=known)
    merge(ravi, double, hari)
    assert ravi.blood_group == both


def test_the_entry_of_the_desk_gets_the_account(
    in_cedar: Hospital, ravi: Patient, asha: User, hari: User, rao: Doctor
) -> None:
    online = register.for_person(user=asha, member=None, by=asha)
    visit = at_desk_visit(in_cedar, rao, ravi, hari, "10:00")
    merge(ravi, online, hari)
    assert (ravi.user, online.user) == (asha, asha)
    assert register.for_person(user=asha, member=None, by=asha) == ravi
    assert list(Appointment.objects.visible_to(asha, None)) == [visit]


def test_the_visits_of_the_desk_follow_the_account(
    in_cedar: Hospital, ravi: Patient, asha: User, hari: User, rao: Doctor
) -> None:
    online = register.for_person(user=asha, member=None, by=asha)
    hers = factories.visit(in_cedar, rao, asha, "10:00")
    coming, met = (at_desk_visit(in_cedar, rao, ravi, hari, clock) for clock in ("11:00", "12:00"))
    cancelled = at_desk_visit(in_cedar, rao, ravi, hari, "13:00")
    day.cancel(hospital=in_cedar, visit=cancelled, by=hari, reason="", now=now(), by_hospital=True)
    TakenTime.objects.create(
        user=asha, person=asha.code, hospital=in_cedar, appointment=uuid4(), period=(met.starts_at, met.ends_at)
    )

    def noted() -> dict[UUID, bool]:
        rows = TakenTime.objects.filter(user=asha, appointment__in=Appointment.objects.values_list("code", flat=True))
        return dict(rows.values_list("appointment", "is_live"))

    merge(ravi, online, hari)
    for _ in range(2):
        follow(patient_id=ravi.pk)
        assert noted() == {hers.code: True, coming.code: True, met.code: False, cancelled.code: False}
    unmerge(online, hari)
    for patient in (ravi, online):
        follow(patient_id=patient.pk)
    assert noted() == {hers.code: True}


def test_two_accounts_are_two_people(ravi: Patient, in_cedar: Hospital, asha: User, kiran: User, hari: User) -> None:
    hers, his = (register.for_person(user=user, member=None, by=user) for user in (asha, kiran))
    with pytest.raises(NotAllowedNow, match="Both entries have an account"):
        merge(hers, his, hari)
    assert Patient.objects.current().count() == 3


def test_who_may_not_book_online_does_not_get_around_it(ravi: Patient, double: Patient, hari: User) -> None:
    register.block(patient=double, reason="Never comes", by=hari)
    merge(ravi, double, hari)
    assert ravi.is_blocked
    unmerge(double, hari)
    assert [Patient.objects.get(pk=one.pk).is_blocked for one in (ravi, double)] == [False, True]


def test_an_entry_is_not_merged_with_itself_nor_twice(
    ravi: Patient, double: Patient, at_desk: Register, hari: User
) -> None:
    with pytest.raises(Invalid):
        merge(ravi, ravi, hari)
    merge(ravi, double, hari)
    third = at_desk("Somebody Else", birth_date=date(1999, 9, 9))
    for kept, gone in ((third, double), (double, third), (ravi, double)):
        with pytest.raises(NotAllowedNow, match="merged before"):
            merge(kept, gone, hari)


def test_two_places_on_one_waitlist_stand_in_the_way(ravi: Patient, double: Patient, rao: Doctor, hari: User) -> None:
    before = checksum(Patient)
    wish(rao, ravi)
    wish(rao, double)
    with pytest.raises(Conflict, match="same thing open"):
        merge(ravi, double, hari)
    assert checksum(Patient) == before
    assert not Merge.objects.exists()


def test_taken_back_both_are_exactly_what_they_were(
    in_cedar: Hospital, rao: Doctor, ravi: Patient, asha: User, hari: User
) -> None:
    online = register.for_person(user=asha, member=None, by=asha)
    Patient.objects.filter(pk=online.pk).update(allergies=["Latex"], conditions=[], blood_group="O-", sex="female")
    Patient.objects.filter(pk=ravi.pk).update(allergies=["Penicillin"], is_birth_date_estimated=True)
    at_desk_visit(in_cedar, rao, ravi, hari, "10:00")
    factories.visit(in_cedar, rao, asha, "11:00")
    wish(rao, online)
    before = checksum(Patient, Appointment, WaitlistEntry)
    merge(ravi, online, hari, take=["name", "phone", "email"])
    assert checksum(Patient, Appointment, WaitlistEntry) != before
    unmerge(online, hari)
    assert checksum(Patient, Appointment, WaitlistEntry) == before


def test_what_came_since_the_merge_stays_with_the_kept_entry(
    in_cedar: Hospital, rao: Doctor, ravi: Patient, double: Patient, hari: User
) -> None:
    theirs = at_desk_visit(in_cedar, rao, double, hari, "10:00")
    merge(ravi, double, hari)
    since = at_desk_visit(in_cedar, rao, ravi, hari, "11:00")
    register.change(patient=ravi, details={"address": "1 Hill Road", "email": "new@example.com"}, by=hari)
    unmerge(double, hari)
    ravi.refresh_from_db()
    assert list(double.appointments.all()) == [theirs]
    assert list(ravi.appointments.all()) == [since]
    assert (ravi.address, ravi.email) == ("1 Hill Road", "new@example.com"), "said later than the merge"


def test_merges_are_taken_back_the_last_one_first(
    ravi: Patient, double: Patient, at_desk: Register, hari: User
) -> None:
    third = at_desk("R Kumar", phone=ravi.phone)
    before = checksum(Patient)
    merge(double, third, hari)
    merge(ravi, double, hari)
    with pytest.raises(NotAllowedNow, match=f"{double.number} was merged into another entry later"):
        unmerge(third, hari)
    unmerge(double, hari)
    unmerge(third, hari)
    assert checksum(Patient) == before
    with pytest.raises(NotAllowedNow, match="not merged"):
        unmerge(third, hari)


def test_the_log_names_the_numbers_and_nobody(ravi: Patient, double: Patient, hari: User) -> None:
    merge(ravi, double, hari)
    unmerge(double, hari)
    rows = AuditLog.objects.about(ravi).filter(action__in=[Action.PATIENTS_MERGED, Action.PATIENTS_UNMERGED])
    assert [(row.thing, row.data, row.actor) for row in rows.order_by("pk")] == [
        (ravi.number, {"merged": double.number}, "Hari Rao"),
        (ravi.number, {"merged": double.number}, "Hari Rao"),
    ]


def test_every_table_that_names_a_patient_is_known_to_the_merge() -> None:
    assert {"appointments.appointment.patient", "appointments.waitlistentry.patient"} <= set(merging._relations())
    assert not any("patients." in relation for relation in merging._relations())


def test_statuses_are_not_touched(in_cedar: Hospital, rao: Doctor, ravi: Patient, double: Patient, hari: User) -> None:
    visit = at_desk_visit(in_cedar, rao, double, hari, "10:00")
    merge(ravi, double, hari)
    visit.refresh_from_db()
    assert visit.status == Status.CONFIRMED
