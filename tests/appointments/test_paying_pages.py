"""Paying for visits on the pages of patients and staff, and through the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from accounts.permissions import Role
from appointments.models import Appointment
from appointments.services import gate, paying
from billing import razorpay
from billing.models import Invoice
from billing.services import gateway as keys
from billing.services import payments
from core.schemas import schema_context
from hospitals.models import BookingPolicy, Doctor
from tenants.models import Hospital
from tests import factories
from tests.appointments.money import as_it_is, at_checkout, by_video, pay_at_desk, pay_online
from tests.appointments.patients_way import choose, only_visit, said
from tests.appointments.test_paying import LATER
from tests.appointments.today import staff
from tests.conftest import browser
from tests.factories import visit
from tests.fakes.razorpay import Gateway


@pytest.fixture
def site(cedar: Hospital, asha: User) -> Client:
    """Asha at Cedar's site."""
    return browser(cedar.host, asha)


@pytest.fixture
def bill(cedar: Hospital) -> Callable[[], Invoice]:
    """The one bill there is at Cedar."""

    def read() -> Invoice:
        with schema_context(cedar.schema_name):
            return Invoice.objects.get()

    return read


def page_of(visit: Appointment, rest: str = "") -> str:
    """A page of the visit."""
    return f"/visits/{visit.code}/{rest}"


# --- The patient's way -----------------------------------------------------------------------------------------------


def test_the_review_says_the_price_and_that_it_is_paid_now(
    site: Client, cedar: Hospital, rao: Doctor, gateway: Gateway
) -> None:
    choose(site, cedar, rao, kind="video")
    shown = said(site.get("/book/"))
    assert "Pay ₹500 and book" in shown
    assert "You pay online now" in shown
    assert "at the desk" not in shown


def test_a_visit_in_person_is_paid_at_the_desk(site: Client, cedar: Hospital, rao: Doctor, gateway: Gateway) -> None:
    choose(site, cedar, rao)
    assert "Book, pay ₹700 at the desk" in said(site.get("/book/"))


def test_booking_leads_to_the_checkout(
    site: Client, cedar: Hospital, rao: Doctor, gateway: Gateway, bill: Callable[[], Invoice]
) -> None:
    choose(site, cedar, rao, kind="video")
    answer = site.post("/book/confirm/", {"who": "self", "reason": ""})
    assert answer["Location"] == f"/bills/{bill().code}/pay/"
    assert only_visit(cedar).waits_for_payment
    assert "₹500" in said(site.get(answer["Location"]))


def test_the_visit_says_until_when_to_pay_and_leads_there(
    site: Client, unpaid: Appointment, bill: Callable[[], Invoice]
) -> None:
    shown = said(site.get(page_of(unpaid)))
    assert "Pay to keep this time" in shown
    assert "Pay ₹500" in shown
    assert "Add to calendar" not in shown
    assert site.post(page_of(unpaid, "pay/"))["Location"] == f"/bills/{bill().code}/pay/"


def test_the_list_says_so_too(site: Client, unpaid: Appointment) -> None:
    shown = said(site.get("/visits/"))
    assert "to keep this time." in shown
    assert "Pay ₹500" in shown
    assert "Not paid yet" in shown


def test_the_portals_list_says_so_too(asha: User, unpaid: Appointment) -> None:
    shown = said(browser("localhost", asha).get("/visits/"))
    assert "to keep this time." in shown
    assert "Pay ₹500" in shown


def test_a_confirmed_visit_can_be_paid_there_later(
    site: Client, in_cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway
) -> None:
    booked = visit(in_cedar, rao, asha)
    shown = said(site.get(page_of(booked)))
    assert "You pay at the desk, or here." in shown
    assert "/pay/" in site.post(page_of(booked, "pay/"))["Location"]


