"""Keeping the index true. Called by hospitals in the transaction of the change."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from psycopg2.extras import DateTimeTZRange

from accounts.models import User
from core.visits import VisitKind
from directory import expressions, specialties
from directory.models import DepartmentListing, DoctorListing, FreeTime, HospitalListing, SearchWord, TakenTime
from directory.models.doctors import number_of
from tenants.models import Hospital

_CITIES_KEPT = 10  # seconds; they are asked for with every search, and change when a hospital opens in a new one


@dataclass(frozen=True)
class ListedDepartment:
    """What the portal needs to know of a department."""

    code: UUID
    name: str
    slug: str


@transaction.atomic
def publish(*, hospital: Hospital, departments: Callable[[], Iterable[ListedDepartment]]) -> HospitalListing:
    """Show the hospital with its departments on the portal, replacing what was shown before.

    `departments` reads them. It is called once the listing is locked: of two changes at once the second then sees what
    the first has committed, and neither is lost.
    """
    HospitalListing.objects.get_or_create(hospital=hospital)
    listing = HospitalListing.objects.locked().get(hospital=hospital)
    shown = sorted(departments(), key=lambda department: department.name.lower())
    words = [hospital.name, hospital.city, hospital.get_state_display(), *(d.name for d in shown)]
    listing.is_published = True
    listing.search_text = " ".join(words).lower()
    listing.save(update_fields=["is_published", "search_text"])
    DepartmentListing.objects.filter(listing=listing).delete()
    DepartmentListing.objects.bulk_create(
        DepartmentListing(listing=listing, code=d.code, name=d.name, slug=d.slug) for d in shown
    )
    return listing


def withdraw(*, hospital: Hospital) -> None:
    """Take the hospital and its doctors off the portal; `publish` and `publish_doctor` bring them back."""
    HospitalListing.objects.filter(hospital=hospital).update(is_published=False)
    DoctorListing.objects.filter(hospital=hospital).update(is_published=False)


# --- Doctors ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ListedDoctor:
    """What the portal needs to know of a doctor. A fee of None means that this kind of visit is not offered."""

    code: UUID
    name: str
    specialization: str
    department: str
    qualifications: str
    experience_years: int | None
    languages: list[str]
    fee_in_person: Decimal | None
    fee_video: Decimal | None
    fee_chat: Decimal | None
    photo_thumb: str


def publish_doctor(*, hospital: Hospital, doctor: ListedDoctor) -> None:
    """Show a doctor in the search, in the transaction of the change. Free times that are shown already stay."""
    publish_doctors(hospital=hospital, doctors=[doctor])


def publish_doctors(*, hospital: Hospital, doctors: Iterable[ListedDoctor]) -> None:
    """The same for many of one hospital, in as many statements as for one.

    Of two at once for the same doctor the later one counts: who is not listed yet is added, then all are brought up to
    date. (One statement for both would not work for hospitals whose database is not the registry's.) New words are learnt
    last and in the order of the alphabet, so that two hospitals do not wait for each other.
    """
    rows, learnt = [], set[str]()
    for doctor in doctors:
        known = specialties.of_specialization(f"{doctor.specialization} {doctor.department}")
        names = [doctor.name, doctor.specialization, doctor.department, hospital.name, hospital.city]
        words = dict.fromkeys(word for name in names for word in specialties.words_of(name))
        rows.append(_listing(hospital, doctor, [*words, *_marks(hospital, doctor, known)]))
        learnt |= {
            word
            for word in {*words, *specialties.vocabulary(known)}
            if SearchWord.SHORTEST <= len(word) <= SearchWord.LONGEST
        }
    said = [field.name for field in fields(ListedDoctor) if field.name != "code"]
    also = ["hospital", "lowest_fee", "search_text", "is_published", "stale_at"]
    DoctorListing.objects.bulk_create(rows, ignore_conflicts=True)
    keys = dict(DoctorListing.objects.filter(code__in=[row.code for row in rows]).values_list("code", "pk"))
    for row in rows:
        row.pk = keys[row.code]
    DoctorListing.objects.bulk_update(rows, [*said, *also])
    SearchWord.objects.bulk_create((SearchWord(word=word) for word in sorted(learnt)), ignore_conflicts=True)


def _listing(hospital: Hospital, doctor: ListedDoctor, words: list[str]) -> DoctorListing:
    fees = [fee for fee in (doctor.fee_in_person, doctor.fee_video, doctor.fee_chat) if fee is not None]
    return DoctorListing(
        hospital=hospital,
        lowest_fee=min(fees, default=None),
        search_text=" ".join(words),
        is_published=True,
        stale_at=timezone.now(),  # should the message that follows be lost, the sweep works the times out
        **{field.name: getattr(doctor, field.name) for field in fields(doctor)},
    )


def _marks(hospital: Hospital, doctor: ListedDoctor, known: Iterable[specialties.Specialty]) -> list[str]:
    """What the doctor is, and where, in what languages and how they can be seen."""
    return [
        *(expressions.mark("is", specialty.slug) for specialty in known),
        expressions.mark("in", hospital.city),
        *([expressions.mark("dept", doctor.department)] if doctor.department else []),
        *(expressions.mark("speaks", language) for language in doctor.languages),
        *(expressions.mark("offers", kind) for kind in VisitKind if getattr(doctor, f"fee_{kind}") is not None),
    ]


def withdraw_doctor(*, code: UUID) -> None:
    """Take a doctor out of the search; `publish_doctor` brings them back."""
    DoctorListing.objects.filter(code=code).update(is_published=False)


# --- When doctors are free -------------------------------------------------------------------------------------------

# All that a listing says of free times follows from the times themselves.
_SHOW = """
    UPDATE directory_doctorlisting AS shown SET {also} (
        free_times, free_days, next_free_at, next_in_person_at, next_video_at, next_chat_at, first_passes_at
    ) = (
        WITH kept AS ({times})
        SELECT
            coalesce(array_agg(t ORDER BY t), '{{}}'),
            coalesce((
                SELECT array_agg(DISTINCT day * 8 + bit)
                FROM kept, unnest(ARRAY[1, 2, 4]) AS bit, tenants_hospital AS hospital,
                    LATERAL (SELECT (to_timestamp(t / 8 * 60.0) AT TIME ZONE hospital.time_zone)::date - DATE '1970-01-01' AS day)
                        AS days
                WHERE hospital.id = shown.hospital_id AND t & bit <> 0
            ), '{{}}'),
            to_timestamp(min(t) / 8 * 60.0),
            to_timestamp(min(t) FILTER (WHERE t & 1 <> 0) / 8 * 60.0),
            to_timestamp(min(t) FILTER (WHERE t & 2 <> 0) / 8 * 60.0),
            to_timestamp(min(t) FILTER (WHERE t & 4 <> 0) / 8 * 60.0),
            to_timestamp(min(t) / 8 * 60.0) - {notice} * interval '1 minute'
        FROM kept
    )
    WHERE {which}
"""


def show_times(*, code: UUID, times: Iterable[FreeTime], notice_minutes: int, stale_at: datetime | None) -> None:
    """Say when a doctor is free, how early one must book, and when that has to be worked out anew."""
    numbers = sorted(number_of(time.starts_at, time.kinds) for time in times)
    _update_times(
        also="notice_minutes = %s, stale_at = %s,",
        times="SELECT t FROM unnest(%s::integer[]) AS t",
        notice="%s",
        which="code = %s",
        values=[notice_minutes, stale_at, numbers, notice_minutes, code],
    )


def take_off(*, code: UUID, starts_at: datetime, ends_at: datetime) -> None:
    """Show the times from `starts_at` until `ends_at` no longer: in the transaction of a booking, without asking first."""
    first, end = number_of(starts_at), number_of(ends_at)
    _update_times(
        times="SELECT t FROM unnest(free_times) AS t WHERE t < %s OR t >= %s",
        which="code = %s AND EXISTS (SELECT FROM unnest(free_times) AS t WHERE t >= %s AND t < %s)",
        values=[first, end, code, first, end],
    )


def drop_passed(*, now: datetime) -> int:
    """Forget, of all doctors, the times that can no longer be booked, so that each stands where their next one puts them.

    Nobody is ever shown such a time; this keeps the order of the results right. Returns how many doctors it was.
    """
    return _update_times(
        times="SELECT t FROM unnest(free_times) AS t WHERE t >= %s + notice_minutes * 8",
        which="first_passes_at < %s",
        values=[number_of(now + timedelta(seconds=59)), now],
    )


def _update_times(*, times: str, which: str, values: list[Any], also: str = "", notice: str = "notice_minutes") -> int:
    """Replace the free times of listings by what the query `times` gives for each."""
    with connection.cursor() as cursor:
        cursor.execute(_SHOW.format(also=also, times=times, notice=notice, which=which), values)
        return int(cursor.rowcount)


def claim_stale(*, now: datetime, limit: int) -> list[tuple[str, UUID]]:
    """Schema and code of doctors whose times have to be worked out anew, for the caller to do so within five minutes.

    Nobody else is given them before that, and they come up again should the work be lost.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE directory_doctorlisting AS listing SET stale_at = %s
            FROM tenants_hospital AS hospital
            WHERE hospital.id = listing.hospital_id AND listing.id IN (
                SELECT due.id FROM directory_doctorlisting AS due
                JOIN tenants_hospital AS owner ON owner.id = due.hospital_id
                WHERE due.stale_at <= %s AND due.is_published AND owner.status = 'approved'
                ORDER BY due.stale_at LIMIT %s FOR UPDATE OF due SKIP LOCKED
            )
            RETURNING hospital.schema_name, listing.code
            """,
            [now + timedelta(minutes=5), now, limit],
        )
        return [(schema, code) for schema, code in cursor.fetchall()]


def cities() -> tuple[str, ...]:
    """Where hospitals are open, the city with the most of them first; as of ten seconds ago at most."""
    return _cities_at(int(monotonic() // _CITIES_KEPT))


@lru_cache(maxsize=1)
def _cities_at(moment: int) -> tuple[str, ...]:
    return tuple(city for city, _count in HospitalListing.objects.published().cities())


def forget_here() -> None:
    """Drop what this process remembers."""
    _cities_at.cache_clear()


def meant(words: str) -> str:
    """What somebody may have meant who found nothing, "" when there is nothing better.

    Words that are in no doctor's entry are replaced by the likeliest one that is.
    """
    said = expressions.wanted_words(words)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT said.word, coalesce(
                (SELECT known.word FROM directory_searchword AS known WHERE known.word LIKE said.word || '%%' LIMIT 1),
                ''
            ) <> '', (
                SELECT known.word FROM directory_searchword AS known WHERE known.word %% said.word
                ORDER BY similarity(known.word, said.word) DESC, known.word LIMIT 1
            )
            FROM unnest(%s::text[]) AS said (word)
            """,
            [said],
        )
        found = {word: word if is_known else likely for word, is_known, likely in cursor.fetchall()}
    guess = " ".join(found.get(word) or word for word in said)
    return guess if guess != " ".join(said) else ""


