"""/api/appointments/: visits of a hospital, on its own host; on the portal `hospital_id` names the hospital.

Tokens of the portal carry no staff power: there everybody is a patient.
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires, granted, role_of
from accounts.serializers import Problem
from appointments import calendars, steps
from appointments.api.places import HOSPITAL_ID, hospital_asked, names_hospital
from appointments.filters import VisitApiFilter
from appointments.models import Appointment
from appointments.serializers import visits as shapes
from appointments.services import asked, day, everywhere, moving, paying
from appointments.services.asked import Wish
from appointments.steps import Step
from audit.models import AuditLog
from core.errors import Missing
from core.prepared import given, prepared
from core.rest import FileView, Pagination, person
from hospitals.models import Doctor
from tenants.models import Hospital

OWN = [Requires(Permission.OWN_ACCOUNT)]
AWAY = OpenApiParameter(
    "X-Out-Of-Service",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description="The ids of hospitals whose visits are missing here for a few minutes.",
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="At most 80 characters. Asked twice with the same one, the visit is booked once.",
)
REFUSED = {403: Problem, 404: Problem, 409: Problem}
_KEY_LENGTH = 80
# Long texts and pictures, which say nothing about booking a doctor.
_NOT_BOOKED = ["bio", "answer", "photo_thumb", "department__description", "department__image_thumb"]
_MADE = 201


def shown(
    request: Request, hospital: Hospital, visit: Appointment, *, status: int = 200, as_patient: bool = False
) -> Response:
    """A visit as the caller sees it; `as_patient`, who has just booked for themselves, says what they may as that."""
    if status == _MADE and not visit.waits_for_payment:
        visit.bill_code = None  # type: ignore[attr-defined]  # nobody has billed a visit that was just booked
    context = {"request": request, "hospital": hospital, "as_patient": as_patient}
    return Response(shapes.VisitOut(visit, context=context).data, status=status)


def bookable(code: UUID) -> Doctor:
    """The doctor whom the body names."""
    found = _verified.first(code=code)
    if found is None:
        raise Missing(_("No doctor of this hospital has this id."), field="doctor")
    return found


@prepared
def _verified() -> QuerySet[Doctor]:
    doctors = Doctor.objects.verified().select_related("user", "department", "schedule").defer(*_NOT_BOOKED)
    return doctors.filter(code=given("code"))


def wish_of(request: Request, fields: dict[str, Any]) -> Wish:
    """What the request says of the visit, and the key it is known by."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > _KEY_LENGTH or not key.isprintable():
        raise ValidationError({"Idempotency-Key": [_("Send at most 80 characters.")]})
    by_page = isinstance(request.successful_authenticator, SessionAuthentication)
    source = Appointment.Source.WEB if by_page else Appointment.Source.API
    return Wish(fields["patient"], fields["reason"], source, key)


def works_at_desk(request: Request) -> bool:
    """Whether the caller may book for any patient here."""
    return granted(request, request.user, Permission.APPOINTMENT_DESK)


def _book(request: Request) -> Response:
    with hospital_asked(request) as hospital:
        form = shapes.BookingIn(data=request.data, context={"hospital": hospital})
        form.is_valid(raise_exception=True)
        fields = form.validated_data
        visit = asked.book(
            hospital=hospital,
            doctor=bookable(fields["doctor"]),
            starts_at=fields["starts_at"],
            kind=fields["kind"],
            wish=wish_of(request, fields),
            by=person(request),
            is_desk=fields["patient"] is not None and works_at_desk(request),
            now=now(),
        )
        return shown(request, hospital, visit, status=201, as_patient=True)


_BOOKING: Any = {
    "parameters": [HOSPITAL_ID, KEY],
    "request": shapes.BookingIn,
    "responses": {201: shapes.VisitOut, 400: Problem, 404: Problem, 409: shapes.SlotTaken, 422: Problem},
}


