"""Numbers that have no gap: each series of papers counts from one in every financial year."""

from datetime import date

from django.db import connection, models
from django.utils.translation import gettext_lazy as _


class Series(models.TextChoices):
    """What is numbered. Bills carry the hospital's own letters in place of these."""

    INVOICE = "INV", _("Bills")
    CREDIT_NOTE = "CN", _("Credit notes")
    RECEIPT = "RCT", _("Receipts")


class NumberCounter(models.Model):
    """The last number of a series in a financial year. Taking the next locks the row: numbers have no gap and no twin."""

    series = models.CharField(_("series"), max_length=3, choices=Series.choices)
    financial_year = models.CharField(_("financial year"), max_length=5)
    last = models.PositiveIntegerField(_("last number"))

    class Meta:
        verbose_name = _("number counter")
        verbose_name_plural = _("number counters")
        constraints = [models.UniqueConstraint(fields=["series", "financial_year"], name="one_counter_per_series")]

    def __str__(self) -> str:
        return f"{self.series}/{self.financial_year}: {self.last}"

    @classmethod
    def take(cls, series: Series, financial_year: str) -> int:
        """The next number; nobody else gets one until the transaction has ended, and if it fails nobody misses it."""
        table = connection.ops.quote_name(cls._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} AS counter (series, financial_year, last) VALUES (%s, %s, 1) "  # noqa: S608
                "ON CONFLICT (series, financial_year) DO UPDATE SET last = counter.last + 1 RETURNING last",
                [series, financial_year],
            )
            return int(cursor.fetchone()[0])


def financial_year_of(day: date) -> str:
    """India's, from April to March, like "26-27"."""
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first % 100:02d}-{(first + 1) % 100:02d}"
