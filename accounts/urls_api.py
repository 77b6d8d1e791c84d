"""Addresses below /api/auth/."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("login/", api.Login.as_view(), name="api_login"),
    path("refresh/", api.Refresh.as_view(), name="api_refresh"),
    path("logout/", api.Logout.as_view(), name="api_logout"),
]
