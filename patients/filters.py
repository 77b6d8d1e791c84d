"""Narrowing the register by what the address says."""

import django_filters
from django.utils.translation import gettext_lazy as _

from patients.models import Patient, Patients

SHOWN = {"doubles": _("Possible doubles"), "blocked": _("May not book online")}


class PatientFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """The register by words, and by what needs a look."""

    q = django_filters.CharFilter(method="having", max_length=200)
    show = django_filters.ChoiceFilter(choices=list(SHOWN.items()), method="needing")

    class Meta:
        model = Patient
        fields: list[str] = []

    def having(self, rows: Patients, name: str, words: str) -> Patients:
        """Those that have each of the words."""
        return rows.matching(words)

    def needing(self, rows: Patients, name: str, show: str) -> Patients:
        """Those of a tab of the page."""
        return rows.needing(show)
