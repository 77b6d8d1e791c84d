"""What a draft says, read back so that a page or the API can change it, and what there is to choose from."""

from decimal import Decimal
from typing import Any, cast

from django.utils.timezone import localdate

from billing.models import Invoice, TaxCategory
from billing.services.invoices import Charge
from hospitals.models import Doctor
from hospitals.models.doctors import Doctors

MOST_LINES = 50


def doctors() -> Doctors:
    """Whom a bill may be for."""
    return Doctor.objects.verified().select_related("user").order_by("user__first_name", "user__last_name", "pk")


def categories() -> list[TaxCategory]:
    """How a line can be taxed today, by name; each with its `percent`."""
    found = TaxCategory.objects.with_rate(localdate()).by_name()
    return [one for one in found if cast(Any, one).percent is not None]


def said_of(invoice: Invoice) -> dict[str, Any]:
    """What a draft says, as initial values."""
    own_name = invoice.bill_to == invoice.patient.name
    return {
        "doctor": invoice.doctor.code if invoice.doctor else None,
        "department": invoice.department.code if invoice.department else None,
        "promo_code": invoice.promo_code.word if invoice.promo_code else "",
        "discount_reason": invoice.discount_reason,
        "bill_to": "" if own_name else invoice.bill_to,
        "bill_to_address": invoice.bill_to_address,
        "bill_to_gstin": invoice.bill_to_gstin,
        "place_of_supply": invoice.place_of_supply,
        "note": invoice.note,
    }


def charges_of(invoice: Invoice) -> list[Charge]:
    """The lines of a draft, as the services take them."""
    kinds = categories()
    return [
        Charge(
            description=line.description,
            unit_price=line.unit_price,
            category=_category_of(line.hsn_sac, line.tax_percent, kinds),
            quantity=line.quantity,
            discount=line.own_discount,
        )
        for line in invoice.lines.order_by("position")
    ]


def _category_of(hsn_sac: str, percent: Decimal, kinds: list[TaxCategory]) -> str:
    """A line keeps code and rate, not the category: the one with both, else the one with the code."""
    alike = [one for one in kinds if one.hsn_sac == hsn_sac]
    found = [one for one in alike if cast(Any, one).percent == percent] or alike
    return found[0].key if found else ""
