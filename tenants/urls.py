"""Looks, on every host."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from tenants import views


class Hex(StringConverter):
    """Hexadecimal digits."""

    regex = "[0-9a-f]+"


register_converter(Hex, "hex")

urlpatterns = [
    path("theme/<hex:accent>-<hex:digest>.css", views.theme, name="theme_css"),
    path("theme/preview/<hex:accent>.css", views.theme_preview, name="theme_preview_css"),
    path("logo/<uuid:code>/<str:name>", views.logo, name="logo"),
]
