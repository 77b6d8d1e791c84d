"""Narrowing lists by what the address says."""

import django_filters
from django import forms
from django.utils.translation import gettext_lazy as _

from audit.models import Action, AuditLog


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class AuditLogFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """An audit log, by who, what, about what, and from which day to which (in the active time zone)."""

    person = django_filters.CharFilter(field_name="actor", lookup_expr="icontains", label=_("Person"), max_length=200)
    action = django_filters.ChoiceFilter(choices=Action.choices, label=_("Action"), empty_label=_("Every action"))
    thing = django_filters.CharFilter(lookup_expr="icontains", label=_("About"), max_length=255)
    first = django_filters.DateFilter(field_name="timestamp", lookup_expr="date__gte", label=_("From"), widget=_day())
    last = django_filters.DateFilter(field_name="timestamp", lookup_expr="date__lte", label=_("To"), widget=_day())

    class Meta:
        model = AuditLog
        fields: list[str] = []
