"""A doctor's application: written in pieces, each kept at once, and sent when it is whole."""

from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.permissions import Role
from audit import services as audit
from audit.models import Action
from core import documents, throttle
from core import hosts as addresses
from core.documents import Document
from core.errors import Conflict, Invalid, NotAllowedNow
from hospitals.models import Doctor, DoctorDocument, Staff
from hospitals.services.doctors import details as words
from hospitals.services.doctors.details import Details
from tenants.models import Hospital

MAX_DOCUMENTS = 12
Status = Doctor.Status
# While details may be changed and documents taken away; documents may be added while the hospital looks, too.
EDITABLE = (Status.INCOMPLETE, Status.MORE_ASKED, Status.REJECTED)
_UPLOADS = "60/hour"
OPEN = (*EDITABLE, Status.PENDING)


def of(user: User) -> Doctor | None:
    """The person's application at this hospital, wherever it stands."""
    return Doctor.objects.with_people().filter(user=user).first()


def role_in_the_way(user: User) -> str:
    """The name of a role here that keeps somebody from applying as a doctor; "" for none.

    The hospital's admin may be a doctor, too.
    """
    staff = Staff.objects.working().filter(user=user).first()
    return "" if staff is None or staff.role in (Role.HOSPITAL_ADMIN, Role.DOCTOR) else str(Role(staff.role).label)


@transaction.atomic
def begin(*, user: User, details: Details | None = None) -> Doctor:
    """The person's application, begun if there is none. Raises NotAllowedNow for staff in another role."""
    _refuse_staff(user)
    doctor = of(user)
    if doctor is None:
        try:
            with transaction.atomic():
                doctor = Doctor.objects.create(user=user, **(details or Details()).normal().columns())
                audit.record(action=Action.DOCTOR_BEGUN, target=doctor, by=user, new=Status.INCOMPLETE)
        except IntegrityError:  # begun by the same person a moment ago
            return Doctor.objects.with_people().get(user=user)
    return doctor


def _refuse_staff(user: User) -> None:
    role = role_in_the_way(user)
    if role:
        raise NotAllowedNow(
            _("You work here already, as %(role)s. Ask the hospital's admin if your role should change.")
            % {"role": role}
        )


def keep(
    *,
    hospital: Hospital,
    user: User,
    details: Details | None = None,
    document: Document | None = None,
    kind: str = DoctorDocument.Kind.OTHER,
    without: DoctorDocument | None = None,
) -> Doctor:
    """Keep what was said so far: details, a document more, a document less. What is None is left as it is.

    A document is kept even when the details are refused afterwards.
    """
    doctor = begin(user=user)
    if document:
        add_document(hospital=hospital, user=user, document=document, kind=kind)
    if without:
        remove_document(document=without, by=user)
    if details:
        change(user=user, details=details)
    return doctor


def change(*, user: User, details: Details) -> Doctor:
    """Correct the details. Raises NotAllowedNow once they are sent, Conflict at a licence number that is taken."""
    details = details.normal()
    try:
        with transaction.atomic():
            doctor = begin(user=user, details=details)
            new = details.columns()
            changes = audit.changes(doctor, new)
            if not changes:
                return doctor
            if words.is_licence_taken(details.licence_number, but=user.pk):
                raise words.licence_taken()
            _change(doctor, new)
            # The log outlives the doctor's data: it says which fields, not what they hold.
            audit.record(action=Action.DOCTOR_CHANGED, target=doctor, by=user, data={"fields": ", ".join(changes)})
    except IntegrityError:  # taken since it was asked
        raise words.licence_taken() from None
    return doctor


def _change(doctor: Doctor, new: dict[str, object]) -> None:
    won = Doctor.objects.filter(pk=doctor.pk, status__in=EDITABLE).update(**new)
    if not won:
        raise _closed(doctor)
    for name, value in new.items():
        setattr(doctor, name, value)


def add_document(*, hospital: Hospital, user: User, document: Document, kind: str) -> DoctorDocument:
    """Keep a certificate. Raises Conflict when it was sent before, NotAllowedNow when there are twelve, TooMany."""
    throttle.hit("doctor document", _UPLOADS, str(user.code))
    doctor = begin(user=user)
    # Before the transaction: the file storage may be far away. A file without a row harms nobody.
    path = documents.store(document, folder=f"{hospital.code}/doctors/{doctor.code}")
    try:
        with transaction.atomic():
            doctor = _locked(doctor, OPEN)
            if doctor.documents.count() >= MAX_DOCUMENTS:
                raise NotAllowedNow(_("Twelve documents are the most. Remove one first."), field="document")
            kept = DoctorDocument.objects.create(
                doctor=doctor,
                kind=kind,
                name=document.name,
                path=path,
                content_type=document.content_type,
                size=len(document.content),
            )
            audit.record(action=Action.DOCTOR_DOCUMENT_ADDED, target=doctor, by=user, data={"kind": kind})
    except IntegrityError:
        raise Conflict(_("This document is in your list already."), field="document") from None
    return kept


