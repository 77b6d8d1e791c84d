"""Paying a bill online: what is paid, the way to the gateway, and what became of it."""

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import Again
from accounts.permissions import Permission, requires
from billing.forms.own import Promo
from billing.models import Invoice, PaymentOrder, PromoCode
from billing.models.invoices import Invoices
from billing.services import checkout as services
from billing.services import documents, gateway, invoices
from billing.services.checkout import Outcome
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.OWN_ACCOUNT)
def checkout(request: HospitalRequest, code: UUID) -> HttpResponse:
    """What is paid, and how much; posted, the way to the gateway."""
    invoice = get_object_or_404(_payable(request), code=code)
    form = Again(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            order = services.begin(hospital=request.hospital, invoice=invoice, by=request.user, now=now())
            return _hand_over(request, order)
    if not invoice.is_draft and services.owed(invoice) <= 0:
        return redirect("bill", invoice.code)  # it was paid meanwhile: there stands how
    return _shown(request, invoice, form)


@never_cache
@require_POST
@requires(Permission.OWN_ACCOUNT)
def promo(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Use a promo code on a bill that is not issued yet, or take it off again."""
    invoice = get_object_or_404(_payable(request).filter(number=None), code=code)
    form = Promo(request.POST)
    if form.is_valid():
        with refusals_on(form):
            word = form.cleaned_data["promo_code"]
            invoices.use_promo(hospital=request.hospital, invoice=invoice, word=word, by=request.user, now=now())
            return redirect("checkout", invoice.code)
    return _shown(request, invoice, form)


@csrf_exempt
@never_cache
@require_POST
@requires(Permission.PUBLIC)
def returned(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Where the gateway sends the payer's browser: from another site, so without a session, and believed only if signed.

    It says nothing itself; the page it leads to asks who is there.
    """
    order = get_object_or_404(PaymentOrder.objects.select_related("invoice", "account"), code=code)
    payment_id = request.POST.get("razorpay_payment_id", "")
    if payment_id:
        signature = request.POST.get("razorpay_signature", "")
        services.returned(hospital=request.hospital, order=order, payment_id=payment_id, signature=signature, now=now())
    else:  # it failed; what exactly, the gateway is asked
        services.look(hospital=request.hospital, order=order, now=now())
    response = redirect("checkout_result", order.code)
    response.status_code = 303  # whatever a browser does with a POST: the next is a GET
    return response


@never_cache
@require_safe
@requires(Permission.OWN_ACCOUNT)
def result(request: HospitalRequest, code: UUID) -> HttpResponse:
    """What became of it: paid, failed, or not known yet. Then the page looks again by itself."""
    mine = PaymentOrder.objects.filter(invoice__patient__user=request.user)
    order = get_object_or_404(mine.select_related("invoice__patient", "account"), code=code)
    outcome = services.look(hospital=request.hospital, order=order, now=now())
    if request.htmx and outcome == Outcome.CHECKING:
        return HttpResponse(status=204)  # nothing has changed, and nothing is said
    order = mine.select_related("invoice__patient", "account").get(pk=order.pk)
    payment = order.payments.newest_first().first()
    context = {
        "order": order,
        "invoice": order.invoice,
        "owed": services.owed(order.invoice),
        "outcome": outcome,
        "payment": order.payments.captured().order_by("captured_at").first() or payment,
        "refunds": order.invoice.refunds.counting().filter(payment__order=order),
        "is_test": gateway.is_test(gateway.key_id_of(order)),
    }
    return page(request, "bills/result.html", context, part="outcome")


def _payable(request: HospitalRequest) -> Invoices:
    return Invoice.objects.payable_by(request.user).select_related("patient", "promo_code")


def _shown(request: HospitalRequest, invoice: Invoice, form: Again | Promo) -> HttpResponse:
    today = invoices.today_at(request.hospital, now())
    context = {
        "invoice": invoice,
        "paper": documents.bill(hospital=request.hospital, invoice=invoice),
        "owed": services.owed(invoice),
        "form": form,
        "promo": form if isinstance(form, Promo) else Promo(),
        "takes_promo": invoice.is_draft and PromoCode.objects.valid_on(today).exists(),
        "takes_online": gateway.takes_online(),
        "is_test": gateway.takes_test_money(),
    }
    return page(request, "bills/checkout.html", context)


def _hand_over(request: HospitalRequest, order: PaymentOrder) -> HttpResponse:
    """A form that goes to the gateway: by itself with JavaScript, by its button without."""
    back = request.build_absolute_uri(reverse("checkout_return", args=[order.code]))
    handover = services.handover(hospital=request.hospital, order=order, by=request.user, callback_url=back)
    cancel_url = request.build_absolute_uri(reverse("checkout", args=[order.invoice.code]))
    context = {
        "order": order,
        "handover": handover,
        "cancel_url": cancel_url,
        "gateway_url": settings.RAZORPAY_CHECKOUT_URL,
    }
    return page(request, "bills/go.html", context)
