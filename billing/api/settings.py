"""The rules of money, below /api/billing/ of a hospital's host, for its admin."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.forms.two_factor import Prove
from accounts.permissions import Permission, Requires, may
from accounts.serializers import Problem
from billing.api.bills import REFUSED
from billing.filters import PromoFilter
from billing.forms import keys as key_forms
from billing.forms import promos as promo_forms
from billing.forms import settings as forms
from billing.models import BillingRules, GatewayAccount, PromoCode, TaxCategory, TaxRate, WebhookEvent
from billing.serializers import settings as shapes
from billing.services import gateway, keys, promos, rules
from core.hosts import hospital_url
from core.rest import cleaned, hospital, person

RULE = [Requires(Permission.MONEY_RULES)]
UNANSWERED = {**REFUSED, 503: Problem}


class Rules(APIView):
    """Who the hospital is on its bills, and what its people may do alone."""

    permission_classes = RULE

    @extend_schema(responses={200: shapes.RulesShape})
    def get(self, request: Request) -> Response:
        """Read the rules."""
        return self._answer(request)

    @extend_schema(request=shapes.RulesShape, responses={200: shapes.RulesShape, **REFUSED})
    def put(self, request: Request) -> Response:
        """Change the rules. Bills that are issued keep what they say."""
        rules.change(hospital=hospital(request), by=person(request), **cleaned(forms.Rules(request.data)))
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        return Response(shapes.RulesShape(BillingRules.objects.get(), context={"request": request}).data)


# --- Taxes -----------------------------------------------------------------------------------------------------------


def _categories(request: Request, *, status: int = 200) -> Response:
    """Every category with its rates."""
    moment = now()
    listed = [
        {
            "category": category,
            "rates": rules.rates_of(hospital=hospital(request), category=category, now=moment),
        }
        for category in TaxCategory.objects.by_name().prefetch_related("rates")
    ]
    return Response(shapes.CategoryOut(listed, many=True, context={"request": request}).data, status=status)


class Rates(APIView):
    """How things are taxed."""

    permission_classes = RULE

    @extend_schema(responses={200: shapes.CategoryOut(many=True)})
    def get(self, request: Request) -> Response:
        """List the tax categories, each with its rates by date."""
        return _categories(request)

    @extend_schema(request=shapes.CategoryIn, responses={201: shapes.CategoryOut(many=True), **REFUSED})
    def post(self, request: Request) -> Response:
        """Add a category with its first rate; answers all of them."""
        asked = cleaned(forms.Category(request.data))
        rules.add_category(hospital=hospital(request), by=person(request), now=now(), **asked)
        return _categories(request, status=201)


class CategoryRates(APIView):
    """The rates of one category."""

    permission_classes = RULE

    @extend_schema(request=shapes.RateIn, responses={201: shapes.CategoryOut(many=True), **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Tax the category otherwise from a day on; answers all categories."""
        category = get_object_or_404(TaxCategory, code=code)
        asked = cleaned(forms.Rate(request.data))
        rules.add_rate(hospital=hospital(request), category=category, by=person(request), now=now(), **asked)
        return _categories(request, status=201)


class OneRate(APIView):
    """One rate of tax."""

    permission_classes = RULE

    @extend_schema(responses={204: None, **REFUSED})
    def delete(self, request: Request, code: UUID) -> Response:
        """Take back a rate that no bill carries."""
        rate = get_object_or_404(TaxRate.objects.select_related("category"), code=code)
        rules.remove_rate(hospital=hospital(request), rate=rate, by=person(request), now=now())
        return Response(status=204)


# --- Promo codes -----------------------------------------------------------------------------------------------------


def _promo(request: Request, code: UUID, *, status: int = 200) -> Response:
    """A code as it is now."""
    promo = get_object_or_404(PromoCode.objects.with_uses(), code=code)
    return Response(shapes.PromoOut(promo, context={"request": request}).data, status=status)


class Promos(generics.ListAPIView[PromoCode]):
    """Promo codes that count or will, the newest first; with `show=ended` the others."""

    permission_classes = RULE
    serializer_class = shapes.PromoOut
    filterset_class = PromoFilter
    queryset = PromoCode.objects.none()  # what is listed; which, see below

    def get_queryset(self) -> QuerySet[PromoCode]:
        """All of the hospital."""
        return PromoCode.objects.with_uses().newest_first()

    @extend_schema(request=shapes.PromoIn, responses={201: shapes.PromoOut, **REFUSED})
    def post(self, request: Request) -> Response:
        """Add a code."""
        promo = promos.add(by=person(request), **cleaned(promo_forms.New(request.data)))
        return _promo(request, promo.code, status=201)


