"""Pages of the portal that concern money: where the gateway tells what happened with the platform's own keys."""

from django.urls import path

from billing.views import webhooks

urlpatterns = [
    path("webhooks/razorpay/", webhooks.razorpay, name="razorpay_webhook"),
]
