"""Addresses below /api/ of the portal."""

from django.urls import path

from hospitals.api import people, platform, portal, search

urlpatterns = [
    path("auth/register/", people.RegisterPerson.as_view(), name="api_register_person"),
    path("doctors/", search.DoctorList.as_view(), name="api_doctors"),
    path("doctors/available/", search.AvailableDoctors.as_view(), name="api_doctors_available"),
    path("doctors/<uuid:code>/", search.OneDoctor.as_view(), name="api_doctor"),
    path("hospitals/", portal.HospitalList.as_view(), name="api_hospitals"),
    path("hospitals/register/", portal.Register.as_view(), name="api_register"),
    path("hospitals/<uuid:code>/", portal.HospitalDetail.as_view(), name="api_hospital"),
    path("admin/hospitals/pending/", portal.PendingHospitals.as_view(), name="api_pending"),
    path("admin/hospitals/<uuid:code>/approve/", portal.Approve.as_view(), name="api_approve"),
    path("admin/hospitals/<uuid:code>/reject/", portal.Reject.as_view(), name="api_reject"),
    path("admin/hospitals/<uuid:code>/suspend/", portal.Suspend.as_view(), name="api_suspend"),
    path("admin/hospitals/<uuid:code>/resume/", portal.Resume.as_view(), name="api_resume"),
    path("admin/hospitals/<uuid:code>/call-off-deletion/", portal.CallOffDeletion.as_view(), name="api_call_off"),
    path("admin/hospitals/", platform.Hospitals.as_view(), name="api_all_hospitals"),
    path("admin/hospitals/<uuid:code>/invite/", platform.Invite.as_view(), name="api_invite"),
    path("admin/messages/", platform.Messages.as_view(), name="api_messages"),
    path("admin/messages/<uuid:code>/retry/", platform.RetryMessage.as_view(), name="api_retry"),
    path("admin/audit-logs/", portal.AuditLogs.as_view(), name="api_audit_logs"),
]
