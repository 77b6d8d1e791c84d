"""Addresses below /api/ of a hospital, about patients."""

from django.urls import path

from patients.api import own, register

urlpatterns = [
    path("patients/", register.PatientList.as_view(), name="api_patients"),
    path("patients/me/", own.Me.as_view(), name="api_patient_me"),
    path("patients/me/<uuid:code>/", own.OneOfMine.as_view(), name="api_patient_mine"),
    path("patients/<uuid:code>/", register.OnePatient.as_view(), name="api_patient"),
    path("patients/<uuid:code>/clinical/", register.ClinicalFacts.as_view(), name="api_patient_clinical"),
    path("patients/<uuid:code>/merge/", register.MergeInto.as_view(), name="api_patient_merge"),
    path("patients/<uuid:code>/unmerge/", register.Unmerge.as_view(), name="api_patient_unmerge"),
    path("patients/<uuid:code>/block/", register.Block.as_view(), name="api_patient_block"),
    path("patients/<uuid:code>/unblock/", register.Unblock.as_view(), name="api_patient_unblock"),
]
