"""On every host: its looks, and the way to and from others."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from tenants.views import hand_over, looks


class Hex(StringConverter):
    """Hexadecimal digits."""

    regex = "[0-9a-f]+"


register_converter(Hex, "hex")

urlpatterns = [
    path("theme/<hex:accent>-<hex:digest>.css", looks.theme, name="theme_css"),
    path("theme/preview/<hex:accent>.css", looks.theme_preview, name="theme_preview_css"),
    path("logo/<uuid:code>/<str:name>", looks.logo, name="logo"),
    path("continue/", hand_over.begin, name="hand_over_begin"),
    path("hand-over/", hand_over.hand_over, name="hand_over"),
    path("arrive/<str:ticket>/", hand_over.arrive, name="arrive"),
]
