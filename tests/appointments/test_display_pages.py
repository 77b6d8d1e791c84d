"""The board in the waiting room."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from appointments.models import Schedule
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.appointments.today import arrived, called, person
from tests.conftest import browser

BOARD = "/display/"


@pytest.fixture
def wall(cedar: Hospital) -> Client:
    """A screen on the wall, where nobody is signed in."""
    return browser("cedar.localhost")


def test_the_board_shows_tokens_and_rooms_to_anybody(in_cedar: Hospital, rao: Doctor, wall: Client) -> None:
    Schedule.objects.update(room="Room 3")
    called(in_cedar, rao, person("Asha"), "09:00")
    arrived(in_cedar, rao, person("Bela"), "10:00")
    response = wall.get(BOARD)
    [panel] = response.context["panels"]
    assert (panel.room, panel.now, panel.next) == ("Room 3", [1], [2])
    assert 'role="status"' in response.content.decode()
    assert "Token 1, Room 3." in response.content.decode()


def test_the_board_holds_nothing_of_who_somebody_is_or_why_they_come(
    in_cedar: Hospital, rao: Doctor, wall: Client
) -> None:
    called(in_cedar, rao, person("Canaryone Canarytwo"), "09:00")
    for number in range(6):
        user = person("Canaryone Canarytwo")
        User.objects.filter(pk=user.pk).update(phone="+919845098765")
        user.refresh_from_db()
        visit = arrived(in_cedar, rao, user, f"1{number}:20", reason="Canarythree")
        for answer in (wall.get(BOARD), wall.get(BOARD, headers={"HX-Request": "true"})):
            page = answer.content.decode()
            for secret in ("canary", "98450", "98765", visit.reference, str(visit.code), str(visit.patient)):
                assert secret.lower() not in page.lower()


def test_the_next_tokens_stand_in_the_order_of_the_queue_and_the_rest_is_counted(
    in_cedar: Hospital, rao: Doctor, wall: Client
) -> None:
    for number in range(6):
        arrived(in_cedar, rao, person("Asha"), f"{16 - number}:40")
    [panel] = wall.get(BOARD).context["panels"]
    assert len(panel.next) == 4
    assert panel.more == 2


def test_a_screen_beside_one_room_shows_that_doctor_even_without_anybody(
    in_cedar: Hospital, rao: Doctor, hari: User, wall: Client
) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    arrived(in_cedar, rao, person("Asha"))
    [panel] = wall.get(BOARD, {"doctor": str(sen.code)}).context["panels"]
    assert (panel.doctor, panel.now, panel.next) == ("Anika Rao", [], [])
    assert len(wall.get(BOARD, {"doctor": "nobody"}).context["panels"]) == 1


def test_the_board_is_empty_in_the_morning(in_cedar: Hospital, wall: Client) -> None:
    assert "Nobody waits" in wall.get(BOARD).content.decode()


def test_another_hospital_shows_its_own_board(in_cedar: Hospital, rao: Doctor, lotus: Hospital) -> None:
    arrived(in_cedar, rao, person("Asha"))
    assert browser("lotus.localhost").get(BOARD).context["panels"] == []


def test_the_board_asks_the_same_number_of_queries_for_any_number_of_doctors(
    in_cedar: Hospital, rao: Doctor, hari: User, wall: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(4):
        doctor = factories.bookable_doctor(in_cedar, hari, f"d{number}@cedar.example", "Anika")
        called(in_cedar, doctor, person("Asha"), "09:00")
        arrived(in_cedar, doctor, person("Bela"), "10:00")
    wall.get(BOARD)
    with django_assert_max_num_queries(3):  # the visits, the brand
        wall.get(BOARD)
