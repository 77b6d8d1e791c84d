"""Addresses below /api/ of the portal: doctors of all hospitals, and one’s visits everywhere."""

from django.urls import path

from appointments.api import holds, visits
from appointments.steps import Step

urlpatterns = [
    path("appointments/", visits.Visits.as_view(), name="api_appointments"),
    path("appointments/book/", visits.Book.as_view(), name="api_appointment_book"),
    path("appointments/user/", visits.OwnVisits.as_view(), name="api_appointments_own"),
    path("appointments/hold/", holds.Holds.as_view(), name="api_holds"),
    path("appointments/hold/<uuid:code>/", holds.OneHold.as_view(), name="api_hold"),
    path("appointments/hold/<uuid:code>/extend/", holds.ExtendHold.as_view(), name="api_hold_extend"),
    path("appointments/hold/<uuid:code>/book/", holds.BookHold.as_view(), name="api_hold_book"),
    path("appointments/<uuid:code>/", visits.OneVisit.as_view(), name="api_appointment"),
    path("appointments/<uuid:code>/calendar.ics", visits.VisitCalendar.as_view(), name="api_appointment_calendar"),
    path("appointments/<uuid:code>/update_status/", visits.UpdateStatus.as_view(), name="api_appointment_status"),
    path("appointments/<uuid:code>/reschedule/", visits.Reschedule.as_view(), name="api_appointment_reschedule"),
    path("appointments/<uuid:code>/cancel/", visits.Cancel.as_view(), name="api_appointment_cancel"),
    path("appointments/<uuid:code>/pay/", visits.Pay.as_view(), name="api_appointment_pay"),
    path(
        "appointments/<uuid:code>/check_in/",
        visits.TakeStep.as_view(step=Step.CHECK_IN),
        name="api_appointment_check_in",
    ),
    path("appointments/<uuid:code>/comes/", visits.TakeStep.as_view(step=Step.COMES), name="api_appointment_comes"),
]
