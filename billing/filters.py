"""Narrowing lists of bills, claims and money by what the address says."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

import django_filters
from django import forms
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from billing.models import About, CashDay, Discrepancy, InsuranceClaim, Invoice, Method, Payment, PromoCode, Refund
from billing.models.desk import CashDays
from billing.models.gateway import Discrepancies
from billing.models.insurance import InsuranceClaims
from billing.models.invoices import Invoices
from billing.models.payments import Payments
from billing.models.promos import PromoCodes
from billing.models.refunds import Refunds
from hospitals.models import Department, Doctor
from hospitals.models.doctors import Doctors


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _doctors(request: object) -> Doctors:
    return Doctor.objects.verified().select_related("user").order_by("user__first_name", "user__last_name", "pk")


def _clerks(request: object) -> models.QuerySet[User]:
    return User.objects.filter(pk__in=CashDay.objects.values("clerk")).order_by("first_name", "last_name", "pk")


class InvoiceFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Bills by whose they are, when, for what and how they stand. Days are those of the active time zone."""

    q = django_filters.CharFilter(method="having", label=_("Patient or bill number"), max_length=200)
    status = django_filters.ChoiceFilter(
        choices=Invoice.Status.choices, label=_("Status"), empty_label=_("Every status")
    )
    first = django_filters.DateFilter(method="since", label=_("From"), widget=_day())
    last = django_filters.DateFilter(method="until", label=_("To"), widget=_day())
    about = django_filters.ChoiceFilter(choices=About.choices, label=_("For"), empty_label=_("Everything"))
    doctor = django_filters.ModelChoiceFilter(
        queryset=_doctors, to_field_name="code", label=_("Doctor"), empty_label=_("Every doctor")
    )
    department = django_filters.ModelChoiceFilter(
        queryset=Department.objects.by_name(),
        to_field_name="code",
        label=_("Department"),
        empty_label=_("Every department"),
    )

    class Meta:
        model = Invoice
        fields: list[str] = []

    def having(self, rows: Invoices, name: str, words: str) -> Invoices:
        """Those of patients who have each of the words, or the one with this number."""
        return rows.matching(words)

    def since(self, rows: Invoices, name: str, day: date) -> Invoices:
        """Bills of this day and later."""
        return rows.dated(day, None, _midnight)

    def until(self, rows: Invoices, name: str, day: date) -> Invoices:
        """Bills of this day and earlier."""
        return rows.dated(None, day, _midnight)


class InvoiceApiFilter(InvoiceFilter):
    """The same for the API: also by the ids of patients and of what is billed, and by what is still to be done."""

    patient = django_filters.UUIDFilter(field_name="patient__code")
    appointment = django_filters.UUIDFilter(method="of_visit")
    date_from = django_filters.DateFilter(method="since")
    date_to = django_filters.DateFilter(method="until")
    owed = django_filters.BooleanFilter(method="owing")
    to_approve = django_filters.BooleanFilter(method="waiting")

    class Meta:
        model = Invoice
        fields: list[str] = []

    def of_visit(self, rows: Invoices, name: str, code: UUID) -> Invoices:
        """The bill of a visit, and those of it that were cancelled."""
        return rows.filter(about=About.VISIT, about_code=code)

    def owing(self, rows: Invoices, name: str, is_so: bool) -> Invoices:  # noqa: FBT001
        """Those on which something is owed."""
        return rows.outstanding() if is_so else rows

    def waiting(self, rows: Invoices, name: str, is_so: bool) -> Invoices:  # noqa: FBT001
        """Those whose discount waits for approval."""
        return rows.awaiting_approval() if is_so else rows


class ClaimFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Insurers' claims by their numbers, the patient, and how they stand."""

    q = django_filters.CharFilter(method="having", label=_("Patient, insurer or number"), max_length=200)
    status = django_filters.ChoiceFilter(
        choices=InsuranceClaim.Status.choices, label=_("Status"), empty_label=_("Every open claim")
    )

    class Meta:
        model = InsuranceClaim
        fields: list[str] = []

    def having(self, rows: InsuranceClaims, name: str, words: str) -> InsuranceClaims:
        """Those with this number or insurer, or of patients who have each of the words."""
        return rows.matching(words)

    def filter_queryset(self, rows: InsuranceClaims) -> InsuranceClaims:
        """Open ones only, unless a status is asked for."""
        found: InsuranceClaims = super().filter_queryset(rows)
        return found if self.form.cleaned_data.get("status") else found.open()


class PaymentFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Payments by whose they are and their numbers, how they came, how they stand, and when."""

    q = django_filters.CharFilter(method="having", label=_("Patient or number"), max_length=200)
    method = django_filters.ChoiceFilter(choices=Method.choices, label=_("Method"), empty_label=_("Every method"))
    status = django_filters.ChoiceFilter(
        choices=Payment.Status.choices, label=_("Status"), empty_label=_("Every status")
    )
    first = django_filters.DateFilter(method="since", label=_("From"), widget=_day())
    last = django_filters.DateFilter(method="until", label=_("To"), widget=_day())

    class Meta:
        model = Payment
        fields: list[str] = []

    def having(self, rows: Payments, name: str, words: str) -> Payments:
        """Those with this number, or of patients who have each of the words."""
        return rows.matching(words)

    def since(self, rows: Payments, name: str, day: date) -> Payments:
        """Of this day and later."""
        return rows.filter(created_at__gte=_midnight(day))

    def until(self, rows: Payments, name: str, day: date) -> Payments:
        """Of this day and earlier."""
        return rows.filter(created_at__lt=_midnight(day + timedelta(days=1))) if day < date.max else rows


class CashDayFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Clerks' cash days by clerk, when they began, and whether they are closed."""

    clerk = django_filters.ModelChoiceFilter(
        queryset=_clerks, to_field_name="code", label=_("Clerk"), empty_label=_("Every clerk")
    )
    status = django_filters.ChoiceFilter(
        choices=CashDay.Status.choices, label=_("Status"), empty_label=_("Open and closed")
    )
    first = django_filters.DateFilter(method="since", label=_("From"), widget=_day())
    last = django_filters.DateFilter(method="until", label=_("To"), widget=_day())
    differs = django_filters.BooleanFilter(
        method="differing", label=_("Only with a difference"), widget=forms.CheckboxInput
    )

    class Meta:
        model = CashDay
        fields: list[str] = []

    def since(self, rows: CashDays, name: str, day: date) -> CashDays:
        """Begun on this day or later."""
        return rows.filter(opened_at__gte=_midnight(day))

    def until(self, rows: CashDays, name: str, day: date) -> CashDays:
        """Begun on this day or earlier."""
        return rows.filter(opened_at__lt=_midnight(day + timedelta(days=1))) if day < date.max else rows

    def differing(self, rows: CashDays, name: str, is_so: bool) -> CashDays:  # noqa: FBT001
        """Those whose count differed."""
        return rows.differing() if is_so else rows


class RefundFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Refunds by whose they are and their numbers, and how the money goes back."""

    q = django_filters.CharFilter(method="having", label=_("Patient or number"), max_length=200)
    method = django_filters.ChoiceFilter(choices=Method.choices, label=_("Method"), empty_label=_("Every method"))

    class Meta:
        model = Refund
        fields: list[str] = []

    def having(self, rows: Refunds, name: str, words: str) -> Refunds:
        """Those with this number, or of patients who have each of the words."""
        return rows.matching(words)


class RefundApiFilter(RefundFilter):
    """The same for the API: also by the status and the payment."""

    status = django_filters.ChoiceFilter(choices=Refund.Status.choices)
    payment = django_filters.UUIDFilter(field_name="payment__code")

    class Meta:
        model = Refund
        fields: list[str] = []

    def filter_queryset(self, rows: Refunds) -> Refunds:
        """Open ones only, unless a status or a payment is asked for."""
        found: Refunds = super().filter_queryset(rows)
        said = self.form.cleaned_data
        return found if said.get("status") or said.get("payment") else found.open()


class PromoFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """Promo codes by words; those that count or will, unless the ended ones are asked for."""

    q = django_filters.CharFilter(label=_("Code or what it is for"), max_length=200)
    show = django_filters.ChoiceFilter(choices=[("ended", _("Ended"))], label=_("Show"), empty_label=_("Current"))

    class Meta:
        model = PromoCode
        fields: list[str] = []

    def filter_queryset(self, rows: PromoCodes) -> PromoCodes:
        """By words, and by the hospital's calendar."""
        said, today = self.form.cleaned_data, timezone.localdate()
        found = rows.matching(said.get("q") or "")
        return found.ended(today) if said.get("show") else found.current(today)


class DiscrepancyFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """What does not match, by its kind, what it is about, and who looks after it."""

    q = django_filters.CharFilter(method="having", label=_("Bill, receipt, or id of Razorpay"), max_length=200)
    kind = django_filters.ChoiceFilter(choices=Discrepancy.Kind.choices, label=_("Kind"), empty_label=_("Every kind"))

    class Meta:
        model = Discrepancy
        fields: list[str] = []

    def having(self, rows: Discrepancies, name: str, words: str) -> Discrepancies:
        """Those that are about this."""
        return rows.matching(words)


class DiscrepancyApiFilter(DiscrepancyFilter):
    """The same for the API: open ones, unless the explained ones are asked for."""

    explained = django_filters.BooleanFilter(method="standing")

    class Meta:
        model = Discrepancy
        fields: list[str] = []

    def standing(self, rows: Discrepancies, name: str, is_so: bool) -> Discrepancies:  # noqa: FBT001
        """Open or explained ones."""
        return rows.explained() if is_so else rows.open()

    def filter_queryset(self, rows: Discrepancies) -> Discrepancies:
        """Open ones, unless something else is said."""
        found: Discrepancies = super().filter_queryset(rows)
        return found if self.form.cleaned_data.get("explained") else found.open()
