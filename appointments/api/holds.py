"""/api/appointments/hold/: keeping a time for ten minutes, with an account or without."""

from uuid import UUID

from django.http import Http404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires
from accounts.serializers import Problem
from appointments.api.places import HOLDER, HOSPITAL_ID, holder_of, hospital_asked, signed_in
from appointments.api.visits import OWN, bookable, shown, wish_of, works_at_desk
from appointments.models import Appointment
from appointments.serializers import visits as shapes
from appointments.services import asked, booking
from core.rest import address, person
from tenants.models import Hospital

PUBLIC = [Requires(Permission.PUBLIC)]
ASKS = [HOSPITAL_ID, HOLDER]


def _hold(hospital: Hospital, visit: Appointment, key: str | None, *, status: int = 200) -> Response:
    return Response(shapes.HoldOut(visit, context={"hospital": hospital, "holder": key}).data, status=status)


def _find(code: UUID, holder: UUID) -> Appointment:
    rows = Appointment.objects.filter(code=code, holder=holder)
    visit = rows.select_related("doctor__user", "doctor__schedule", "department").first()
    if visit is None:
        raise Http404
    return visit


def _find_held(code: UUID, holder: UUID) -> Appointment:
    visit = _find(code, holder)
    if visit.status != Appointment.Status.HELD:
        raise Http404
    return visit


class Holds(APIView):
    """Times that are held."""

    permission_classes = PUBLIC

    @extend_schema(
        parameters=ASKS,
        request=shapes.HoldIn,
        responses={
            201: shapes.HoldOut, 400: Problem, 404: Problem, 409: shapes.SlotTaken, 422: Problem, 429: Problem,
        },
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Hold a time. Another one that the same holder held here is given up."""
        with hospital_asked(request) as hospital:
            form = shapes.HoldIn(data=request.data, context={"hospital": hospital})
            form.is_valid(raise_exception=True)
            fields = form.validated_data
            holder, key = holder_of(request, is_new=True)
            visit = booking.hold(
                hospital=hospital,
                doctor=bookable(fields["doctor"]),
                starts_at=fields["starts_at"],
                kind=fields["kind"],
                holder=holder,
                by=signed_in(request),
                address=address(request),
                now=now(),
            )
            return _hold(hospital, visit, key, status=201)


class OneHold(APIView):
    """A time that is held, for who holds it."""

    permission_classes = PUBLIC

    @extend_schema(parameters=ASKS, responses={200: shapes.HoldOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Find it again."""
        with hospital_asked(request) as hospital:
            holder, key = holder_of(request)
            return _hold(hospital, _find_held(code, holder), key)

    @extend_schema(parameters=ASKS, responses={204: None, 404: Problem})
    def delete(self, request: Request, code: UUID) -> Response:
        """Give it up, so that others can have it at once."""
        with hospital_asked(request):
            holder, _key = holder_of(request)
            booking.release(visit=_find(code, holder), holder=holder, by=signed_in(request))
            return Response(status=204)


class ExtendHold(APIView):
    """Ten more minutes."""

    permission_classes = PUBLIC

    @extend_schema(parameters=ASKS, request=None, responses={200: shapes.HoldOut, 404: Problem, 409: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Hold the time ten minutes longer, once."""
        with hospital_asked(request) as hospital:
            holder, key = holder_of(request)
            visit = _find_held(code, holder)
            booking.extend(visit=visit, holder=holder, by=signed_in(request), now=now())
            return _hold(hospital, visit, key)


class BookHold(APIView):
    """The end of a hold: a visit."""

    permission_classes = OWN

    @extend_schema(
        parameters=ASKS,
        request=shapes.Whom,
        responses={201: shapes.VisitOut, 400: Problem, 404: Problem, 409: shapes.SlotTaken, 422: Problem},
    )
    def post(self, request: Request, code: UUID) -> Response:
        """Book the time that is held. Asked twice, it is booked once."""
        with hospital_asked(request) as hospital:
            form = shapes.Whom(data=request.data)
            form.is_valid(raise_exception=True)
            fields = form.validated_data
            holder, _key = holder_of(request)
            visit = asked.book_held(
                hospital=hospital,
                visit=_find(code, holder),
                holder=holder,
                wish=wish_of(request, fields),
                by=person(request),
                is_desk=fields["patient"] is not None and works_at_desk(request),
                now=now(),
            )
            return shown(request, hospital, visit, status=201, as_patient=True)
