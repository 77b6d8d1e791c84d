"""Addresses below /api/ of a hospital, about doctors’ time and visits."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
