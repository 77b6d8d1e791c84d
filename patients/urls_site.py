"""Pages about patients on a hospital's own site."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
