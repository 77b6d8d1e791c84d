"""Narrowing lists of visits by what the address says."""

from datetime import date, datetime, time, timedelta

import django_filters
from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from appointments.models import Appointment, Status, WaitlistEntry
from appointments.models.visits import BOOKED, Appointments
from appointments.models.waiting import WaitlistEntries
from appointments.steps import STATUS_ALIASES
from core.visits import VisitKind
from hospitals.models import Department, Doctor
from hospitals.models.doctors import Doctors


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _doctors(request: object) -> Doctors:
    return Doctor.objects.verified().select_related("user").order_by("user__first_name", "user__last_name", "pk")


class VisitFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Visits by who, when, with whom and how they stand. Days are those of the active time zone."""

    q = django_filters.CharFilter(method="having", label=_("Patient or reference"), max_length=200)
    doctor = django_filters.ModelChoiceFilter(
        queryset=_doctors, to_field_name="code", label=_("Doctor"), empty_label=_("Every doctor")
    )
    status = django_filters.ChoiceFilter(
        choices=[*((status.value, status.label) for status in BOOKED), (Status.EXPIRED, _("Not paid in time"))],
        label=_("Status"),
        empty_label=_("Every status"),
    )
    first = django_filters.DateFilter(method="since", label=_("From"), widget=_day())
    last = django_filters.DateFilter(method="until", label=_("To"), widget=_day())
    department = django_filters.ModelChoiceFilter(
        queryset=Department.objects.by_name(),
        to_field_name="code",
        label=_("Department"),
        empty_label=_("Every department"),
    )
    kind = django_filters.ChoiceFilter(choices=VisitKind.choices, label=_("Kind of visit"), empty_label=_("Every kind"))
    source = django_filters.ChoiceFilter(
        choices=Appointment.Source.choices, label=_("Booked"), empty_label=_("Every way")
    )

    class Meta:
        model = Appointment
        fields: list[str] = []

    def having(self, rows: Appointments, name: str, words: str) -> Appointments:
        """Those of patients who have each of the words, or the one with this reference."""
        return rows.matching(words)

    def since(self, rows: Appointments, name: str, day: date) -> Appointments:
        """Visits of this day and later."""
        return rows.filter(starts_at__gte=_midnight(day))

    def until(self, rows: Appointments, name: str, day: date) -> Appointments:
        """Visits of this day and earlier."""
        return rows.filter(starts_at__lt=_midnight(day + timedelta(days=1))) if day < date.max else rows


class VisitApiFilter(VisitFilter):
    """The same for the API: patients by id, states also by the other names that clients have for them."""

    status = django_filters.ChoiceFilter(
        choices=[(name, name) for name in [*BOOKED, Status.EXPIRED, *STATUS_ALIASES]], method="standing"
    )
    patient = django_filters.UUIDFilter(field_name="patient__code")
    date_from = django_filters.DateFilter(method="since")
    date_to = django_filters.DateFilter(method="until")

    class Meta:
        model = Appointment
        fields: list[str] = []

    def standing(self, rows: Appointments, name: str, status: str) -> Appointments:
        """Those in this state."""
        return rows.filter(status=STATUS_ALIASES.get(status, status))


class WaitlistFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Who waits, by who it is and for whom."""

    q = django_filters.CharFilter(method="having", max_length=200)
    doctor = django_filters.UUIDFilter(field_name="doctor__code")

    class Meta:
        model = WaitlistEntry
        fields: list[str] = []

    def having(self, rows: WaitlistEntries, name: str, words: str) -> WaitlistEntries:
        """Those of patients who have each of the words."""
        return rows.matching(words)
