"""What is true about money: rules and rates, invoices, payments and refunds, the ledger, the gateway's word, reports."""

from billing.models.credits import CreditNote, CreditNoteLine
from billing.models.desk import CashDay
from billing.models.gateway import Discrepancy, Reconciliation, SettlementLine, WebhookEvent
from billing.models.insurance import InsuranceClaim
from billing.models.invoices import (
    About,
    Invoice,
    InvoiceLine,
)
from billing.models.ledger import Account, JournalEntry, Kind, Posting
from billing.models.numbers import NumberCounter, Series, financial_year_of
from billing.models.payments import AT_THE_DESK, Method, Payment, PaymentOrder
from billing.models.promos import PromoCode
from billing.models.refunds import Refund
from billing.models.reports import Report
from billing.models.rules import BillingRules, GatewayAccount, TaxCategory, TaxRate

__all__ = [
    "AT_THE_DESK",
    "About",
    "Account",
    "BillingRules",
    "CashDay",
    "CreditNote",
    "CreditNoteLine",
    "Discrepancy",
    "GatewayAccount",
    "InsuranceClaim",
    "Invoice",
    "InvoiceLine",
    "JournalEntry",
    "Kind",
    "Method",
    "NumberCounter",
    "Payment",
    "PaymentOrder",
    "Posting",
    "PromoCode",
    "Reconciliation",
    "Refund",
    "Report",
    "Series",
    "SettlementLine",
    "TaxCategory",
    "TaxRate",
    "WebhookEvent",
    "financial_year_of",
]
