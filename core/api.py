"""The API's own description, for programs."""

from functools import cache

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from core.api_reference import document

_RENDERERS: dict[str, type[BaseRenderer]] = {each.format: each for each in (OpenApiYamlRenderer, OpenApiJsonRenderer)}


@cache
def _written(urlconf: str, kind: str) -> bytes:
    """The document as "yaml" or "json". To make and write it takes half a second, and anybody may ask."""
    written: bytes = _RENDERERS[kind]().render(document(urlconf))
    return written


class Description(SpectacularAPIView):
    """OpenAPI 3.1 of this kind of host, as YAML or JSON."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """The document, in the format that was asked for."""
        asked: BaseRenderer = request.accepted_renderer
        charset = f"; charset={asked.charset}" if asked.charset else ""
        name = f"{settings.SPECTACULAR_SETTINGS['TITLE']}.{asked.format}"
        return HttpResponse(
            _written(str(self.urlconf), asked.format),
            content_type=f"{asked.media_type}{charset}",
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )
