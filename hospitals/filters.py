"""Narrowing lists by what the address says."""

import datetime

import django_filters
from django import forms
from django.utils.translation import gettext_lazy as _

from audit.models import Action, AuditLog, AuditLogs
from core.visits import VisitKind
from directory.models import Wanted
from hospitals.models import STAFF_STATES, Doctor, Doctors, Staff, StaffMembers
from notifications.models import Notification, Notifications
from tenants.models import Hospital, Hospitals


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class AuditLogFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """An audit log, by who, what, about what, and from which day to which (in the active time zone)."""

    person = django_filters.CharFilter(field_name="actor", lookup_expr="icontains", label=_("Person"), max_length=200)
    action = django_filters.ChoiceFilter(choices=Action.choices, label=_("Action"), empty_label=_("Every action"))
    thing = django_filters.CharFilter(lookup_expr="icontains", label=_("About"), max_length=255)
    first = django_filters.DateFilter(method="since", label=_("From"), widget=_day())
    last = django_filters.DateFilter(method="until", label=_("To"), widget=_day())

    class Meta:
        model = AuditLog
        fields: list[str] = []

    def since(self, rows: AuditLogs, name: str, day: datetime.date) -> AuditLogs:
        """Rows of this day and later."""
        return rows.between(day, None)

    def until(self, rows: AuditLogs, name: str, day: datetime.date) -> AuditLogs:
        """Rows of this day and earlier."""
        return rows.between(None, day)


class AuditLogApiFilter(AuditLogFilter):
    """The same for the API, where things and people are also named by their ids."""

    user = django_filters.UUIDFilter(field_name="user__code")

    class Meta:
        model = AuditLog
        fields = ["entity", "entity_id"]


class HospitalFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Hospitals by where they stand, whether they are out of service, and by words."""

    q = django_filters.CharFilter(method="having")
    is_out_of_service = django_filters.BooleanFilter(method="pausing")

    class Meta:
        model = Hospital
        fields = ["status", "state"]

    def having(self, rows: Hospitals, name: str, words: str) -> Hospitals:
        """Those that have each of the words."""
        return rows.matching(words)

    def pausing(self, rows: Hospitals, name: str, is_so: bool) -> Hospitals:  # noqa: FBT001  (django-filter's)
        """Those that are, or all others."""
        return rows.out_of_service() if is_so else rows.filter(pause="")


class MessageFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Messages by state and by words."""

    q = django_filters.CharFilter(method="having")

    class Meta:
        model = Notification
        fields = ["state", "template"]

    def having(self, rows: Notifications, name: str, words: str) -> Notifications:
        """Those that have each of the words."""
        return rows.matching(words)


class StaffFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """The people who work here, by how they stand, role and words."""

    q = django_filters.CharFilter(method="having")
    state = django_filters.ChoiceFilter(choices=[(one, one) for one in STAFF_STATES], method="standing")

    class Meta:
        model = Staff
        fields = ["role"]

    def having(self, rows: StaffMembers, name: str, words: str) -> StaffMembers:
        """Those that have each of the words."""
        return rows.matching(words)

    def standing(self, rows: StaffMembers, name: str, state: str) -> StaffMembers:
        """Those of a tab of the page."""
        return rows.in_state(state)


class DoctorFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """The doctors of a hospital's site by words, department, kind of visit, and day with a free time."""

    q = django_filters.CharFilter(method="having", max_length=100)
    department = django_filters.CharFilter(method="inside", max_length=140)
    kind = django_filters.ChoiceFilter(choices=VisitKind.choices, method="offering")
    date = django_filters.DateFilter(method="free")
    on = django_filters.DateFilter(method="free")

    class Meta:
        model = Doctor
        fields: list[str] = []

    @property
    def kind_asked(self) -> VisitKind | None:
        """The kind of visit that is looked for, unless it is any."""
        self.is_valid()
        kind = self.form.cleaned_data.get("kind")
        return VisitKind(kind) if kind else None

    @property
    def day_asked(self) -> datetime.date | None:
        """The day that is looked for, unless it is any."""
        self.is_valid()
        asked: dict[str, datetime.date | None] = self.form.cleaned_data
        return asked.get("date") or asked.get("on")

    def having(self, rows: Doctors, name: str, words: str) -> Doctors:
        """Those whom the search finds by these words."""
        return rows.listed_as(Wanted(words=words))

    def inside(self, rows: Doctors, name: str, slug: str) -> Doctors:
        """Those of a department that patients see."""
        return rows.filter(department__slug=slug, department__is_active=True)

    def offering(self, rows: Doctors, name: str, kind: str) -> Doctors:
        """Those whom a visit of this kind can be booked with."""
        return rows.listed_as(Wanted(kind=VisitKind(kind)))

    def free(self, rows: Doctors, name: str, day: datetime.date) -> Doctors:
        """Those with a free time on this day of the hospital's calendar."""
        return rows.listed_as(Wanted(day=day, kind=self.kind_asked))
