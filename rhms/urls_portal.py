"""The portal: https://<base>."""

from django.contrib import admin
from django.urls import include, path

from accounts.views import sign_in
from core import views as core
from core.api import Description
from rhms.urls_everywhere import urlpatterns as everywhere

handler400 = "core.views.bad_request"
handler403 = "core.views.forbidden"
handler404 = "core.views.not_found"
handler500 = "core.views.server_error"

urlpatterns = [
    *everywhere,
    path("admin/login/", sign_in.admin_sign_in),
    path("admin/", admin.site.urls),
    path("styleguide/", core.styleguide, name="styleguide"),
    path("api/schema/", Description.as_view(urlconf="rhms.urls_portal"), name="schema"),
    path("api/", include("hospitals.urls_portal_api")),
    path("api/", include("appointments.urls_portal_api")),
    path("", include("hospitals.urls_portal")),
    path("", include("billing.urls_portal")),
    path("", include("appointments.urls_portal")),
]