@extend_schema(parameters=[HOSPITAL_ID, AWAY])
class OwnVisits(generics.ListAPIView[Appointment]):
    """One's own visits and those of one's family; on the portal without `hospital_id` those at all hospitals.

    The earliest first; at all hospitals the latest first, and nothing narrows them. Those at a hospital that is out of
    service for a moment are left out of the page; `X-Out-Of-Service` then names it.
    """

    permission_classes = OWN
    serializer_class = shapes.VisitOut
    filterset_class = VisitApiFilter
    queryset = Appointment.objects.none()  # what is listed; whose, see below

    def get_queryset(self) -> QuerySet[Appointment]:
        """Those booked under one's own account, whatever one is here."""
        return Appointment.objects.visible_to(person(self.request), None).with_people().with_bill().by_time()

    def get_serializer_context(self) -> dict[str, Any]:
        """With the hospital they are in."""
        return {**super().get_serializer_context(), "hospital": getattr(self, "hospital", None)}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of them."""
        if not names_hospital(request):
            return self.everywhere(request)
        with hospital_asked(request) as self.hospital:
            return super().get(request, *args, **kwargs)

    def everywhere(self, request: Request) -> Response:
        """Those at all hospitals."""
        user = person(request)
        pages = Pagination()
        rows = pages.paginate_queryset(everywhere.known(user=user), request, view=self) or []
        found = everywhere.details(user=user, rows=rows)
        context = self.get_serializer_context()
        shown = [shapes.VisitOut(one.visit, context={**context, "hospital": one.hospital}).data for one in found]
        answer = pages.get_paginated_response(shown)
        away = {str(row.hospital.code) for row in rows if row.hospital.pause}
        if away:
            answer["X-Out-Of-Service"] = ", ".join(sorted(away))
        return answer


class Visits(OwnVisits):
    """One's own visits; on a hospital's host also those with a doctor who asks, and all for who looks after them."""

    def get_queryset(self) -> QuerySet[Appointment]:
        """Those the caller may see."""
        role = role_of(self.request, self.request.user)
        return Appointment.objects.visible_to(person(self.request), role).with_people().with_bill().by_time()

    @extend_schema(**_BOOKING)
    def post(self, request: Request) -> Response:
        """Book a free time."""
        return _book(request)


class HospitalVisits(OwnVisits):
    """All visits of the hospital, the earliest first."""

    permission_classes = [Requires(Permission.APPOINTMENT_VIEW)]

    def get_queryset(self) -> QuerySet[Appointment]:
        """Every one."""
        return Appointment.objects.booked().with_people().with_bill().by_time()


class Book(APIView):
    """Booking, by its other name."""

    permission_classes = OWN

    @extend_schema(**_BOOKING)
    def post(self, request: Request) -> Response:
        """Book a free time."""
        return _book(request)


def find(request: Request, code: UUID) -> Appointment:
    """The visit of the address, if the caller may see it."""
    visits = Appointment.objects.visible_to(person(request), role_of(request, request.user)).with_people()
    return get_object_or_404(visits.select_related("doctor__schedule"), code=code)


class OneVisit(APIView):
    """One visit."""

    permission_classes = OWN

    @extend_schema(parameters=[HOSPITAL_ID], responses={200: shapes.VisitOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read it."""
        with hospital_asked(request) as hospital:
            return shown(request, hospital, find(request, code))


class VisitCalendar(FileView):
    """One visit for one's calendar."""

    permission_classes = OWN

    @extend_schema(
        parameters=[HOSPITAL_ID],
        responses={(200, calendars.MEDIA_TYPE): OpenApiTypes.BINARY, 404: Problem},
    )
    def get(self, request: Request, code: UUID) -> HttpResponse:
        """Read it, as a file of RFC 5545. After a move or a cancellation it changes the entry that is there."""
        with hospital_asked(request) as hospital:
            return calendars.answer(hospital=hospital, visit=find(request, code), now=now())


def _step(request: Request, hospital: Hospital, visit: Appointment, step: Step, reason: str) -> Response:
    steps.take(request, step, hospital=hospital, visit=visit, by=person(request), reason=reason, now=now())
    return shown(request, hospital, visit)


