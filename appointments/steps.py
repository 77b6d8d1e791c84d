"""Who may do what with a visit: one table for pages and API. What the state permits stands in `models.TRANSITIONS`."""

from enum import StrEnum, auto
from typing import Any

from django.core.exceptions import PermissionDenied

from accounts.permissions import Permission, granted
from appointments.models import Appointment, Status


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
_PATIENTS_CANCEL_FROM = {Status.PENDING, Status.CONFIRMED}


def permitted(request: Any, visit: Appointment) -> set[Step]:
    """What the caller's place in the hospital permits with this visit, whatever its state."""
    user = request.user
    steps = {step for step, permission in STAFF.items() if granted(request, user, permission)}
    if visit.doctor.user_id == user.pk and granted(request, user, Permission.OWN_DAY):
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
    return visit.doctor.user_id == request.user.pk and granted(request, request.user, Permission.OWN_DAY)


def possible(request: Any, visit: Appointment) -> list[Step]:
    """What the caller may do now: a list in the order of a visit's life, for buttons and the API's `may`."""
    steps = permitted(request, visit)
    found = [step for step in Step if step in steps and visit.status in FROM[step]]
    as_patient = not acts_for_hospital(request, visit, Step.CANCEL)
    if Step.CANCEL in found and as_patient and visit.status not in _PATIENTS_CANCEL_FROM:
        found.remove(Step.CANCEL)
    if Step.UNDO in found and visit.source == Appointment.Source.WALK_IN and visit.status == Status.CHECKED_IN:
        found.remove(Step.UNDO)
    return found


def require(request: Any, visit: Appointment, step: Step) -> None:
    """Refuse somebody whose place in the hospital does not permit the step. The state is judged by the service."""
    if step not in permitted(request, visit):
        raise PermissionDenied