# --- When a person has a visit, anywhere -----------------------------------------------------------------------------


def claim_time(
    *, user: User, person: UUID, hospital: Hospital, appointment: UUID, starts_at: datetime, ends_at: datetime
) -> bool:
    """Note a person's visit, unless they have another one at that time, at whatever hospital; tell whether it was."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TakenTime._meta.db_table} "  # noqa: S608
            "(user_id, person, hospital_id, appointment, period, is_live) VALUES (%s, %s, %s, %s, tstzrange(%s, %s), true) "
            "ON CONFLICT DO NOTHING RETURNING id",
            [user.pk, person, hospital.pk, appointment, starts_at, ends_at],
        )
        return cursor.fetchone() is not None


def resume_time(*, appointment: UUID) -> bool:
    """A visit that had ended takes the person's time again, unless they have another one then; tell whether it does."""
    try:
        with transaction.atomic():
            return TakenTime.objects.filter(appointment=appointment).update(is_live=True) > 0
    except IntegrityError:
        return False


def rival_of(*, person: UUID, starts_at: datetime, ends_at: datetime) -> TakenTime | None:
    """The visit of the person that overlaps this time, if there is one."""
    period = DateTimeTZRange(starts_at, ends_at)
    return (
        TakenTime.objects.select_related("hospital").filter(person=person, is_live=True, period__overlap=period).first()
    )


def end_time(*, appointment: UUID) -> None:
    """The visit no longer takes the person's time: it is over, or will not be."""
    TakenTime.objects.filter(appointment=appointment, is_live=True).update(is_live=False)
