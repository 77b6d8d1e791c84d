"""/api/ of a hospital's host, for its admin: contact, home page, own domains."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires, has_second_factor, may
from accounts.serializers import Problem
from core.rest import cleaned, hospital, person
from hospitals import serializers
from hospitals.api.profile_shapes import BookingRules
from hospitals.forms.settings import BookingForm, ContactForm, DomainForm, WelcomeForm
from hospitals.models import BookingPolicy, Settings
from hospitals.services import settings
from tenants import services as tenants
from tenants.models import Domain, Hospital

EDIT = [Requires(Permission.SETTINGS_EDIT)]


class Contact(APIView):
    """How patients reach the hospital, and its time zone."""

    permission_classes = EDIT

    @extend_schema(responses={200: serializers.Contact})
    def get(self, request: Request) -> Response:
        """Read how patients reach the hospital."""
        return Response(serializers.Contact(hospital(request)).data)

    @extend_schema(request=serializers.Contact, responses={200: serializers.Contact})
    def put(self, request: Request) -> Response:
        """Change how patients reach the hospital, and its time zone."""
        asked = hospital(request)
        settings.change_contact(hospital=asked, by=person(request), **cleaned(ContactForm(request.data)))
        return Response(serializers.Contact(asked).data)


class Welcome(APIView):
    """What the public home page says."""

    permission_classes = EDIT

    @extend_schema(responses={200: serializers.Welcome})
    def get(self, request: Request) -> Response:
        """Read what the public home page says."""
        return Response(serializers.Welcome(Settings.objects.get()).data)

    @extend_schema(request=serializers.Welcome, responses={200: serializers.Welcome})
    def put(self, request: Request) -> Response:
        """Change what the public home page says."""
        settings.change_welcome(
            settings=Settings.objects.get(), by=person(request), **cleaned(WelcomeForm(request.data))
        )
        return Response(serializers.Welcome(Settings.objects.get()).data)


class Booking(APIView):
    """The rules of booking."""

    permission_classes = EDIT

    @extend_schema(responses={200: BookingRules})
    def get(self, request: Request) -> Response:
        """Read the rules, and the sentences in which patients read them."""
        return Response(BookingRules(BookingPolicy.objects.get()).data)

    @extend_schema(request=BookingRules, responses={200: BookingRules, 400: Problem})
    def put(self, request: Request) -> Response:
        """Change the rules. Visits that are booked already keep theirs."""
        policy = BookingPolicy.objects.get()
        settings.change_booking(policy=policy, by=person(request), **cleaned(BookingForm(request.data)))
        return Response(BookingRules(BookingPolicy.objects.get()).data)


class SignIn(APIView):
    """What is asked of staff when they sign in."""

    permission_classes = EDIT

    @extend_schema(responses={200: serializers.SignInSettings})
    def get(self, request: Request) -> Response:
        """Read whether staff must use two-factor."""
        return self._answer(request)

    @extend_schema(
        request=serializers.SignInSettings, responses={200: serializers.SignInSettings, 400: Problem, 409: Problem}
    )
    def put(self, request: Request) -> Response:
        """Ask two-factor of all staff, or no longer. Whoever turns it on must have signed in with it."""
        form = serializers.SignInSettings(data=request.data)
        form.is_valid(raise_exception=True)
        settings.require_two_factor(
            hospital=hospital(request),
            is_required=form.validated_data["requires_two_factor"],
            is_two_factor=has_second_factor(request._request),
            by=person(request),
        )
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        asked = hospital(request)
        # Turning it on is for those who would not shut themselves out.
        can = asked.requires_two_factor or has_second_factor(request._request)
        permitted = may(request._request, request.user, change=Permission.SETTINGS_EDIT) if can else []
        return Response({"requires_two_factor": asked.requires_two_factor, "may": permitted})


def _domains(asked: Hospital) -> list[dict[str, object]]:
    serving = [{"domain": domain.domain, "is_serving": True} for domain in asked.domains.order_by("pk")]
    claimed = [
        {
            "domain": claim.domain,
            "is_serving": False,
            "record_name": claim.record_name,
            "record_value": claim.record_value,
        }
        for claim in asked.domain_claims.order_by("pk")
    ]
    return [*serving, *claimed]


class Domains(APIView):
    """Hosts the hospital answers on, and those it has still to prove."""

    permission_classes = EDIT

    @extend_schema(responses={200: serializers.OwnDomain(many=True)})
    def get(self, request: Request) -> Response:
        """List the hosts the hospital answers on, and those it has still to prove."""
        return Response(_domains(hospital(request)))

    @extend_schema(request=serializers.OwnDomain, responses={201: serializers.OwnDomain(many=True), 409: Problem})
    def post(self, request: Request) -> Response:
        """Add a domain; the answer holds the TXT record that proves it."""
        asked = hospital(request)
        tenants.claim_domain(hospital=asked, by=person(request), **cleaned(DomainForm(request.data)))
        return Response(_domains(asked), status=201)


class OneDomain(APIView):
    """One domain of the hospital's own."""

    permission_classes = EDIT

    @extend_schema(responses={204: None, 404: Problem, 422: Problem})
    def delete(self, request: Request, domain: str) -> Response:
        """Stop answering on it, or forget that it was to be proved."""
        asked = hospital(request)
        serving = Domain.objects.filter(tenant=asked, domain=domain).first()
        if serving:
            tenants.remove_domain(domain=serving, by=person(request))
        else:
            tenants.drop_claim(claim=get_object_or_404(asked.domain_claims, domain=domain), by=person(request))
        return Response(status=204)


class VerifyDomain(APIView):
    """The proof of a domain."""

    permission_classes = EDIT

    @extend_schema(request=None, responses={200: serializers.OwnDomain(many=True), 404: Problem, 422: Problem})
    def post(self, request: Request, domain: str) -> Response:
        """Look for the TXT record now; with it the hospital answers on the domain."""
        asked = hospital(request)
        tenants.verify_domain(claim=get_object_or_404(asked.domain_claims, domain=domain), by=person(request))
        return Response(_domains(asked))
