"""Pages of the portal: search, registration, and the superadmin's rooms."""

from django.urls import path

from hospitals.views import log, outbox, platform, portal, portal_doctors, registration, review, support

urlpatterns = [
    path("", portal.home, name="home"),
    path("doctors/", portal_doctors.doctor_search, name="doctor_search"),
    path("hospitals/", portal.hospital_list, name="hospital_list"),
    path("hospitals/<uuid:code>/", portal.hospital_detail, name="hospital_detail"),
    path("register/", registration.register, name="register"),
    path("register/subdomain/", registration.subdomain, name="register_subdomain"),
    path("register/received/<uuid:code>/", registration.received, name="registration_received"),
    path("register/status/<str:token>/", registration.status, name="registration_status"),
    path("start/", platform.start, name="start"),
    path("platform/hospitals/", review.queue, name="queue"),
    path("platform/hospitals/<uuid:code>/", review.detail, name="queue_detail"),
    path("platform/hospitals/<uuid:code>/approve/", review.approve, name="queue_approve"),
    path("platform/hospitals/<uuid:code>/reject/", review.reject, name="queue_reject"),
    path("platform/hospitals/<uuid:code>/suspend/", review.suspend, name="queue_suspend"),
    path("platform/hospitals/<uuid:code>/resume/", review.resume, name="queue_resume"),
    path("platform/hospitals/<uuid:code>/invite/", review.invite, name="queue_invite"),
    path("platform/hospitals/<uuid:code>/call-off/", review.call_off, name="queue_call_off"),
    path("platform/hospitals/<uuid:code>/support/", support.begin, name="queue_support"),
    path("platform/log/", log.platform, name="platform_log"),
    path("platform/outbox/", outbox.index, name="outbox"),
    path("platform/outbox/<uuid:code>/", outbox.message, name="outbox_message"),
    path("platform/outbox/<uuid:code>/retry/", outbox.retry, name="outbox_retry"),
]
