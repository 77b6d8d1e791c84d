"""Visits that are confirmed by paying for them, through the payment sandbox, and what follows for the others."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Schedule, Status
from appointments.services import booking, day, gate, paying
from appointments.services.times import SlotTaken
from audit.models import AuditLog
from billing.models import BillingRules, Invoice, Payment, PaymentOrder, Refund
from billing.services import checkout
from core.errors import NotAllowedNow
from core.visits import VisitKind
from directory.models import TakenTime
from hospitals.models import BookingPolicy, Doctor
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.appointments.mail import letter
from tests.appointments.money import as_it_is, at_checkout, by_video, pay_at_desk, pay_online
from tests.factories import at, visit
from tests.fakes.razorpay import Gateway

LATER = timedelta(minutes=21)


# --- Booking ---------------------------------------------------------------------------------------------------------


def test_a_video_visit_waits_for_its_payment(unpaid: Appointment) -> None:
    assert unpaid.status == Status.PENDING
    assert unpaid.pay_until == (unpaid.booked_at or now()) + timedelta(minutes=20)
    assert unpaid.waits_for_payment


def test_nobody_is_written_to_before_it_is_paid(unpaid: Appointment) -> None:
    assert not Notification.objects.exists()


def test_its_bill_is_a_draft_without_a_number(unpaid: Appointment) -> None:
    bill = paying.bill_of(unpaid)
    assert bill is not None
    assert bill.is_draft
    assert (bill.number, bill.total) == (None, Decimal(500))
    assert bill.lines.get().description == "Consultation by video: Vikram Rao"


def test_a_visit_in_person_is_confirmed_without(in_cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway) -> None:
    booked = visit(in_cedar, rao, asha)
    assert (booked.status, booked.pay_until) == (Status.CONFIRMED, None)
    assert paying.bill_of(booked) is None


def test_a_hospital_can_demand_it_for_every_visit(
    in_cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway
) -> None:
    BookingPolicy.objects.update(confirmation="payment")
    assert visit(in_cedar, rao, asha).waits_for_payment


def test_a_free_visit_by_video_needs_no_payment(in_cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway) -> None:
    Doctor.objects.update(fee_video=0)
    rao.refresh_from_db()
    assert by_video(in_cedar, rao, asha).status == Status.CONFIRMED


def test_the_desk_books_without_payment(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User, gateway: Gateway
) -> None:
    assert by_video(in_cedar, rao, asha, source=Appointment.Source.DESK).status == Status.CONFIRMED


def test_where_nobody_can_pay_online_it_is_booked_as_ever(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    assert by_video(in_cedar, rao, asha).status == Status.CONFIRMED


def test_a_hospital_that_takes_no_money_online_books_as_ever(
    in_cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway
) -> None:
    BillingRules.objects.update(takes_online=False)
    assert by_video(in_cedar, rao, asha).status == Status.CONFIRMED


def test_a_visit_that_begins_soon_is_paid_before_it_begins(
    in_cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway
) -> None:
    Schedule.objects.update(notice_minutes=0)
    soon = at(in_cedar, "10:00") - timedelta(minutes=5)
    assert by_video(in_cedar, rao, asha, when=soon).pay_until == at(in_cedar, "10:00")


# --- Paid ------------------------------------------------------------------------------------------------------------


def test_paying_confirms_it_and_the_letters_follow(in_cedar: Hospital, unpaid: Appointment, gateway: Gateway) -> None:
    paid = pay_online(in_cedar, unpaid, gateway)

    assert (paid.status, paid.payment_status, paid.pay_until) == (Status.CONFIRMED, "paid", None)
    bill = paying.bill_of(paid)
    assert bill and bill.status == Invoice.Status.PAID and bill.number
    assert letter("visit_booked").to_address == "asha@example.com"
    assert "₹500" in letter("bill_receipt").subject


def test_being_told_of_it_again_changes_nothing(in_cedar: Hospital, unpaid: Appointment, gateway: Gateway) -> None:
    pay_online(in_cedar, unpaid, gateway)
    rows = AuditLog.objects.count()
    for _time in range(3):
        gate.note_paid(payment=Payment.objects.get(), now=now())

    assert AuditLog.objects.count() == rows
    assert letter("visit_booked").to_address == "asha@example.com"


def test_where_the_doctor_confirms_a_paid_visit_still_waits_for_that(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User, gateway: Gateway
) -> None:
    BookingPolicy.objects.update(confirmation="doctor")
    paid = pay_online(in_cedar, by_video(in_cedar, rao, asha), gateway)

    assert (paid.status, paid.payment_status, paid.waits_for_payment) == (Status.PENDING, "paid", False)
    assert letter("visit_pending").to_address == "asha@example.com"
    day.confirm(hospital=in_cedar, visit=paid, by=hari)
    assert as_it_is(paid).status == Status.CONFIRMED


def test_the_desk_can_confirm_it_without_payment(in_cedar: Hospital, unpaid: Appointment, hari: User) -> None:
    day.confirm(hospital=in_cedar, visit=unpaid, by=hari)
    assert gate.release_unpaid(hospital=in_cedar, now=now() + LATER) == 0
    assert as_it_is(unpaid).status == Status.CONFIRMED


def test_the_desk_takes_the_money_and_that_confirms_it(in_cedar: Hospital, unpaid: Appointment, hari: User) -> None:
    paid = pay_at_desk(in_cedar, unpaid, hari)
    assert (paid.status, paid.payment_status) == (Status.CONFIRMED, "paid")


def test_without_online_payment_the_desks_money_confirms_where_paying_does(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    BookingPolicy.objects.update(confirmation="payment")
    paid = pay_at_desk(in_cedar, visit(in_cedar, rao, asha), hari)
    assert paid.status == Status.CONFIRMED
    assert letter("visit_confirmed").to_address == "asha@example.com"


def test_a_part_of_the_money_leaves_it_unpaid(in_cedar: Hospital, rao: Doctor, asha: User, hari: User) -> None:
    booked = visit(in_cedar, rao, asha)
    assert pay_at_desk(in_cedar, booked, hari, Decimal(300)).payment_status == "unpaid"
    assert pay_at_desk(in_cedar, booked, hari, Decimal(400)).payment_status == "paid"


def test_a_confirmed_visit_is_paid_online_later(in_cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway) -> None:
    booked = visit(in_cedar, rao, asha)
    paying.begin(hospital=in_cedar, visit=booked, by=asha, now=now())
    paid = pay_online(in_cedar, booked, gateway)
    assert (paid.status, paid.payment_status) == (Status.CONFIRMED, "paid")


def test_nobody_begins_to_pay_a_visit_that_is_paid(
    in_cedar: Hospital, unpaid: Appointment, asha: User, gateway: Gateway
) -> None:
    paid = pay_online(in_cedar, unpaid, gateway)
    with pytest.raises(NotAllowedNow):
        paying.begin(hospital=in_cedar, visit=paid, by=asha, now=now())


def test_beginning_to_pay_keeps_the_time_longer(in_cedar: Hospital, unpaid: Appointment, asha: User) -> None:
    moment = now() + timedelta(minutes=18)
    paying.begin(hospital=in_cedar, visit=unpaid, by=asha, now=moment)
    assert as_it_is(unpaid).pay_until == moment + timedelta(minutes=15)


def test_nobody_keeps_a_time_for_more_than_two_hours_by_beginning_to_pay(
    in_cedar: Hospital, unpaid: Appointment, asha: User
) -> None:
    assert unpaid.booked_at
    for minutes in (30, 60, 90, 119):
        moment = unpaid.booked_at + timedelta(minutes=minutes)
        paying.begin(hospital=in_cedar, visit=unpaid, by=asha, now=moment)
    assert as_it_is(unpaid).pay_until == unpaid.booked_at + timedelta(hours=2)


# --- Nobody pays -----------------------------------------------------------------------------------------------------


def test_a_visit_nobody_pays_is_given_up(in_cedar: Hospital, unpaid: Appointment, rao: Doctor) -> None:
    assert gate.release_unpaid(hospital=in_cedar, now=now()) == 0
    assert gate.release_unpaid(hospital=in_cedar, now=now() + LATER) == 1

    assert as_it_is(unpaid).status == Status.EXPIRED
    assert not TakenTime.objects.get().is_live
    other = by_video(in_cedar, rao, factories.person("nita@example.com", "Nita"))
    assert other.starts_at == unpaid.starts_at


def test_its_time_cannot_be_booked_before_that(in_cedar: Hospital, unpaid: Appointment, rao: Doctor) -> None:
    with pytest.raises(SlotTaken):
        by_video(in_cedar, rao, factories.person("nita@example.com", "Nita"), when=now() + LATER)


def test_the_patient_still_finds_it(unpaid: Appointment, in_cedar: Hospital, asha: User) -> None:
    gate.release_unpaid(hospital=in_cedar, now=now() + LATER)
    assert list(Appointment.objects.visible_to(asha, None)) == [unpaid]


def test_a_payment_nobody_told_of_is_found_before_it_is_given_up(
    in_cedar: Hospital, unpaid: Appointment, gateway: Gateway
) -> None:
    order = at_checkout(in_cedar, unpaid)
    gateway.pay(order.gateway_id or "")

    assert gate.release_unpaid(hospital=in_cedar, now=now() + LATER) == 0
    assert as_it_is(unpaid).status == Status.CONFIRMED


def test_somebody_who_came_to_the_checkout_late_keeps_the_time(
    in_cedar: Hospital, unpaid: Appointment, gateway: Gateway
) -> None:
    at_checkout(in_cedar, unpaid, now() + timedelta(minutes=15))

    assert gate.release_unpaid(hospital=in_cedar, now=now() + LATER) == 0
    assert gate.release_unpaid(hospital=in_cedar, now=now() + timedelta(minutes=31)) == 1


def test_while_the_gateway_does_not_answer_the_time_is_kept_two_hours_at_most(
    in_cedar: Hospital, unpaid: Appointment, gateway: Gateway
) -> None:
    at_checkout(in_cedar, unpaid)
    gateway.break_call("*", how="500", when="before", times=1000)

    assert gate.release_unpaid(hospital=in_cedar, now=now() + LATER) == 0
    assert as_it_is(unpaid).status == Status.PENDING
    assert gate.release_unpaid(hospital=in_cedar, now=now() + timedelta(minutes=121)) == 1


def test_an_order_that_is_given_up_is_closed_and_its_late_payment_still_counts(
    in_cedar: Hospital, unpaid: Appointment, gateway: Gateway
) -> None:
    order = at_checkout(in_cedar, unpaid)
    gate.release_unpaid(hospital=in_cedar, now=now() + LATER)
    assert PaymentOrder.objects.get().status == PaymentOrder.Status.CLOSED

    gateway.pay(order.gateway_id or "")
    checkout.ask(hospital=in_cedar, order=PaymentOrder.objects.get(), now=now() + LATER)

    back = as_it_is(unpaid)
    assert (back.status, back.payment_status) == (Status.CONFIRMED, "paid")
    assert TakenTime.objects.get().is_live
    assert letter("visit_booked").to_address == "asha@example.com"


# --- Too late --------------------------------------------------------------------------------------------------------


@pytest.fixture
def late(in_cedar: Hospital, unpaid: Appointment, gateway: Gateway) -> PaymentOrder:
    """Asha's time was given up while she stood at the checkout; she has paid all the same, and nobody knows yet."""
    order = at_checkout(in_cedar, unpaid)
    gate.release_unpaid(hospital=in_cedar, now=now() + LATER)
    gateway.pay(order.gateway_id or "")
    return PaymentOrder.objects.select_related("invoice").get()


