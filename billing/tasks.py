"""What follows money, and what the clock brings."""

from django.utils.timezone import now

from billing.models import Payment, Refund, Report
from billing.services import payments, reconciling, refunds, reporting, sweeping, webhooks
from core.queue import task
from core.schemas import PUBLIC, active
from tenants import rounds
from tenants.models import Hospital


@task("billing.take_in_event")
def take_in_event(*, event_id: str) -> None:
    """Do what a message of the gateway says."""
    webhooks.take_in(event_id=event_id, now=now())


@task("billing.fulfil")
def fulfil(*, payment_id: int) -> None:
    """Put received money towards its bill, and pass on what it buys, if nobody was left to do it at once."""
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment:
        payments.fulfil(payment=payment, now=now())


@task("billing.send_refund")
def send_refund(*, refund_id: int) -> None:
    """Tell the gateway of a granted refund."""
    refund = Refund.objects.select_related("payment__order__account", "invoice").filter(pk=refund_id).first()
    if refund:
        refunds.send(refund=refund, now=now())


@task("billing.tell_refunded")
def tell_refunded(*, refund_id: int) -> None:
    """Tell the rooms above that money is back."""
    refund = Refund.objects.select_related("payment", "invoice").filter(pk=refund_id).first()
    if refund:
        refunds.tell(refund=refund, now=now())


@task("billing.sweep")
def sweep() -> None:
    """Each minute: take up what was left lying, and ask the gateway about orders without news."""
    rounds.everywhere(lambda hospital: sweeping.sweep(hospital=hospital, now=now()), alone="billing.sweep")


@task("billing.reconcile")
def reconcile(*, begun_id: int = 0) -> None:
    """Compare the gateway with the books: at one hospital, whose task it is, or every few hours at all of them."""
    if active() == PUBLIC:
        reconciling.run_everywhere(now=now())
    else:
        reconciling.run_asked(begun_id=begun_id, now=now())


@task("billing.make_report")
def make_report(*, report_id: int) -> None:
    """Make the file of a report."""
    report = Report.objects.filter(pk=report_id).first()
    if report:
        reporting.make(hospital=Hospital.objects.get(schema_name=active()), report=report, now=now())


@task("billing.sweep_reports")
def sweep_reports() -> None:
    """Each minute: have reports made that were left lying."""
    rounds.everywhere(lambda _hospital: reporting.sweep(now=now()))


@task("billing.drop_reports")
def drop_reports() -> None:
    """Each hour: forget reports that are a month old."""
    rounds.everywhere(lambda _hospital: reporting.drop_old(now=now()), alone="billing.drop_reports")
