"""At one moment: first bookings of one person, registrations of one person, and merges of the same entries."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils.timezone import now

from accounts.models import User
from core.errors import DomainError
from core.schemas import schema_context
from patients.models import Merge, Patient
from patients.services import merging, register
from patients.services.register import PossibleDouble
from tenants.models import Hospital

SAID = {"name": "Ravi Kumar", "birth_date": date(1984, 3, 27), "sex": "male"}


@pytest.fixture
def cedar(committed: None) -> Hospital:
    """Cedar, in a database where everybody commits."""
    return Hospital.objects.get(slug="cedar")


@pytest.fixture
def hari(committed: None) -> User:
    """Its admin."""
    return User.objects.get(email="hari@cedar.example")


def at_once(cedar: Hospital, acts: list[Callable[[], Any]]) -> list[Any]:
    """Do all of it at the same moment, each on a connection of its own; what was refused is in the answer."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            with schema_context(cedar.schema_name):
                Patient.objects.exists()  # the connection is open before the start
                gate.wait(10)
                return act()
        except DomainError as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_first_bookings_of_one_person_make_one_entry(cedar: Hospital) -> None:
    asha = User.objects.get(email="asha@example.com")
    made = at_once(cedar, [lambda: register.for_person(user=asha, member=None, by=asha).number] * 8)
    assert set(made) == {"P000001"}
    with schema_context(cedar.schema_name):
        assert Patient.objects.filter(user=asha).count() == 1
        assert register.next_number() == "P000002"


def test_one_person_at_two_desks_is_registered_once(cedar: Hospital, hari: User) -> None:
    made = at_once(cedar, [lambda: register.register(details=SAID, by=hari)] * 6)
    assert [isinstance(one, PossibleDouble) for one in made].count(True) == 5
    with schema_context(cedar.schema_name):
        assert Patient.objects.count() == 1


def test_merges_of_the_same_entries_happen_once(cedar: Hospital, hari: User) -> None:
    with schema_context(cedar.schema_name):
        one, other = (register.register(details=SAID, by=hari, is_new=True) for _ in range(2))
    acts: list[Callable[[], Any]] = [
        lambda: merging.merge(kept=one, gone=other, by=hari, now=now()),
        lambda: merging.merge(kept=other, gone=one, by=hari, now=now()),
    ]
    done = at_once(cedar, acts * 4)
    assert [isinstance(answer, Merge) for answer in done].count(True) == 1
    with schema_context(cedar.schema_name):
        assert Patient.objects.current().count() == 1
        assert Merge.objects.count() == 1


def test_a_merge_is_taken_back_once(cedar: Hospital, hari: User) -> None:
    with schema_context(cedar.schema_name):
        kept, gone = (register.register(details=SAID, by=hari, is_new=True) for _ in range(2))
        merging.merge(kept=kept, gone=gone, by=hari, now=now())
    done = at_once(cedar, [lambda: merging.unmerge(gone=gone, by=hari, now=now())] * 5)
    assert [answer is None for answer in done].count(True) == 1
    with schema_context(cedar.schema_name):
        assert Patient.objects.current().count() == 2
