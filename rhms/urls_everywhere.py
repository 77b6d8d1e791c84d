"""Addresses that every host has."""

from django.urls import include, path

from core import views as core

urlpatterns = [
    path("healthz", core.healthz, name="healthz"),
    path("readyz", core.readyz, name="readyz"),
    path("theme/set/", core.set_theme, name="set_theme"),
    path("", include("tenants.urls")),
    path("", include("accounts.urls")),
    path("api/auth/", include("accounts.urls_api")),
    path("api/docs/", core.api_docs, name="api_docs"),
]
