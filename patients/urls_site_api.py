"""Addresses below /api/ of a hospital, about patients."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
