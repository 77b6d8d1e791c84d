"""What a visit's bill comes to when it is cancelled, missed, moved or takes place, and what goes back."""

from decimal import Decimal

from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import booking, day, moving, paying
from billing.models import Invoice, Method, Refund
from billing.services import checkout, crediting, invoices, payments, refunds
from billing.services.invoices import Charge, Draft
from hospitals.models import BookingPolicy, Doctor
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.appointments.mail import letter
from tests.appointments.money import as_it_is, at_checkout, by_video, pay_at_desk, pay_online
from tests.factories import at, visit
from tests.fakes.razorpay import Gateway

# --- Refunds ---------------------------------------------------------------------------------------------------------


def test_the_visit_says_when_the_money_is_back(
    in_cedar: Hospital, unpaid: Appointment, hari: User, gateway: Gateway
) -> None:
    paid = pay_online(in_cedar, unpaid, gateway)
    day.cancel(hospital=in_cedar, visit=paid, by=hari, reason="", now=now(), by_hospital=True)
    assert as_it_is(paid).payment_status == "refund_due"
    assert "You get ₹500 back." in letter("visit_cancelled").text

    refund = Refund.objects.get()
    refunds.send(refund=refund, now=now())
    assert as_it_is(paid).payment_status == "refunded"


def test_a_late_cancellation_gives_back_what_the_rules_do_not_keep(
    in_cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway
) -> None:
    BookingPolicy.objects.update(late_cancellation_percent=50, free_cancellation_hours=72)
    paid = pay_online(in_cedar, by_video(in_cedar, rao, asha), gateway)
    assert day.if_cancelled(paid, now()) == paying.Money(kept=Decimal(250), refund=Decimal(250))

    day.cancel(hospital=in_cedar, visit=paid, by=asha, reason="", now=now(), by_hospital=False)

    assert Refund.objects.get().amount == 250
    bill = paying.bill_of(paid)
    assert bill and bill.status == Invoice.Status.PARTIALLY_REFUNDED


def test_an_unpaid_bill_is_credited_down_to_what_is_due(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    BookingPolicy.objects.update(no_show_percent=20)
    booked = visit(in_cedar, rao, asha)
    day.miss(hospital=in_cedar, visit=booked, by=hari, now=booked.ends_at)

    bill = paying.bill_of(booked)
    assert bill and bill.number
    assert paying.owed_for(booked) == 140
    assert pay_at_desk_all(in_cedar, booked, hari).payment_status == "paid"


def pay_at_desk_all(hospital: Hospital, booked: Appointment, by: User) -> Appointment:
    """Pay what is left of its bill."""
    return pay_at_desk(hospital, as_it_is(booked), by, paying.owed_for(booked))


def test_an_unpaid_visit_that_the_hospital_cancels_leaves_no_bill(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    booked = visit(in_cedar, rao, asha)
    paying.charge(hospital=in_cedar, visit=booked, by=hari, now=now())
    day.cancel(hospital=in_cedar, visit=booked, by=hari, reason="", now=now(), by_hospital=True)
    assert Invoice.objects.get().status == Invoice.Status.CANCELLED


def test_a_missed_visit_that_was_never_confirmed_costs_nothing(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    BookingPolicy.objects.update(no_show_percent=20, confirmation="doctor")
    booked = visit(in_cedar, rao, asha)
    day.miss(hospital=in_cedar, visit=booked, by=hari, now=booked.ends_at)
    assert booked.kept_fee == 0
    assert not Invoice.objects.exists()


# --- The bill of a visit that takes place ------------------------------------------------------------------------------


def test_checking_in_bills_the_visit_once(in_cedar: Hospital, rao: Doctor, asha: User, hari: User) -> None:
    booked = visit(in_cedar, rao, asha)
    moment = booked.starts_at
    day.check_in(hospital=in_cedar, visit=booked, by=hari, now=moment)
    day.undo(visit=booked, by=hari)
    day.check_in(hospital=in_cedar, visit=booked, by=hari, now=moment)
    day.call(visit=booked, by=hari, now=moment)
    day.complete(visit=booked, by=hari, now=moment)

    bill = Invoice.objects.get()
    assert (bill.status, int(bill.total), bill.about_code) == ("unpaid", 700, booked.code)


def test_who_walks_in_is_billed(in_cedar: Hospital, rao: Doctor, asha: User, hari: User) -> None:
    patient = factories.patient(asha)
    booking.walk_in(hospital=in_cedar, doctor=rao, patient=patient, reason="", by=hari, now=now())
    assert Invoice.objects.get().status == Invoice.Status.UNPAID


def test_a_visit_that_is_paid_is_not_billed_again(
    in_cedar: Hospital, unpaid: Appointment, hari: User, gateway: Gateway
) -> None:
    paid = pay_online(in_cedar, unpaid, gateway)
    day.check_in(hospital=in_cedar, visit=paid, by=hari, now=paid.starts_at)
    assert Invoice.objects.get().status == Invoice.Status.PAID


def test_a_bill_that_the_desk_has_cancelled_is_not_made_again(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    booked = visit(in_cedar, rao, asha)
    day.check_in(hospital=in_cedar, visit=booked, by=hari, now=booked.starts_at)
    crediting.cancel(hospital=in_cedar, invoice=Invoice.objects.get(), by=hari, reason="A friend", now=now())
    day.call(visit=booked, by=hari, now=booked.starts_at)
    day.complete(visit=booked, by=hari, now=booked.starts_at)
    assert Invoice.objects.get().status == Invoice.Status.CANCELLED


# --- Moving ----------------------------------------------------------------------------------------------------------


def move(hospital: Hospital, visit: Appointment, clock: str, by: User) -> Appointment:
    """Give it another time of the same day, as the patient."""
    return moving.move(
        hospital=hospital, visit=visit, starts_at=at(hospital, clock), by=by, now=now(), by_hospital=False
    )


def test_a_paid_visit_stays_paid_when_it_is_moved(
    in_cedar: Hospital, unpaid: Appointment, asha: User, gateway: Gateway
) -> None:
    moved = move(in_cedar, pay_online(in_cedar, unpaid, gateway), "12:00", asha)
    assert moved.payment_status == "paid"
    assert Invoice.objects.get().about_code == moved.code


def test_a_visit_that_waits_for_its_payment_waits_on_when_it_is_moved(
    in_cedar: Hospital, unpaid: Appointment, asha: User, gateway: Gateway
) -> None:
    order = at_checkout(in_cedar, unpaid)
    moved = move(in_cedar, unpaid, "12:00", asha)
    assert moved.pay_until == unpaid.pay_until
    assert not Notification.objects.exists()

    gateway.pay(order.gateway_id or "")
    checkout.ask(hospital=in_cedar, order=order, now=now())
    assert as_it_is(moved).status == Status.CONFIRMED


def test_money_of_other_bills_moves_no_visit(in_cedar: Hospital, asha: User, hari: User) -> None:
    asked = Draft(patient=factories.patient(asha), charges=[Charge("Plaster", Decimal(50))])
    bill = invoices.draft(hospital=in_cedar, draft=asked, by=hari, now=now())
    taking = payments.Taking(Method.UPI, Decimal(50), "UPI1")
    payment = payments.take(hospital=in_cedar, invoice=bill, taking=taking, by=hari, now=now())
    assert payment.fulfilled_at
