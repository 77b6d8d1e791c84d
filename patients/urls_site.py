"""Pages about patients on a hospital’s own site."""

from django.urls import path

from patients.views import merging, own, register

urlpatterns = [
    path("me/", own.details, name="own_details"),
    path("me/<uuid:code>/", own.edit, name="own_details_edit"),
    path("office/patients/", register.index, name="patient_admin"),
    path("office/patients/add/", register.add, name="patient_add"),
    path("office/patients/<uuid:code>/", register.detail, name="patient_detail"),
    path("office/patients/<uuid:code>/edit/", register.edit, name="patient_edit"),
    path("office/patients/<uuid:code>/clinical/", register.clinical, name="patient_clinical"),
    path("office/patients/<uuid:code>/merge/", merging.merge, name="patient_merge"),
    path("office/patients/<uuid:code>/unmerge/", register.unmerge, name="patient_unmerge"),
    path("office/patients/<uuid:code>/block/", register.block, name="patient_block"),
    path("office/patients/<uuid:code>/unblock/", register.unblock, name="patient_unblock"),
]
