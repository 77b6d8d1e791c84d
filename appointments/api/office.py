"""Many visits at once, walk-ins, and the queues of a day: on a hospital's own host."""

from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Public, Requires
from accounts.serializers import Problem
from appointments.api.visits import bookable, shown
from appointments.models import Appointment
from appointments.serializers import office as shapes
from appointments.serializers.visits import VisitOut
from appointments.services import booking, bulk, queue
from core.rest import hospital, person
from patients.models import Patient


class Bulk(APIView):
    """Many visits of the hospital."""

    permission_classes = [Requires(Permission.APPOINTMENT_OVERRIDE)]

    @extend_schema(
        request=shapes.BulkIn, responses={200: shapes.OutcomeOut(many=True), 400: Problem, 403: Problem, 422: Problem}
    )
    def post(self, request: Request) -> Response:
        """Cancel or move each of them; the answer says of each what became of it."""
        form = shapes.BulkIn(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        named = Appointment.objects.booked().filter(code__in=said["appointments"])
        visits = list(named.with_people().select_related("doctor__schedule").by_time())
        asked = {"hospital": hospital(request), "by": person(request), "reason": said["reason"], "now": now()}
        if said["action"] == "cancel":
            outcomes = bulk.cancel(visits=visits, **asked)
        else:
            to = bookable(said["doctor"]) if "doctor" in said else None
            outcomes = bulk.move(visits=visits, doctor=to, on=said.get("on"), **asked)
        return Response(shapes.OutcomeOut(outcomes, many=True).data)


class WalkIn(APIView):
    """Somebody without a booking."""

    permission_classes = [Requires(Permission.QUEUE_RUN)]

    @extend_schema(request=shapes.WalkInIn, responses={201: VisitOut, 403: Problem, 404: Problem, 422: Problem})
    def post(self, request: Request) -> Response:
        """Take them into today's queue; the answer holds their token."""
        form = shapes.WalkInIn(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        visit = booking.walk_in(
            hospital=hospital(request),
            doctor=bookable(said["doctor"]),
            patient=get_object_or_404(Patient.objects.current(), code=said["patient"]),
            reason=said["reason"],
            by=person(request),
            now=now(),
        )
        return shown(request, hospital(request), visit, status=201)


class Board(APIView):
    """The board in the waiting room."""

    permission_classes = [Public]

    @extend_schema(responses=shapes.LineOut(many=True))
    def get(self, request: Request) -> Response:
        """Which tokens are inside and which are next, by doctor. Nothing about people is in it."""
        lines = queue.lines(hospital=hospital(request), now=now())
        return Response(shapes.LineOut(lines, many=True).data)
