"""A hospital's own site: https://<slug>.<base>, and its own domains."""

from django.urls import include, path

from core.api import Description
from rhms.urls_everywhere import urlpatterns as everywhere

handler400 = "core.views.bad_request"
handler403 = "core.views.forbidden"
handler404 = "core.views.not_found"
handler500 = "core.views.server_error"

urlpatterns = [
    *everywhere,
    path("api/schema/", Description.as_view(urlconf="rhms.urls_hospital"), name="schema"),
    # What is asked for most comes first: an address is compared with all that stand before it.
    path("api/", include("appointments.urls_site_api")),
    path("api/", include("hospitals.urls_site_api")),
    path("api/", include("patients.urls_site_api")),
    path("api/", include("billing.urls_site_api")),
    path("", include("appointments.urls_site")),
    path("", include("hospitals.urls_site")),
    path("", include("patients.urls_site")),
    path("", include("billing.urls_site")),
]
