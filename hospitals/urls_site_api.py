"""Addresses below /api/ of a hospital's host."""

from django.urls import path

from hospitals.api import office, platform, site

urlpatterns = [
    path("departments/", site.Departments.as_view(), name="api_departments"),
    path("departments/<uuid:code>/", site.OneDepartment.as_view(), name="api_department"),
    path("brand/", site.Brand.as_view(), name="api_brand"),
    path("contact/", office.Contact.as_view(), name="api_contact"),
    path("welcome/", office.Welcome.as_view(), name="api_welcome"),
    path("domains/", office.Domains.as_view(), name="api_domains"),
    path("domains/<str:domain>/", office.OneDomain.as_view(), name="api_domain"),
    path("domains/<str:domain>/verify/", office.VerifyDomain.as_view(), name="api_verify_domain"),
    path("messages/", platform.Messages.as_view(), name="api_messages"),
    path("messages/<uuid:code>/retry/", platform.RetryMessage.as_view(), name="api_retry"),
    path("activity/", site.Activity.as_view(), name="api_activity"),
]
