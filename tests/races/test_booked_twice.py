"""The form that books a held time, sent several times at the same moment, books once and always leads to the visit."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection, connections

from accounts.models import User
from appointments.models import Appointment, Status
from core.schemas import enter_public, schema_context
from directory.models import TakenTime
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.appointments.patients_way import choose
from tests.conftest import browser

AT_ONCE = 5


def test_a_form_sent_several_times_at_once_books_once(committed: None) -> None:
    cedar, asha = Hospital.objects.get(slug="cedar"), User.objects.get(email="asha@example.com")
    with schema_context(cedar.schema_name):
        doctor = factories.bookable_doctor(cedar, User.objects.get(email="hari@cedar.example"))
    first = browser("cedar.localhost", asha)
    choose(first, cedar, doctor)
    gate = Barrier(AT_ONCE)

    def send(_number: int) -> Any:
        try:
            enter_public()
            connection.ensure_connection()
            client = browser("cedar.localhost")
            client.cookies = first.cookies
            gate.wait(10)
            return client.post("/book/confirm/", {"who": "self"})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(send, range(AT_ONCE)))
    with schema_context(cedar.schema_name):
        visit = Appointment.objects.get()
        assert visit.status == Status.CONFIRMED
        assert Notification.objects.filter(template="visit_booked").count() == 1
    assert {answer["Location"].partition("?")[0] for answer in answers} == {f"/visits/{visit.code}/"}
    assert TakenTime.objects.count() == 1
