"""Addresses below /api/ of the portal: doctors of all hospitals, and one’s visits everywhere."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
