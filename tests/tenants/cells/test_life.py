"""Cedar lives in the cell north: its people notice nothing."""

from collections.abc import Callable
from io import StringIO
from typing import Any

from celery import current_app
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction
from django.utils.timezone import now

from accounts.models import User
from appointments.services import everywhere
from core import races
from core.schemas import schema_context
from directory.models import DoctorListing, TakenTime
from notifications.models import Notification
from notifications.tasks import sweep
from tenants import rounds
from tenants.models import Hospital
from tenants.references import orphans
from tests import factories
from tests.conftest import browser
from tests.house.cast import furnish
from tests.races.crowd import booker, crowd, live, patients, the_doctor


def test_all_that_a_hospital_does_is_done_in_its_cell(north: str) -> None:
    """People, departments, doctors, visits, bills, payments and refunds, with what they leave in the registry."""
    call_command("move_hospital", "lotus", north, stdout=StringIO())
    lotus = Hospital.objects.get(slug="lotus")
    with schema_context(lotus.schema_name):
        with transaction.atomic():
            house = furnish(lotus)
        visit = factories.visit(lotus, house.things["bookable"], User.objects.get(email="asha@example.com"))
    assert orphans() == []
    assert TakenTime.objects.filter(appointment=visit.code, hospital=lotus).exists()
    assert DoctorListing.objects.filter(hospital=lotus, is_published=True).exists()
    assert User.objects.filter(pk__in=[user.pk for user in house.people.values()]).count() == len(house.people)
    found = everywhere.details(user=house.people["hospital_admin"], rows=TakenTime.objects.filter(hospital=lotus))
    assert [each.hospital for each in found] == [lotus] * len(found)
    portal = browser("localhost").get("/doctors/", {"q": house.things["bookable"].user.last_name})
    assert portal.status_code == 200


def test_rounds_and_messages_reach_it(north: str) -> None:
    call_command("move_hospital", "lotus", north, stdout=StringIO())
    seen = []
    rounds.everywhere(lambda hospital: seen.append((hospital.slug, connection.settings_dict["NAME"])))
    home = connections["default"].settings_dict["NAME"]
    assert seen == [("cedar", home), ("lotus", f"{home}_north")]
    lotus = Hospital.objects.get(slug="lotus")
    with schema_context(lotus.schema_name):
        Notification.objects.update(state="sent", sent_at=now())
        Notification.objects.create(
            to_address="kiran@lotus.example", template="invitation", subject="Hello", sent_text="Hello"
        )
    with current_app.connection_for_read() as broker:
        channel: Any = broker.default_channel
        channel.client.delete("north")
        sweep(schema="public")
        assert channel.client.llen("north") == 1


def test_of_many_who_want_a_time_one_gets_it(north: str) -> None:
    """Who loses a race in the registry is refused by Postgres, and begins anew."""
    call_command("move_hospital", "cedar", north, stdout=StringIO())
    cedar, rao = the_doctor()
    people = patients(cedar, 12)

    def book(user: User, clock: str) -> Callable[[], Any]:
        act = booker(cedar, rao, user, clock)

        def until_decided() -> Any:
            while True:
                try:
                    return act()
                except OperationalError as error:
                    if not races.is_lost(error):
                        raise

        return until_decided

    clocks = ["10:00", "10:20", "10:40"] * 4
    crowd(*((cedar, book(user, clock)) for user, clock in zip(people, clocks, strict=True)))
    assert len(live(cedar)) == 3
    assert TakenTime.objects.filter(is_live=True).count() == 3