@transaction.atomic
def remove_document(*, document: DoctorDocument, by: User) -> None:
    """Take a certificate out of an application that the hospital is not looking at; the file goes, too."""
    doctor = _locked(document.doctor, EDITABLE)
    deleted, _by_model = DoctorDocument.objects.filter(pk=document.pk).delete()
    if not deleted:
        return
    audit.record(action=Action.DOCTOR_DOCUMENT_REMOVED, target=doctor, by=by, data={"kind": document.kind})
    transaction.on_commit(lambda: documents.delete(document.path), robust=True)


@transaction.atomic
def discard(*, user: User) -> None:
    """Throw away one's own application that was never sent, documents included. Raises NotAllowedNow once it was."""
    doctor = Doctor.objects.locked().filter(user=user).first()
    if doctor is None:
        return
    if doctor.status != Status.INCOMPLETE:
        raise _closed(doctor)
    audit.record(action=Action.DOCTOR_DISCARDED, target=doctor, by=user)
    paths = list(doctor.documents.values_list("path", flat=True))
    doctor.delete()
    for path in paths:
        transaction.on_commit(partial(documents.delete, path), robust=True)


def _locked(doctor: Doctor, statuses: tuple[str, ...]) -> Doctor:
    """The application as it stands now, held against everybody else. Raises NotAllowedNow in another status."""
    now = Doctor.objects.locked().get(pk=doctor.pk)
    if now.status not in statuses:
        raise _closed(now)
    return now


def _closed(doctor: Doctor) -> NotAllowedNow:
    return NotAllowedNow(
        _("Your application is not open for changes now. %(already)s") % {"already": audit.already(doctor)}
    )


def send(
    *,
    hospital: Hospital,
    user: User,
    now: datetime,
    details: Details | None = None,
    document: Document | None = None,
    kind: str = DoctorDocument.Kind.OTHER,
) -> None:
    """Hand the application in, after keeping what came with it. Its admins are told, and the doctor, by e-mail.

    Raises Invalid, naming what is missing, and Conflict at a licence number that another doctor holds; what was kept
    stays kept.
    """
    keep(hospital=hospital, user=user, details=details, document=document, kind=kind)
    try:
        with transaction.atomic():
            doctor = Doctor.objects.with_people().locked().get(user=user)
            if doctor.status in EDITABLE:
                _require_whole(doctor)
            audit.move(doctor, Status.PENDING, by=user, also={"sent_at": now})
            _tell(hospital, doctor)
    except IntegrityError:  # from now on the licence number is this doctor's, if it is not another's
        raise words.licence_taken() from None


def _require_whole(doctor: Doctor) -> None:
    fields = words.missing(doctor)
    if fields:
        names = [str(Doctor._meta.get_field(name).verbose_name) for name in fields]  # type: ignore[union-attr]
        raise Invalid(
            ngettext("Add this first: %(names)s.", "Add these first: %(names)s.", len(names))
            % {"names": ", ".join(names)},
            field=fields[0],
        )
    if not doctor.documents.filter(kind=DoctorDocument.Kind.LICENCE).exists():
        raise Invalid(_("Add your licence to practise to the documents first."), field="document")


def _tell(hospital: Hospital, doctor: Doctor) -> None:
    words.write(
        hospital=hospital,
        to=doctor.user,
        template="doctor_application_sent",
        subject=_("Your application is with %(hospital)s") % {"hospital": hospital.name},
        context={"link": addresses.hospital_url(hospital.slug, "doctor_application")},
    )
    link = addresses.hospital_url(hospital.slug, "doctor_review", doctor.code)
    for admin in Staff.objects.working().admins().select_related("user"):
        if admin.user_id == doctor.user_id or not admin.user.is_active:
            continue
        words.write(
            hospital=hospital,
            to=admin.user,
            template="doctor_applied",
            subject=_("%(doctor)s applies as a doctor") % {"doctor": doctor},
            context={"doctor": str(doctor), "specialization": doctor.specialization, "link": link},
        )
