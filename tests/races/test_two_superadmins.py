"""Two superadmins press Approve at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections
from django.utils.timezone import now

from accounts.models import User
from core.errors import Conflict, DomainError
from hospitals.services import joining
from notifications.models import Notification
from tenants.models import Domain, Hospital
from tests import factories


@pytest.mark.parametrize("round_number", range(3))
def test_one_succeeds_and_the_other_reads_who_was_first(committed: None, round_number: int) -> None:
    people = [User.objects.get(email="usha@rhms.example"), factories.superadmin("vikram@rhms.example")]
    hospital = factories.pending()
    gate = Barrier(2)

    def approve(by: User) -> DomainError | None:
        try:
            mine = Hospital.objects.get(pk=hospital.pk)
            gate.wait(10)
            joining.approve(hospital=mine, by=by, now=now())
        except DomainError as refusal:
            return refusal
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(approve, people))

    refusals = [answer for answer in answers if answer]
    assert len(refusals) == 1
    assert isinstance(refusals[0], Conflict)
    assert "Hospital approved by Usha Menon" in str(refusals[0])
    assert Domain.objects.filter(tenant=hospital).count() == 1
    assert Notification.objects.filter(template="invitation", to_address=hospital.email).count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname = %s", [hospital.schema_name])
        assert cursor.fetchone()[0] == 1


def test_two_hospitals_that_want_the_same_subdomain_at_once(committed: None) -> None:
    gate = Barrier(2)

    def register(number: int) -> DomainError | None:
        try:
            registration = factories.registration(slug="banyan")
            gate.wait(10)
            joining.register(registration=registration, logo=None, address=f"203.0.113.{number}")
        except DomainError as refusal:
            return refusal
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(register, (1, 2)))

    assert [answer.field for answer in answers if answer] == ["slug"]
    assert Hospital.objects.filter(slug="banyan").count() == 1
