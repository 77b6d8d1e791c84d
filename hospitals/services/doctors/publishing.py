"""Showing this hospital's doctors in the search, in the transaction of whatever changes what is shown.

The search knows what the hospital's own schema says, never more: whoever changes a doctor, a department, a role or the
hospital itself calls `publish` or `republish` last.
"""

from django.db import transaction

from accounts.models import User
from core.queue import after_commit
from directory import services as directory
from directory.services import ListedDoctor
from hospitals.models import Doctor, Doctors
from tenants.models import Hospital


@transaction.atomic
def publish(*, hospital: Hospital, doctor: Doctor) -> None:
    """Show a doctor as they stand now, or take them out of the search when patients cannot book them."""
    _publish(hospital, Doctor.objects.filter(pk=doctor.pk))


@transaction.atomic
def publish_person(*, hospital: Hospital, user: User) -> None:
    """The same for whoever this person is as a doctor here; for anybody else nothing happens."""
    _publish(hospital, Doctor.objects.of(user))


@transaction.atomic
def republish(*, hospital: Hospital) -> None:
    """Show all doctors as they stand now: when something changed that stands beside each of them."""
    _publish(hospital, Doctor.objects.all())


@transaction.atomic
def renew(*, hospital: Hospital, doctor: Doctor) -> None:
    """Show what no hospital is told of: people change their names, and the platform closes accounts.

    For whoever works the doctor's times out from time to time, and does so next.
    """
    _show(hospital, Doctor.objects.filter(pk=doctor.pk))


def _publish(hospital: Hospital, doctors: Doctors) -> None:
    for pk in _show(hospital, doctors):
        after_commit("appointments.refresh_times", doctor_id=pk)


def _show(hospital: Hospital, doctors: Doctors) -> list[int]:
    """Show or withdraw each; return the keys of those shown.

    They are locked first, then read: of two changes at once the second shows what the first has committed, too.
    """
    held = {doctor.pk: doctor for doctor in doctors.verified().locked()}
    shown = {doctor.pk: doctor for doctor in Doctor.objects.filter(pk__in=held).bookable().with_people()}
    directory.publish_doctors(hospital=hospital, doctors=[listed(shown[pk]) for pk in held if pk in shown])
    for pk, doctor in held.items():
        if pk not in shown:
            directory.withdraw_doctor(code=doctor.code)
    return list(shown)


def listed(doctor: Doctor) -> ListedDoctor:
    """What the search knows of a doctor."""
    department = doctor.department if doctor.department and doctor.department.is_active else None
    return ListedDoctor(
        code=doctor.code,
        name=doctor.name[:150],
        specialization=doctor.specialization,
        department=department.name if department else "",
        qualifications=doctor.qualifications,
        experience_years=doctor.experience_years,
        languages=doctor.languages,
        fee_in_person=doctor.fee_in_person,
        fee_video=doctor.fee_video,
        fee_chat=doctor.fee_chat,
        photo_thumb=doctor.photo_thumb,
    )