def hear(hospital: Hospital, order: PaymentOrder) -> None:
    """What the gateway knows arrives."""
    checkout.ask(hospital=hospital, order=order, now=now() + LATER)


def refused(unpaid: Appointment) -> None:
    """All of it goes back, and the letter says so with three other times, once."""
    gone = as_it_is(unpaid)
    assert (gone.status, gone.payment_status) == (Status.EXPIRED, "refund_due")
    assert Refund.objects.get().amount == 500
    assert Refund.objects.get().status == Refund.Status.APPROVED
    said = letter("visit_too_late").text
    assert "You get ₹500 back." in said
    assert said.count("kind=video&at=") == 3


def test_a_time_that_somebody_else_has_is_refunded(
    in_cedar: Hospital, unpaid: Appointment, late: PaymentOrder, rao: Doctor
) -> None:
    by_video(in_cedar, rao, factories.person("nita@example.com", "Nita"))
    hear(in_cedar, late)
    refused(unpaid)
    gate.note_paid(payment=Payment.objects.get(), now=now())
    refused(unpaid)


def test_a_time_that_somebody_holds_is_refunded(
    in_cedar: Hospital, unpaid: Appointment, late: PaymentOrder, rao: Doctor
) -> None:
    nita = factories.person("nita@example.com", "Nita")
    booking.hold(
        hospital=in_cedar,
        doctor=rao,
        starts_at=unpaid.starts_at,
        kind=VisitKind.VIDEO,
        holder=nita.code,
        by=nita,
        now=now() + LATER,
    )
    hear(in_cedar, late)
    refused(unpaid)


