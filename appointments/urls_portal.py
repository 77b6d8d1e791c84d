"""Pages of the portal: one’s visits at all hospitals."""

from django.urls import path

from appointments.views import portal

urlpatterns = [
    path("visits/", portal.index, name="visit_list"),
]
