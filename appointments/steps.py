"""Who may do what with a visit: one table for pages and API. What the state permits stands in `models.TRANSITIONS`."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Permission, granted
from appointments.models import TRANSITIONS, Appointment, Status
from appointments.services import day
from audit import services as audit
from core.errors import Invalid, NotAllowedNow
from tenants.models import Hospital


class Step(StrEnum):
    """Something that can be done with a booked visit."""

    CONFIRM = auto()
    COMES = auto()  # the patient says that they come
    CHECK_IN = auto()
    CALL = auto()
    UNDO = auto()  # take the last step of the queue back
    COMPLETE = auto()
    MISS = auto()
    CANCEL = auto()
    MOVE = auto()


FROM: dict[Step, set[Status]] = {
    Step.CONFIRM: {Status.PENDING},
    Step.COMES: {Status.PENDING, Status.CONFIRMED},
    Step.CHECK_IN: {Status.PENDING, Status.CONFIRMED},
    Step.CALL: {Status.CONFIRMED, Status.CHECKED_IN},
    Step.UNDO: {Status.CHECKED_IN, Status.IN_PROGRESS},
    Step.COMPLETE: {Status.IN_PROGRESS},
    Step.MISS: {Status.PENDING, Status.CONFIRMED, Status.CHECKED_IN},
    Step.CANCEL: {Status.PENDING, Status.CONFIRMED, Status.CHECKED_IN},
    Step.MOVE: {Status.PENDING, Status.CONFIRMED},
}

# What the hospital's people need for any visit of it; a doctor needs OWN_DAY, for their own visits alone.
STAFF: dict[Step, Permission] = {
    Step.CONFIRM: Permission.APPOINTMENT_DESK,
    Step.CHECK_IN: Permission.QUEUE_RUN,
    Step.CALL: Permission.QUEUE_RUN,
    Step.UNDO: Permission.QUEUE_RUN,
    Step.COMPLETE: Permission.APPOINTMENT_OVERRIDE,
    Step.MISS: Permission.QUEUE_RUN,
    Step.CANCEL: Permission.APPOINTMENT_DESK,
    Step.MOVE: Permission.APPOINTMENT_DESK,
}
DOCTOR = set(STAFF)
PATIENT = {Step.COMES, Step.CHECK_IN, Step.CANCEL, Step.MOVE}
# Other names that clients use for a state.
STATUS_ALIASES = {"requested": Status.PENDING, "booked": Status.CONFIRMED}
_TOWARDS: dict[Status, Step] = {
    Status.CONFIRMED: Step.CONFIRM,
    Status.CHECKED_IN: Step.CHECK_IN,
    Status.IN_PROGRESS: Step.CALL,
    Status.COMPLETED: Step.COMPLETE,
    Status.NO_SHOW: Step.MISS,
    Status.CANCELLED: Step.CANCEL,
}
# From these to those is a step back.
_AFTER, _BEFORE = {Status.CHECKED_IN, Status.IN_PROGRESS}, {Status.CONFIRMED, Status.CHECKED_IN}
_PATIENTS_CANCEL_FROM = {Status.PENDING, Status.CONFIRMED}


def permitted(request: Any, visit: Appointment) -> set[Step]:
    """What the caller's place in the hospital permits with this visit, whatever its state."""
    user = request.user
    steps = {step for step, permission in STAFF.items() if granted(request, user, permission)}
    if acts_as_doctor(request, visit):
        steps |= DOCTOR
    return steps | PATIENT if is_own(request, visit) else steps


def is_own(request: Any, visit: Appointment) -> bool:
    """Whether the visit is the caller's, or of the caller's family."""
    mine = visit.patient is not None and visit.patient.user_id == request.user.pk
    return mine and granted(request, request.user, Permission.OWN_ACCOUNT)


def acts_for_hospital(request: Any, visit: Appointment, step: Step) -> bool:
    """Whether the caller does this as the hospital: nobody pays for a visit that the hospital cancels or moves."""
    if step in STAFF and granted(request, request.user, STAFF[step]):
        return True
    return acts_as_doctor(request, visit)


def acts_as_doctor(request: Any, visit: Appointment) -> bool:
    """Whether the visit is the caller's as its doctor."""
    return visit.doctor.user_id == request.user.pk and granted(request, request.user, Permission.OWN_DAY)


def possible(request: Any, visit: Appointment, *, as_patient: bool = False) -> list[Step]:
    """What the caller may do now: a list in the order of a visit's life, for buttons and the API's `may`.

    `as_patient` leaves out what they may do besides, as somebody who works here.
    """
    steps = PATIENT if as_patient and is_own(request, visit) else permitted(request, visit)
    found = [step for step in Step if step in steps and visit.status in FROM[step]]
    if visit.waits_for_payment and Step.COMES in found:
        found.remove(Step.COMES)
    is_late = Step.CANCEL in found and visit.status not in _PATIENTS_CANCEL_FROM
    if is_late and not acts_for_hospital(request, visit, Step.CANCEL):
        found.remove(Step.CANCEL)
    if Step.UNDO in found and visit.source == Appointment.Source.WALK_IN and visit.status == Status.CHECKED_IN:
        found.remove(Step.UNDO)
    return found


def require(request: Any, visit: Appointment, step: Step) -> None:
    """Refuse somebody whose place in the hospital does not permit the step. The state is judged by the service."""
    if step not in permitted(request, visit):
        raise PermissionDenied


def reads_reason(request: Any, visit: Appointment) -> bool:
    """Whether the caller may read why the patient comes: patient, doctor, front desk and nurses, as patients are told."""
    if is_own(request, visit) or acts_as_doctor(request, visit):
        return True
    return any(
        granted(request, request.user, one) for one in (Permission.APPOINTMENT_DESK, Permission.PATIENT_CLINICAL)
    )


def towards(visit: Appointment, status: Status) -> Step:
    """The step that brings a visit into this state. Raises NotAllowedNow if none does from where it stands."""
    if status not in TRANSITIONS[visit.status] or status == Status.EXPIRED:
        raise NotAllowedNow(audit.already(visit) or _("This step is not possible now."), field="status")
    if status == Status.RESCHEDULED:
        raise Invalid(_("Say to which time the visit is moved."), field="status")
    if visit.status in _AFTER and status in _BEFORE:
        return Step.UNDO
    return _TOWARDS[status]


def take(
    request: Any, step: Step, *, hospital: Hospital, visit: Appointment, by: User, reason: str, now: datetime
) -> None:
    """Do the step in the name of the hospital, or of the patient. Moving takes more than this: see services.moving."""
    require(request, visit, step)
    by_hospital = acts_for_hospital(request, visit, step)
    acts: dict[Step, Callable[[], None]] = {
        Step.CONFIRM: lambda: day.confirm(hospital=hospital, visit=visit, by=by),
        Step.COMES: lambda: day.patient_comes(visit=visit, by=by, now=now),
        Step.CHECK_IN: lambda: day.check_in(hospital=hospital, visit=visit, by=by, now=now, as_patient=not by_hospital),
        Step.CALL: lambda: day.call(visit=visit, by=by, now=now),
        Step.UNDO: lambda: day.undo(visit=visit, by=by),
        Step.COMPLETE: lambda: day.complete(visit=visit, by=by, now=now),
        Step.MISS: lambda: day.miss(hospital=hospital, visit=visit, by=by, now=now),
        Step.CANCEL: lambda: day.cancel(
            hospital=hospital, visit=visit, by=by, reason=reason, now=now, by_hospital=by_hospital
        ),
    }
    acts[step]()