def test_a_time_the_doctor_no_longer_has_is_refunded(
    in_cedar: Hospital, unpaid: Appointment, late: PaymentOrder, rao: Doctor
) -> None:
    rao.availability.exclude(weekday=(unpaid.starts_at.weekday() + 1) % 7).delete()
    hear(in_cedar, late)
    refused(unpaid)


def test_a_patient_who_is_elsewhere_by_now_is_refunded(
    in_cedar: Hospital, unpaid: Appointment, late: PaymentOrder, rao: Doctor, asha: User, hari: User
) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    visit(in_cedar, sen, asha)
    hear(in_cedar, late)
    refused(unpaid)


def test_a_time_that_has_passed_is_refunded(in_cedar: Hospital, unpaid: Appointment, late: PaymentOrder) -> None:
    checkout.ask(hospital=in_cedar, order=late, now=unpaid.starts_at)
    refused(unpaid)


def test_a_payment_for_a_visit_that_was_cancelled_goes_back(
    in_cedar: Hospital, unpaid: Appointment, asha: User, gateway: Gateway
) -> None:
    order = at_checkout(in_cedar, unpaid)
    day.cancel(hospital=in_cedar, visit=unpaid, by=asha, reason="", now=now(), by_hospital=False)
    gateway.pay(order.gateway_id or "")
    hear(in_cedar, PaymentOrder.objects.get())

    assert Refund.objects.get().amount == 500
    assert as_it_is(unpaid).payment_status == "refund_due"
