"""A ticket is shown from many browsers at the same moment: one of them is signed in."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections
from django.utils.timezone import now

from accounts.models import Session, Ticket, User
from accounts.services import tickets
from tenants.models import Hospital
from tests.conftest import browser

BROWSERS = 6
ROUNDS = 5


def test_of_many_who_show_a_ticket_at_once_one_is_signed_in(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    asha = User.objects.get(email="asha@example.com")
    state = tickets.digest_of("state")
    for _round in range(ROUNDS):
        Session.objects.all().delete()
        token = tickets.issue(user=asha, place=str(cedar.code), state=state, is_two_factor=False, now=now())
        gate = Barrier(BROWSERS)

        def show(token: str = token, gate: Barrier = gate) -> None:
            try:
                client = browser("cedar.localhost")
                client.cookies["arrival"] = "state"
                client.get("/")  # the connection is open before the start
                gate.wait(10)
                client.get(f"/arrive/{token}/")
            finally:
                connections.close_all()

        with ThreadPoolExecutor(BROWSERS) as pool:
            list(pool.map(lambda _number, show=show: show(), range(BROWSERS)))
        assert Session.objects.filter(user=asha).count() == 1
        assert not Ticket.objects.exists()
