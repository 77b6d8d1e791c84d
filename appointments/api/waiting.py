"""/api/waitlist/ of a hospital's host: waiting for an earlier time, and answering when there is one."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import FamilyMember
from accounts.permissions import Permission, Requires, role_of
from accounts.serializers import Problem
from appointments.filters import WaitlistFilter
from appointments.models import Appointment, WaitlistEntry
from appointments.serializers import waiting as shapes
from appointments.services import waiting
from appointments.services.waiting import Wish
from core.rest import hospital, person
from core.visits import VisitKind
from hospitals.models import Doctor

OWN = [Requires(Permission.OWN_ACCOUNT)]
REFUSED = {404: Problem, 409: Problem}


def _find(request: Request, code: UUID) -> WaitlistEntry:
    return get_object_or_404(WaitlistEntry.objects.of(person(request)).with_people(), code=code)


def _shown(request: Request, entry: WaitlistEntry, *, status: int = 200) -> Response:
    """An entry as it is now."""
    row = WaitlistEntry.objects.with_people().get(pk=entry.pk)
    return Response(shapes.EntryOut(row, context={"request": request}).data, status=status)


def _wish(request: Request, doctor: Doctor, said: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, with what its ids stand for."""
    user = person(request)
    family, mine = FamilyMember.objects.of(user), Appointment.objects.visible_to(user, None)
    replaced = said["instead_of"] and get_object_or_404(
        mine.select_related("patient", "doctor"), code=said["instead_of"], doctor=doctor
    )
    kinds = [VisitKind(kind) for kind in said["kinds"]]
    return {
        "member": said["member"] and get_object_or_404(family, code=said["member"]),
        "wish": Wish(said["first_date"], said["last_date"], kinds, instead_of=replaced or None),
    }


class Waitlist(generics.ListAPIView[WaitlistEntry]):
    """What one waits for at this hospital, oneself and one's family."""

    permission_classes = OWN
    serializer_class = shapes.EntryOut
    filter_backends = []

    def get_queryset(self) -> QuerySet[WaitlistEntry]:
        """One's own entries, the latest first."""
        return WaitlistEntry.objects.of(person(self.request)).with_people().newest_first()

    @extend_schema(request=shapes.WishIn, responses={201: shapes.EntryOut, 400: Problem, **REFUSED, 422: Problem})
    def post(self, request: Request) -> Response:
        """Wait for an earlier time of a doctor. A freed time is held for 15 minutes; a message says so."""
        form = shapes.WishIn(data=request.data)
        form.is_valid(raise_exception=True)
        bookable = Doctor.objects.bookable().select_related("user", "schedule")
        doctor = get_object_or_404(bookable, code=form.validated_data["doctor"])
        asked = _wish(request, doctor, form.validated_data)
        entry = waiting.join(hospital=hospital(request), doctor=doctor, by=person(request), now=now(), **asked)
        return _shown(request, entry, status=201)


class OneEntry(APIView):
    """One entry of one's own."""

    permission_classes = OWN

    @extend_schema(responses={200: shapes.EntryOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read where it stands, and what is offered."""
        return _shown(request, _find(request, code))

    @extend_schema(responses={204: None, **REFUSED})
    def delete(self, request: Request, code: UUID) -> Response:
        """Wait no longer; the front desk says it for anybody. A time that was just offered goes to the next one."""
        seen = WaitlistEntry.objects.visible_to(person(request), role_of(request, person(request)))
        waiting.withdraw(entry=get_object_or_404(seen, code=code), by=person(request))
        return Response(status=204)


class Accept(APIView):
    """Yes to the time that is offered."""

    permission_classes = OWN

    @extend_schema(request=None, responses={200: shapes.EntryOut, **REFUSED, 422: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Take the time; `appointment` is the visit it became. Asked twice, it is booked once."""
        entry = _find(request, code)
        waiting.accept(hospital=hospital(request), entry=entry, by=person(request), now=now())
        return _shown(request, entry)


class Decline(APIView):
    """No to the time that is offered."""

    permission_classes = OWN

    @extend_schema(request=None, responses={200: shapes.EntryOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Leave the time to the next one, and wait on."""
        entry = _find(request, code)
        waiting.decline(entry=entry, by=person(request))
        return _shown(request, entry)


class HospitalWaitlist(generics.ListAPIView[WaitlistEntry]):
    """Everybody who waits at this hospital, in the order in which they are asked."""

    permission_classes = [Requires(Permission.APPOINTMENT_DESK)]
    serializer_class = shapes.EntryOut
    filterset_class = WaitlistFilter

    def get_queryset(self) -> QuerySet[WaitlistEntry]:
        """Those who wait or have just been asked."""
        return WaitlistEntry.objects.open().with_people().in_fair_order()
