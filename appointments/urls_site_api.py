"""Addresses below /api/ of a hospital, about doctors’ time and visits."""

from django.urls import path

from appointments.api import holds, hours, office, visits, waiting
from appointments.steps import Step

urlpatterns = [
    path("doctors/<uuid:code>/availability/", hours.FreeTimes.as_view(), name="api_availability"),
    path("doctors/<uuid:code>/availability/set/", hours.SetAvailability.as_view(), name="api_availability_set"),
    path("doctors/<uuid:code>/hours/", hours.Hours.as_view(), name="api_hours"),
    path("doctors/<uuid:code>/hours/add/", hours.AddHours.as_view(), name="api_hours_add"),
    path("doctors/<uuid:code>/hours/copy/", hours.CopyHours.as_view(), name="api_hours_copy"),
    path("doctors/<uuid:code>/hours/<uuid:row>/", hours.OneStretch.as_view(), name="api_hours_row"),
    path("appointments/", visits.Visits.as_view(), name="api_appointments"),
    path("appointments/book/", visits.Book.as_view(), name="api_appointment_book"),
    path("appointments/user/", visits.OwnVisits.as_view(), name="api_appointments_own"),
    path("appointments/hospital/", visits.HospitalVisits.as_view(), name="api_appointments_all"),
    path("appointments/hold/", holds.Holds.as_view(), name="api_holds"),
    path("appointments/hold/<uuid:code>/", holds.OneHold.as_view(), name="api_hold"),
    path("appointments/hold/<uuid:code>/extend/", holds.ExtendHold.as_view(), name="api_hold_extend"),
    path("appointments/hold/<uuid:code>/book/", holds.BookHold.as_view(), name="api_hold_book"),
    path("appointments/bulk/", office.Bulk.as_view(), name="api_appointments_bulk"),
    path("appointments/walk-in/", office.WalkIn.as_view(), name="api_walk_in"),
    path("queue/", office.Board.as_view(), name="api_queue"),
    path("appointments/<uuid:code>/", visits.OneVisit.as_view(), name="api_appointment"),
    path("appointments/<uuid:code>/calendar.ics", visits.VisitCalendar.as_view(), name="api_appointment_calendar"),
    path("appointments/<uuid:code>/update_status/", visits.UpdateStatus.as_view(), name="api_appointment_status"),
    path("appointments/<uuid:code>/reschedule/", visits.Reschedule.as_view(), name="api_appointment_reschedule"),
    path("appointments/<uuid:code>/cancel/", visits.Cancel.as_view(), name="api_appointment_cancel"),
    path("appointments/<uuid:code>/pay/", visits.Pay.as_view(), name="api_appointment_pay"),
    path("appointments/<uuid:code>/bill/", visits.Bill.as_view(), name="api_appointment_bill"),
    path(
        "appointments/<uuid:code>/check_in/",
        visits.TakeStep.as_view(step=Step.CHECK_IN),
        name="api_appointment_check_in",
    ),
    path("appointments/<uuid:code>/comes/", visits.TakeStep.as_view(step=Step.COMES), name="api_appointment_comes"),
    path(
        "appointments/<uuid:code>/confirm/", visits.TakeStep.as_view(step=Step.CONFIRM), name="api_appointment_confirm"
    ),
    path("appointments/<uuid:code>/call/", visits.TakeStep.as_view(step=Step.CALL), name="api_appointment_call"),
    path("appointments/<uuid:code>/undo/", visits.TakeStep.as_view(step=Step.UNDO), name="api_appointment_undo"),
    path(
        "appointments/<uuid:code>/complete/",
        visits.TakeStep.as_view(step=Step.COMPLETE),
        name="api_appointment_complete",
    ),
    path("appointments/<uuid:code>/no_show/", visits.TakeStep.as_view(step=Step.MISS), name="api_appointment_no_show"),
    path("appointments/<uuid:code>/logs/", visits.VisitLogs.as_view(), name="api_appointment_logs"),
    path("waitlist/", waiting.Waitlist.as_view(), name="api_waitlist"),
    path("waitlist/hospital/", waiting.HospitalWaitlist.as_view(), name="api_waitlist_all"),
    path("waitlist/<uuid:code>/", waiting.OneEntry.as_view(), name="api_waitlist_entry"),
    path("waitlist/<uuid:code>/accept/", waiting.Accept.as_view(), name="api_waitlist_accept"),
    path("waitlist/<uuid:code>/decline/", waiting.Decline.as_view(), name="api_waitlist_decline"),
]
