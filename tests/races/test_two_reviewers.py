"""Two admins decide on the same doctor at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.utils.timezone import now

from accounts.models import User
from core.errors import Conflict, DomainError
from core.schemas import schema_context
from hospitals.models import Doctor, Staff
from hospitals.services.doctors import applying, reviewing
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.hospitals.doctors import applied, begun, cardiology


@pytest.mark.parametrize("round_number", range(3))
def test_one_decision_counts_and_the_other_admin_reads_whose(committed: None, round_number: int) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    hari, asha = User.objects.get(email="hari@cedar.example"), User.objects.get(email="asha@example.com")
    with schema_context(cedar.schema_name):
        department = cardiology(cedar, hari)
        doctor = applied(cedar, asha)
    gate = Barrier(2)

    def decide(is_good: bool) -> DomainError | None:
        try:
            with schema_context(cedar.schema_name):
                mine = Doctor.objects.with_people().get(pk=doctor.pk)
                gate.wait(10)
                if is_good:
                    reviewing.approve(hospital=cedar, doctor=mine, department=department, by=hari, now=now())
                else:
                    reviewing.reject(hospital=cedar, doctor=mine, reason="Not legible", by=hari)
        except DomainError as refusal:
            return refusal
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(decide, (True, False)))

    refusals = [answer for answer in answers if answer]
    assert len(refusals) == 1
    assert isinstance(refusals[0], Conflict)
    assert "by Hari Rao" in str(refusals[0])
    with schema_context(cedar.schema_name):
        is_approved = Doctor.objects.get(pk=doctor.pk).is_verified
        assert Staff.objects.filter(user=asha).exists() is is_approved
        told = Notification.objects.filter(template__in=["doctor_approved", "doctor_rejected"])
        assert [mail.template for mail in told] == ["doctor_approved" if is_approved else "doctor_rejected"]


@pytest.mark.parametrize("round_number", range(3))
def test_an_application_is_never_sent_without_its_licence(committed: None, round_number: int) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    asha = User.objects.get(email="asha@example.com")
    with schema_context(cedar.schema_name):
        licence = begun(cedar, asha).documents.select_related("doctor").get()
    gate = Barrier(2)

    def step(is_sending: bool) -> DomainError | None:
        try:
            with schema_context(cedar.schema_name):
                gate.wait(10)
                if is_sending:
                    applying.send(hospital=cedar, user=asha, now=now())
                else:
                    applying.remove_document(document=licence, by=asha)
        except DomainError as refusal:
            return refusal
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(step, (True, False)))

    assert len([answer for answer in answers if answer]) == 1
    with schema_context(cedar.schema_name):
        doctor = Doctor.objects.get(user=asha)
        assert (doctor.status == "pending") is doctor.documents.exists()


@pytest.mark.parametrize("round_number", range(3))
def test_of_two_doctors_who_send_the_same_licence_number_one_is_refused(committed: None, round_number: int) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    people = [factories.person(f"doctor{number}@example.com") for number in (1, 2)]
    with schema_context(cedar.schema_name):
        for person in people:
            begun(cedar, person)
    gate = Barrier(2)

    def send(person: User) -> DomainError | None:
        try:
            with schema_context(cedar.schema_name):
                gate.wait(10)
                applying.send(hospital=cedar, user=person, now=now())
        except DomainError as refusal:
            return refusal
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, people))

    assert [answer.field for answer in answers if answer] == ["licence_number"]
    with schema_context(cedar.schema_name):
        assert sorted(Doctor.objects.values_list("status", flat=True)) == ["incomplete", "pending"]