class TakeStep(APIView):
    """One step in the life of a visit. `may` of the visit says which are possible."""

    permission_classes = OWN
    step = Step.CANCEL  # each address has its own

    @extend_schema(parameters=[HOSPITAL_ID], request=shapes.StepIn, responses={200: shapes.VisitOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Take it."""
        with hospital_asked(request) as hospital:
            form = shapes.StepIn(data=request.data)
            form.is_valid(raise_exception=True)
            return _step(request, hospital, find(request, code), self.step, form.validated_data["reason"])


class Cancel(TakeStep):
    """The end of a visit that is not wanted any more."""

    @extend_schema(parameters=[HOSPITAL_ID], responses={200: shapes.CancellingOut, 403: Problem, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """What would become of the money if the caller cancelled it now; the hospital keeps nothing."""
        with hospital_asked(request):
            visit = find(request, code)
            steps.require(request, visit, Step.CANCEL)
            by_hospital = steps.acts_for_hospital(request, visit, Step.CANCEL)
            money = paying.money_if(visit, kept=Decimal()) if by_hospital else day.if_cancelled(visit, now())
            return Response(shapes.CancellingOut(money).data)


class Pay(APIView):
    """The way to the checkout."""

    permission_classes = OWN

    @extend_schema(parameters=[HOSPITAL_ID], request=None, responses={200: shapes.VisitOut, 404: Problem, 409: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Begin to pay: `payment.invoice` is the bill to pay. A time that waits for it is kept a while longer."""
        with hospital_asked(request) as hospital:
            mine = Appointment.objects.visible_to(person(request), None)
            visit = get_object_or_404(mine.with_people().select_related("doctor__schedule"), code=code)
            paying.begin(hospital=hospital, visit=visit, by=person(request), now=now())
            return shown(request, hospital, find(request, code), as_patient=True)


class Bill(APIView):
    """The bill of a visit, for who works with bills here."""

    permission_classes = [Requires(Permission.INVOICE_EDIT)]

    @extend_schema(request=None, responses={200: shapes.VisitOut, 404: Problem, 409: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Begin the bill; `payment.invoice` is its id. Asked again, answers the one there is."""
        with hospital_asked(request) as hospital:
            looked_after = Appointment.objects.looked_after_by(person(request), role_of(request, request.user))
            visit = get_object_or_404(looked_after.with_people().select_related("doctor__schedule"), code=code)
            paying.bill(hospital=hospital, visit=visit, by=person(request), now=now())
            return shown(request, hospital, visit)


class UpdateStatus(APIView):
    """The state of a visit."""

    permission_classes = OWN

    @extend_schema(
        parameters=[HOSPITAL_ID],
        request=shapes.StatusIn,
        responses={200: shapes.VisitOut, 400: Problem, 422: Problem, **REFUSED},
    )
    def patch(self, request: Request, code: UUID) -> Response:
        """Bring the visit into another state, as far as its own and the caller's place here permit."""
        with hospital_asked(request) as hospital:
            form = shapes.StatusIn(data=request.data)
            form.is_valid(raise_exception=True)
            visit = find(request, code)
            step = steps.towards(visit, form.validated_data["status"])
            return _step(request, hospital, visit, step, form.validated_data["reason"])


class Reschedule(APIView):
    """Another time for a visit."""

    permission_classes = OWN

    @extend_schema(
        parameters=[HOSPITAL_ID],
        request=shapes.MoveIn,
        responses={200: shapes.VisitOut, 400: Problem, 403: Problem, 404: Problem, 409: shapes.SlotTaken, 422: Problem},
    )
    def post(self, request: Request, code: UUID) -> Response:
        """Move the visit; the answer is the new one, under a new id."""
        with hospital_asked(request) as hospital:
            form = shapes.MoveIn(data=request.data, context={"hospital": hospital})
            form.is_valid(raise_exception=True)
            fields, visit = form.validated_data, find(request, code)
            steps.require(request, visit, Step.MOVE)
            by_hospital = steps.acts_for_hospital(request, visit, Step.MOVE)
            to = fields.get("doctor")
            if to and to != visit.doctor.code and not by_hospital:
                raise PermissionDenied(_("Only the hospital moves a visit to another doctor. Book a new one instead."))
            moved = moving.move(
                hospital=hospital,
                visit=visit,
                starts_at=fields["starts_at"],
                doctor=bookable(to) if to else None,
                by=person(request),
                by_hospital=by_hospital,
                reason=fields["reason"],
                now=now(),
            )
            return shown(request, hospital, moved)


class VisitLogs(generics.ListAPIView[AuditLog]):
    """What happened to a visit, the latest first."""

    permission_classes = [Requires(Permission.VISIT_OPEN)]
    serializer_class = shapes.VisitLog
    queryset = AuditLog.objects.none()  # what is listed; about which visit, see below

    def get_queryset(self) -> QuerySet[AuditLog]:
        """Rows about it, for who looks after it here."""
        request = self.request
        visits = Appointment.objects.looked_after_by(person(request), role_of(request, request.user))
        return AuditLog.objects.about(get_object_or_404(visits, code=self.kwargs["code"])).newest_first()
