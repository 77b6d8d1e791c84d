"""Billing: invoices, payments, refunds and the ledger of a hospital, and its way to Razorpay."""