def test_without_online_payment_nobody_is_asked_to(site: Client, in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    booked = visit(in_cedar, rao, asha)
    assert "Pay ₹700" not in said(site.get(page_of(booked)))
    assert site.post(page_of(booked, "pay/")).status_code == 422
    with schema_context(in_cedar.schema_name):
        assert not Invoice.objects.exists()


def test_a_paid_visit_says_so_and_shows_its_bill(
    site: Client, in_cedar: Hospital, unpaid: Appointment, gateway: Gateway, bill: Callable[[], Invoice]
) -> None:
    pay_online(in_cedar, unpaid, gateway)
    shown = said(site.get(page_of(unpaid) + "?booked"))
    assert "Your appointment is booked" in shown
    assert "You have paid ₹500." in shown
    assert f"/bills/{bill().code}/" in shown
    assert "Pay ₹500" not in shown


def test_a_visit_that_was_given_up_says_why_and_offers_another_time(
    site: Client, in_cedar: Hospital, unpaid: Appointment
) -> None:
    gate.release_unpaid(hospital=in_cedar, now=now() + LATER)
    shown = said(site.get(page_of(unpaid)))
    assert "Nothing was charged." in shown
    assert "Choose another time" in shown
    assert "Not paid in time" in said(site.get("/visits/"))


def test_a_payment_on_its_way_is_said_to_be_looked_at(
    site: Client, in_cedar: Hospital, unpaid: Appointment, gateway: Gateway
) -> None:
    order = at_checkout(in_cedar, unpaid)
    gateway.pay(order.gateway_id or "", "authorized")
    [found] = razorpay.payments_of(keys.keys_of(order), order.gateway_id or "")
    payments.seen(hospital=in_cedar, order=order, found=found, now=now())
    assert "We are checking your payment." in said(site.get(page_of(unpaid)))


def test_cancelling_says_before_what_goes_back(
    site: Client, in_cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway
) -> None:
    BookingPolicy.objects.update(late_cancellation_percent=50, free_cancellation_hours=72)
    paid = pay_online(in_cedar, by_video(in_cedar, rao, asha), gateway)
    assert "You get ₹250 of what you have paid back." in said(site.get(page_of(paid, "cancel/")))
    site.post(page_of(paid, "cancel/"))
    shown = said(site.get(page_of(paid)))
    assert "the hospital keeps ₹250. You get ₹250 back." in shown
    assert "To be refunded" in shown


def test_a_stranger_pays_for_nobodys_visit(cedar_kiran: Client, unpaid: Appointment) -> None:
    assert cedar_kiran.post(page_of(unpaid, "pay/")).status_code == 404


# --- The staff -------------------------------------------------------------------------------------------------------


def test_the_desk_makes_the_bill_and_goes_to_it(
    in_cedar: Hospital, rao: Doctor, asha: User, bill: Callable[[], Invoice]
) -> None:
    booked = visit(in_cedar, rao, asha)
    desk = staff(in_cedar, Role.FRONT_DESK)
    assert "Make the bill" in said(desk.get(f"/office/appointments/{booked.code}/"))
    answer = desk.post(f"/office/visits/{booked.code}/bill/")
    assert answer["Location"] == f"/office/bills/{bill().code}/"
    assert desk.post(f"/office/visits/{booked.code}/bill/")["Location"] == answer["Location"]
    assert "Take the payment" in said(desk.get(f"/office/appointments/{booked.code}/"))


@pytest.mark.parametrize("role", [Role.NURSE, Role.PHARMACIST, Role.CONTENT_MANAGER])
def test_others_make_no_bills(in_cedar: Hospital, rao: Doctor, asha: User, role: Role) -> None:
    booked = visit(in_cedar, rao, asha)
    assert staff(in_cedar, role).post(f"/office/visits/{booked.code}/bill/").status_code in (403, 404)


def test_staff_see_that_a_visit_waits_for_its_payment(in_cedar: Hospital, unpaid: Appointment) -> None:
    desk = staff(in_cedar, Role.FRONT_DESK)
    assert "Not paid yet" in said(desk.get("/office/appointments/"))
    assert "Time kept until" in said(desk.get(f"/office/appointments/{unpaid.code}/"))


def test_the_list_leads_to_the_bill(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User, bill: Callable[[], Invoice]
) -> None:
    pay_at_desk(in_cedar, visit(in_cedar, rao, asha), hari)
    assert f"/office/bills/{bill().code}/" in said(staff(in_cedar, Role.BILLING_CLERK).get("/office/appointments/"))


# --- The API ---------------------------------------------------------------------------------------------------------


def test_a_booking_tells_what_must_be_paid_until_when(
    site: Client, in_cedar: Hospital, rao: Doctor, gateway: Gateway, bill: Callable[[], Invoice]
) -> None:
    asked: dict[str, Any] = {
        "doctor": str(rao.code),
        "kind": "video",
        "starts_at": factories.at(in_cedar, "10:00").isoformat(),
    }
    answer = site.post("/api/appointments/book/", asked, content_type="application/json")
    payment = answer.json()["payment"]
    assert answer.json()["status"] == "pending"
    assert payment.pop("pay_until")
    assert payment == {"required": True, "amount": "500.00", "invoice": str(bill().code)}


def test_an_ordinary_booking_needs_no_payment(site: Client, in_cedar: Hospital, rao: Doctor, gateway: Gateway) -> None:
    asked = {"doctor": str(rao.code), "starts_at": factories.at(in_cedar, "10:00").isoformat()}
    answer = site.post("/api/appointments/book/", asked, content_type="application/json")
    assert answer.json()["payment"] == {
        "required": False, "pay_until": None, "amount": "700.00", "invoice": None,
    }  # fmt: skip


def test_an_app_begins_to_pay(
    site: Client, in_cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway, bill: Callable[[], Invoice]
) -> None:
    booked = visit(in_cedar, rao, asha)
    answer = site.post(f"/api/appointments/{booked.code}/pay/")
    assert answer.status_code == 200
    assert answer.json()["payment"]["invoice"] == str(bill().code)


def test_an_app_asks_what_cancelling_costs(
    site: Client, in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    BookingPolicy.objects.update(late_cancellation_percent=50, free_cancellation_hours=72)
    paid = pay_at_desk(in_cedar, visit(in_cedar, rao, asha), hari)
    answer = site.get(f"/api/appointments/{paid.code}/cancel/")
    assert answer.json() == {"kept": "350.00", "refund": "350.00", "due": "0.00"}


def test_the_desk_makes_the_bill_by_the_api(
    in_cedar: Hospital, rao: Doctor, asha: User, bill: Callable[[], Invoice]
) -> None:
    booked = visit(in_cedar, rao, asha)
    answer = staff(in_cedar, Role.FRONT_DESK).post(f"/api/appointments/{booked.code}/bill/")
    assert answer.json()["payment"]["invoice"] == str(bill().code)


def test_a_stranger_neither_pays_nor_asks(cedar_kiran: Client, unpaid: Appointment) -> None:
    for path in ("pay", "bill", "cancel"):
        assert cedar_kiran.post(f"/api/appointments/{unpaid.code}/{path}/").status_code in (403, 404)
    assert cedar_kiran.get(f"/api/appointments/{unpaid.code}/cancel/").status_code == 404


def test_a_list_reads_all_bills_at_once(
    site: Client,
    in_cedar: Hospital,
    rao: Doctor,
    asha: User,
    hari: User,
    gateway: Gateway,
    django_assert_max_num_queries: Callable[[int], Any],
) -> None:
    for clock in ("10:00", "11:00", "12:00", "13:00"):
        pay_at_desk(in_cedar, visit(in_cedar, rao, asha, clock), hari)
    site.get("/api/appointments/user/")
    with django_assert_max_num_queries(7):
        answer = site.get("/api/appointments/user/")
    assert {row["payment_status"] for row in answer.json()["results"]} == {"paid"}
    assert all(row["payment"]["invoice"] for row in answer.json()["results"])


def test_visits_everywhere_tell_of_their_payment(asha: User, unpaid: Appointment, in_cedar: Hospital) -> None:
    [row] = browser("localhost", asha).get("/api/appointments/user/").json()["results"]
    with schema_context(in_cedar.schema_name):
        bill = paying.bill_of(as_it_is(unpaid))
    assert bill and row["payment"]["invoice"] == str(bill.code)