class OnePromo(APIView):
    """One promo code."""

    permission_classes = RULE

    @extend_schema(responses={200: shapes.PromoOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read it."""
        return _promo(request, code)

    @extend_schema(request=shapes.PromoTermsIn, responses={200: shapes.PromoOut, **REFUSED})
    def put(self, request: Request, code: UUID) -> Response:
        """Change when and how often it counts. What it takes off stays as it is."""
        promo = get_object_or_404(PromoCode, code=code)
        promos.change(promo=promo, by=person(request), **cleaned(promo_forms.Terms(request.data, promo=promo)))
        return _promo(request, code)


class StopPromo(APIView):
    """The end of a promo code."""

    permission_classes = RULE

    @extend_schema(request=None, responses={200: shapes.PromoOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Let it count no more. Bills that carry it keep their discount."""
        promos.stop(promo=get_object_or_404(PromoCode, code=code), by=person(request))
        return _promo(request, code)


class ResumePromo(APIView):
    """A stopped promo code."""

    permission_classes = RULE

    @extend_schema(request=None, responses={200: shapes.PromoOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Let it count again."""
        promos.resume(promo=get_object_or_404(PromoCode, code=code), by=person(request))
        return _promo(request, code)


# --- Keys ------------------------------------------------------------------------------------------------------------


def _keys(request: Request) -> Response:
    """Whose keys are used now."""
    account = GatewayAccount.objects.current()
    last = WebhookEvent.objects.of_own_keys().newest_first().first() if account else None
    own = {"set": True, "replace_webhook_secret": account is not None, "stop": account is not None}
    can = {name: Permission.MONEY_RULES for name, is_possible in own.items() if is_possible}
    shown = {
        "in_use": "own" if account else "platform" if settings.RAZORPAY_KEY_ID else "none",
        "key": account.hint if account else None,
        "is_test": gateway.has_keys() and gateway.takes_test_money(),
        "takes_online": gateway.takes_online(),
        "previous_secret_until": account.previous_until if account and account.has_previous_secret(now()) else None,
        "last_message_at": last.received_at if last else None,
        "webhook_url": hospital_url(hospital(request).slug, "razorpay_webhook"),
        "events": keys.EVENTS,
        "may": may(request._request, request.user, **can),
    }
    return Response(shapes.KeysOut(shown).data)


def _proved(request: Request, form: type[Prove]) -> dict[str, Any]:
    """What was sent, with the proof of who asks."""
    return cleaned(form(request.data, request=request._request, user=person(request)))


class Keys(APIView):
    """The hospital's own keys to Razorpay. Secrets are taken and never given."""

    permission_classes = RULE

    @extend_schema(responses={200: shapes.KeysOut})
    def get(self, request: Request) -> Response:
        """Read whose keys are used, and what to set up in Razorpay's dashboard."""
        return _keys(request)

    @extend_schema(request=shapes.KeysIn, responses={200: shapes.KeysOut, **UNANSWERED})
    def put(self, request: Request) -> Response:
        """Use these keys from now on, once Razorpay has said that it knows them. Needs `password` or `code`."""
        asked = _proved(request, key_forms.Keys)
        keys.use(request=request._request, by=person(request), now=now(), **asked)
        return _keys(request)

    @extend_schema(request=shapes.ProofIn, responses={200: shapes.KeysOut, **REFUSED})
    def delete(self, request: Request) -> Response:
        """Use them no more: the platform's are used, where it has any. Send `password` or `code` as JSON."""
        keys.stop(request=request._request, by=person(request), now=now(), **_proved(request, Prove))
        return _keys(request)


class WebhookSecret(APIView):
    """The secret that Razorpay's messages are signed with."""

    permission_classes = RULE

    @extend_schema(request=shapes.WebhookSecretIn, responses={200: shapes.KeysOut, **REFUSED})
    def put(self, request: Request) -> Response:
        """Replace it; the one before counts for three more days. Needs `password` or `code`."""
        asked = _proved(request, key_forms.WebhookSecret)
        keys.replace_webhook_secret(request=request._request, by=person(request), now=now(), **asked)
        return _keys(request)
