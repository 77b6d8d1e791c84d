"""A hospital's own site: https://<slug>.<base>, and its own domains."""

from django.urls import include, path

from rhms.urls_everywhere import urlpatterns as everywhere

handler400 = "core.views.bad_request"
handler403 = "core.views.forbidden"
handler404 = "core.views.not_found"
handler500 = "core.views.server_error"

urlpatterns = [*everywhere, path("", include("hospitals.urls_site"))]
