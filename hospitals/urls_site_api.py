"""Addresses below /api/ of a hospital's host."""

from django.urls import path

from hospitals.api import doctors, office, people, platform, profiles, site, staff

urlpatterns = [
    path("auth/register/", people.RegisterPerson.as_view(), name="api_register_person"),
    path("doctors/applications/", doctors.Applications.as_view(), name="api_doctor_applications"),
    path("doctors/applications/<uuid:code>/", doctors.OneApplication.as_view(), name="api_doctor_review"),
    path("doctors/applications/<uuid:code>/approve/", doctors.Approve.as_view(), name="api_doctor_approve"),
    path("doctors/applications/<uuid:code>/ask/", doctors.Ask.as_view(), name="api_doctor_ask"),
    path("doctors/applications/<uuid:code>/reject/", doctors.Reject.as_view(), name="api_doctor_reject"),
    path("doctors/application/", doctors.OwnApplication.as_view(), name="api_doctor_application"),
    path("doctors/application/documents/", doctors.OwnDocuments.as_view(), name="api_doctor_documents"),
    path("doctors/application/documents/<uuid:code>/", doctors.OwnDocument.as_view(), name="api_doctor_own_document"),
    path("doctors/application/send/", doctors.SendApplication.as_view(), name="api_doctor_send"),
    path("doctors/documents/<uuid:code>/", doctors.DocumentContent.as_view(), name="api_doctor_document"),
    path("doctors/invite/", doctors.Invite.as_view(), name="api_doctor_invite"),
    path("doctors/import/", doctors.Import.as_view(), name="api_doctor_import"),
    path("doctors/", profiles.Doctors.as_view(), name="api_doctors"),
    path("doctors/me/", profiles.OwnProfile.as_view(), name="api_own_profile"),
    path("doctors/available/", profiles.Available.as_view(), name="api_doctors_available"),
    path("doctors/<uuid:code>/", profiles.OneDoctor.as_view(), name="api_doctor"),
    path("doctors/<uuid:code>/profile/", profiles.OneProfile.as_view(), name="api_doctor_profile"),
    path("departments/", site.Departments.as_view(), name="api_departments"),
    path("departments/<uuid:code>/", site.OneDepartment.as_view(), name="api_department"),
    path("brand/", site.Brand.as_view(), name="api_brand"),
    path("contact/", office.Contact.as_view(), name="api_contact"),
    path("welcome/", office.Welcome.as_view(), name="api_welcome"),
    path("settings/booking/", office.Booking.as_view(), name="api_booking_rules"),
    path("settings/sign-in/", office.SignIn.as_view(), name="api_sign_in_settings"),
    path("domains/", office.Domains.as_view(), name="api_domains"),
    path("domains/<str:domain>/", office.OneDomain.as_view(), name="api_domain"),
    path("domains/<str:domain>/verify/", office.VerifyDomain.as_view(), name="api_verify_domain"),
    path("staff/", staff.StaffList.as_view(), name="api_staff"),
    path("staff/<uuid:code>/", staff.OneStaffMember.as_view(), name="api_staff_member"),
    path("staff/<uuid:code>/deactivate/", staff.Deactivate.as_view(), name="api_staff_deactivate"),
    path("staff/<uuid:code>/activate/", staff.Activate.as_view(), name="api_staff_activate"),
    path("staff/<uuid:code>/invitation/", staff.StaffInvitation.as_view(), name="api_staff_invitation"),
    path("messages/", platform.Messages.as_view(), name="api_messages"),
    path("messages/<uuid:code>/retry/", platform.RetryMessage.as_view(), name="api_retry"),
    path("activity/", site.Activity.as_view(), name="api_activity"),
]
