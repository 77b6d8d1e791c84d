"""Paying for visits in tests: at the desk, or online through the payment sandbox."""

from datetime import datetime
from typing import Any

from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment
from appointments.services import booking, paying
from billing.models import Method, PaymentOrder
from billing.services import checkout, payments
from billing.services.payments import Taking
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.factories import at
from tests.fakes.razorpay import Gateway


def by_video(
    hospital: Hospital, doctor: Doctor, user: User, clock: str = "10:00", when: datetime | None = None, **asked: Any
) -> Appointment:
    """A visit by video, tomorrow; it costs ₹500."""
    visit = booking.book(
        hospital=hospital,
        doctor=doctor,
        starts_at=at(hospital, clock),
        kind=VisitKind.VIDEO,
        booking=booking.Booking(patient=factories.patient(user), **asked),
        by=user,
        now=when or now(),
    )
    return as_it_is(visit)


def as_it_is(visit: Appointment) -> Appointment:
    """The visit as the database knows it."""
    return Appointment.objects.with_people().select_related("doctor__schedule").get(pk=visit.pk)


def at_checkout(hospital: Hospital, visit: Appointment, when: datetime | None = None) -> PaymentOrder:
    """The patient has come to the checkout: the order the gateway knows."""
    bill = paying.bill(hospital=hospital, visit=visit, by=visit.booked_by, now=when or now())
    return checkout.begin(hospital=hospital, invoice=bill, by=visit.booked_by, now=when or now())


def pay_online(hospital: Hospital, visit: Appointment, gateway: Gateway, when: datetime | None = None) -> Appointment:
    """Pay for it, and let the hospital hear of it."""
    order = at_checkout(hospital, visit, when)
    gateway.pay(order.gateway_id or "")
    assert checkout.ask(hospital=hospital, order=order, now=when or now())
    return as_it_is(visit)


def pay_at_desk(hospital: Hospital, visit: Appointment, by: User, amount: Any = None) -> Appointment:
    """Pay for it by UPI at the desk, all of it or so much."""
    bill = paying.bill(hospital=hospital, visit=visit, by=by, now=now())
    taking = Taking(Method.UPI, amount or bill.total, reference="UPI7")
    payments.take(hospital=hospital, invoice=bill, taking=taking, by=by, now=now())
    return as_it_is(visit)
