"""/api/doctors/<id>/ of a hospital's host: when a doctor can be booked, and the hours behind it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.timezone import localdate, now
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.permissions import Permission, Public, Requires, granted
from accounts.serializers import Problem
from appointments.models import Availability
from appointments.serializers import hours as shapes
from appointments.services import hours as services
from appointments.services import times
from core.rest import hospital, person
from hospitals.models import Doctor

# Who runs the hospital's hours changes everybody's; a doctor their own.
EDIT = [Requires(Permission.OWN_DAY)]
REFUSED = {404: Problem, 409: Problem, 422: Problem}
DONE = {200: shapes.DoctorHours, **REFUSED}


def _doctor(code: UUID) -> Doctor:
    return get_object_or_404(Doctor.objects.verified().select_related("user", "schedule"), code=code)


def _may_edit(request: Request, doctor: Doctor) -> bool:
    if granted(request, request.user, Permission.HOURS_EDIT):
        return True
    return granted(request, request.user, Permission.OWN_DAY) and doctor.user_id == request.user.pk


def _editable(request: Request, code: UUID) -> Doctor:
    found = Doctor.objects.verified().select_related("user", "schedule")
    if not granted(request, request.user, Permission.HOURS_EDIT):
        found = found.of(person(request))
    return get_object_or_404(found, code=code)


def _row(doctor: Doctor, code: UUID, among: QuerySet[Availability]) -> Availability:
    row = get_object_or_404(among.filter(doctor=doctor), code=code)
    row.doctor = doctor
    return row


def _asked(request: Request, serializer: type[Serializer[Any]]) -> dict[str, Any]:
    found = serializer(data=request.data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def _shown(request: Request, doctor: Doctor, status: int = 200) -> Response:
    """The doctor's hours as they stand now."""
    rows = list(
        doctor.availability.filter(last_date__isnull=True) | doctor.availability.filter(last_date__gte=localdate())
    )
    kind = Availability.Kind
    may = _may_edit(request, doctor)
    weekly = sorted((row for row in rows if row.weekday is not None), key=lambda row: (row.weekday, row.starts, row.pk))
    dated = sorted((row for row in rows if row.weekday is None), key=lambda row: (row.first_date, row.starts, row.pk))
    answer = {
        "doctor": doctor.code,
        "time_zone": hospital(request).time_zone,
        "schedule": times.schedule_of(doctor),
        "weekly": weekly,
        "extra": [row for row in dated if row.kind == kind.EXTRA],
        "leave": [row for row in dated if row.kind == kind.LEAVE],
        "may": ["edit"] if may else [],
    }
    return Response(shapes.DoctorHours(answer, context={"may": may}).data, status=status)


