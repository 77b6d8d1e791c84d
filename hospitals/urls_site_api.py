"""Addresses below /api/ of a hospital's host."""

from django.urls import path

from hospitals.api import site

urlpatterns = [
    path("departments/", site.Departments.as_view(), name="api_departments"),
    path("departments/<uuid:code>/", site.OneDepartment.as_view(), name="api_department"),
    path("brand/", site.Brand.as_view(), name="api_brand"),
    path("activity/", site.Activity.as_view(), name="api_activity"),
]