class FreeTimes(APIView):
    """When a doctor can be booked."""

    permission_classes = [Public]

    @extend_schema(parameters=[shapes.Asked], responses={200: shapes.FreeTimes, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """List the free times of a doctor, the next 7 days unless others are asked for."""
        doctor = get_object_or_404(Doctor.objects.bookable().select_related("user", "schedule"), code=code)
        moment = now()
        asked = shapes.Asked(data=request.query_params, context={"today": localdate(moment)})
        asked.is_valid(raise_exception=True)
        first, last = asked.validated_data["first"], asked.validated_data["last"]
        slots = times.free_slots(
            hospital=hospital(request),
            doctor=doctor,
            first=first,
            last=last,
            now=moment,
            kind=asked.validated_data["kind"],
        )
        zone = times.zone_of(hospital(request))
        return Response(shapes.free_times(doctor=doctor.code, zone=zone, first=first, last=last, slots=slots))


class SetAvailability(APIView):
    """A doctor's time, in one call."""

    permission_classes = EDIT

    @extend_schema(request=shapes.AvailabilityIn, responses=DONE)
    def post(self, request: Request, code: UUID) -> Response:
        """Set a stretch of one day, the whole week, or leave.

        Where booked visits would lose their time nothing changes, and the answer is a 409 with the list `affected`, until
        the same is sent with a decision for each of them or for all.
        """
        doctor = _editable(request, code)
        asked = _asked(request, shapes.AvailabilityIn)
        if "date" in asked:
            self._one_day(request, doctor, asked)
        elif "leave" in asked:
            self._leave(request, doctor, asked)
        elif "weekly" in asked:
            week = [(one["weekday"], shapes.stretch_of(one)) for one in asked["weekly"]]
            services.replace_week(
                **self._who(request, doctor, asked), week=week, schedule=dict(asked.get("schedule") or {})
            )
        else:
            services.set_schedule(doctor=doctor, by=person(request), **asked["schedule"])
        return _shown(request, doctor)

    def _who(self, request: Request, doctor: Doctor, asked: dict[str, Any]) -> dict[str, Any]:
        return {
            "hospital": hospital(request),
            "doctor": doctor,
            "by": person(request),
            "now": now(),
            "decisions": shapes.decisions_of(asked),
        }

    def _one_day(self, request: Request, doctor: Doctor, asked: dict[str, Any]) -> None:
        who = self._who(request, doctor, asked)
        if asked["is_available"]:
            who.pop("decisions")
            services.add_extra(**who, day=asked["date"], stretch=shapes.stretch_of(asked))
            return
        services.add_leave(
            **who,
            first_date=asked["date"],
            last_date=asked["date"],
            starts=asked["start_time"],
            ends=asked["end_time"],
            note=asked.get("note", ""),
        )

    def _leave(self, request: Request, doctor: Doctor, asked: dict[str, Any]) -> None:
        leave = asked["leave"]
        services.add_leave(
            **self._who(request, doctor, asked),
            first_date=leave["from"],
            last_date=leave.get("to") or leave["from"],
            starts=leave.get("from_time"),
            ends=leave.get("to_time"),
            note=leave["note"],
        )


class Hours(APIView):
    """The hours behind a doctor's free times."""

    permission_classes = [Requires(Permission.START_VIEW)]

    @extend_schema(responses={200: shapes.DoctorHours, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read a doctor's hours, leave, and how the hours are divided. Notes are for who may change them."""
        return _shown(request, _doctor(code))


class AddHours(APIView):
    """More hours of every week."""

    permission_classes = EDIT

    @extend_schema(request=shapes.Added, responses={201: shapes.DoctorHours, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Add the same hours to one day of the week or several."""
        doctor = _editable(request, code)
        asked = _asked(request, shapes.Added)
        services.add_weekly(
            hospital=hospital(request),
            doctor=doctor,
            weekdays=asked["weekdays"],
            stretch=shapes.stretch_of(asked),
            by=person(request),
            now=now(),
        )
        return _shown(request, doctor, status=201)


class CopyHours(APIView):
    """The same hours on other days."""

    permission_classes = EDIT

    @extend_schema(request=shapes.Copy, responses=DONE)
    def post(self, request: Request, code: UUID) -> Response:
        """Give other days of the week the hours of this one, in place of theirs."""
        doctor = _editable(request, code)
        asked = _asked(request, shapes.Copy)
        services.copy_day(
            hospital=hospital(request),
            doctor=doctor,
            weekday=asked["weekday"],
            to=asked["to"],
            by=person(request),
            now=now(),
            decisions=shapes.decisions_of(asked),
        )
        return _shown(request, doctor)


class OneStretch(APIView):
    """One stretch of a doctor's hours or leave."""

    permission_classes = EDIT

    @extend_schema(request=shapes.Change, responses=DONE)
    def put(self, request: Request, code: UUID, row: UUID) -> Response:
        """Change hours of every week."""
        doctor = _editable(request, code)
        found = _row(doctor, row, Availability.objects.weekly())
        asked = _asked(request, shapes.Change)
        services.change_weekly(
            hospital=hospital(request),
            row=found,
            weekday=asked["weekday"],
            stretch=shapes.stretch_of(asked),
            by=person(request),
            now=now(),
            decisions=shapes.decisions_of(asked),
        )
        return _shown(request, doctor)

    @extend_schema(request=shapes.Affected, responses={204: None, **REFUSED})
    def delete(self, request: Request, code: UUID, row: UUID) -> Response:
        """Remove hours or leave."""
        doctor = _editable(request, code)
        found = _row(doctor, row, Availability.objects.all())
        services.remove(
            hospital=hospital(request),
            row=found,
            by=person(request),
            now=now(),
            decisions=shapes.decisions_of(_asked(request, shapes.Affected)),
        )
        return Response(status=204)
