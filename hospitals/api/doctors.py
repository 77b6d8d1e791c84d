"""/api/doctors/ of a hospital's host: applying as a doctor, deciding on doctors, inviting them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, parsers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires, role_of
from accounts.serializers import Problem
from core import documents
from core.errors import Missing
from core.rest import FileView, cleaned, hospital, person
from hospitals.api import doctor_shapes as shapes
from hospitals.forms.doctors import Approval, Asking, DetailsForm, DocumentForm, Invitation, Rejection
from hospitals.models import Doctor, DoctorDocument
from hospitals.services.doctors import applying, importing, inviting, reviewing

REVIEW = [Requires(Permission.DOCTOR_REVIEW)]
OWN = [Requires(Permission.OWN_ACCOUNT)]
CHANGED = {200: shapes.Application, 400: Problem, 404: Problem, 409: Problem}


def shown(request: Request, doctor: Doctor, status: int = 200) -> Response:
    """The doctor as the caller sees them now."""
    return Response(shapes.Application(doctor, context={"request": request}).data, status=status)


def mine(request: Request) -> Doctor:
    """The caller's own application. Raises Missing when they have not begun one."""
    doctor = applying.of(person(request))
    if doctor is None:
        raise Missing(_("You have not begun an application here."))
    return doctor


@extend_schema(
    parameters=[
        OpenApiParameter("status", str, enum=["pending", "more_asked", "approved", "rejected"]),
        OpenApiParameter("q", str, description="Words in name, e-mail, specialization or licence number."),
    ]
)
class Applications(generics.ListAPIView[Doctor]):
    """Doctors who have applied or were invited, those that wait longest first."""

    permission_classes = REVIEW
    serializer_class = shapes.Application
    filter_backends = []

    def get_queryset(self) -> QuerySet[Doctor]:
        """Those that match `status` and `q`."""
        asked = self.request.query_params
        rows = Doctor.objects.sent().matching(asked.get("q", ""))
        if asked.get("status"):
            rows = rows.filter(status=asked["status"])
        return rows.with_people().prefetch_related("documents").order_by("sent_at", "pk")


class OneApplication(APIView):
    """One doctor, from the application on."""

    permission_classes = REVIEW

    @extend_schema(responses={200: shapes.Application, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read what the doctor says, and their documents."""
        return shown(request, _doctor(code))

    @extend_schema(request=shapes.InDepartment, responses=CHANGED)
    def patch(self, request: Request, code: UUID) -> Response:
        """Move a verified doctor to another department."""
        doctor = _doctor(code)
        given = cleaned(Approval(request.data, present=doctor.department))
        reviewing.change_department(hospital=hospital(request), doctor=doctor, by=person(request), **given)
        return shown(request, doctor)


class Approve(APIView):
    """The approval of a doctor."""

    permission_classes = REVIEW

    @extend_schema(request=shapes.InDepartment, responses=CHANGED)
    def post(self, request: Request, code: UUID) -> Response:
        """Verify the doctor, who from now on works in this department."""
        doctor = _doctor(code)
        given = cleaned(Approval(request.data))
        reviewing.approve(hospital=hospital(request), doctor=doctor, by=person(request), now=now(), **given)
        return shown(request, doctor)


class Ask(APIView):
    """A question back to the doctor."""

    permission_classes = REVIEW

    @extend_schema(request=shapes.Answer, responses=CHANGED)
    def post(self, request: Request, code: UUID) -> Response:
        """Hand the application back and say what is missing; the doctor is told by e-mail."""
        doctor = _doctor(code)
        given = cleaned(Asking(request.data))
        reviewing.ask(hospital=hospital(request), doctor=doctor, by=person(request), **given)
        return shown(request, doctor)


class Reject(APIView):
    """The rejection of a doctor."""

    permission_classes = REVIEW

    @extend_schema(request=shapes.WhyNot, responses=CHANGED)
    def post(self, request: Request, code: UUID) -> Response:
        """Turn the application down with a reason, which the doctor is sent."""
        doctor = _doctor(code)
        given = cleaned(Rejection(request.data))
        reviewing.reject(hospital=hospital(request), doctor=doctor, by=person(request), **given)
        return shown(request, doctor)


def _doctor(code: UUID) -> Doctor:
    return get_object_or_404(Doctor.objects.sent().with_people(), code=code)


class OwnApplication(APIView):
    """The caller's own application as a doctor of this hospital."""

    permission_classes = OWN

    @extend_schema(responses={200: shapes.Application, 404: Problem})
    def get(self, request: Request) -> Response:
        """Read it. `status` says where it stands, `answer` what the hospital last wrote."""
        return shown(request, mine(request))

    @extend_schema(request=shapes.DetailsIn, responses=CHANGED)
    def put(self, request: Request) -> Response:
        """Begin or change it; what is left out is emptied. It is sent by itself, when it is complete."""
        form = DetailsForm(request.data)
        cleaned(form)
        applying.keep(hospital=hospital(request), user=person(request), details=form.details())
        return shown(request, mine(request))

    @extend_schema(responses={204: None, 409: Problem})
    def delete(self, request: Request) -> Response:
        """Discard it, as long as it was never sent."""
        applying.discard(user=person(request))
        return Response(status=204)


class OwnDocuments(APIView):
    """The documents of the caller's own application."""

    permission_classes = OWN
    parser_classes = [parsers.MultiPartParser]

    @extend_schema(
        request={"multipart/form-data": shapes.DocumentIn},
        responses={201: shapes.DocumentOut, 400: Problem, 409: Problem},
    )
    def post(self, request: Request) -> Response:
        """Add a PDF, JPEG, PNG or WebP of at most 8 MB; its content decides what it is."""
        form = DocumentForm(request.data, request.FILES)
        form.is_alone = True
        kept = applying.add_document(hospital=hospital(request), user=person(request), **cleaned(form))
        return Response(shapes.DocumentOut(kept, context={"request": request}).data, status=201)


class OwnDocument(APIView):
    """One document of the caller's own application."""

    permission_classes = OWN

    @extend_schema(responses={204: None, 404: Problem, 409: Problem})
    def delete(self, request: Request, code: UUID) -> Response:
        """Remove it, as long as the hospital is not looking at the application."""
        own = DoctorDocument.objects.select_related("doctor").filter(doctor__user=person(request))
        applying.remove_document(document=get_object_or_404(own, code=code), by=person(request))
        return Response(status=204)


class SendApplication(APIView):
    """Handing the application in."""

    permission_classes = OWN

    @extend_schema(request=None, responses={**CHANGED, 422: Problem})
    def post(self, request: Request) -> Response:
        """Send it to the hospital. It needs all details and the licence among the documents."""
        applying.send(hospital=hospital(request), user=person(request), now=now())
        return shown(request, mine(request))


class DocumentContent(FileView):
    """A document itself."""

    permission_classes = OWN

    @extend_schema(
        responses={
            (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY),
            (200, "image/webp"): OpenApiResponse(OpenApiTypes.BINARY),
            404: Problem,
        }
    )
    def get(self, request: Request, code: UUID) -> FileResponse:
        """Read it: its doctor, and who reviews doctors here."""
        role = role_of(request, request.user)
        kept = get_object_or_404(DoctorDocument.objects.visible_to(person(request), role), code=code)
        return documents.answer(path=kept.path, name=kept.name, content_type=kept.content_type)


class Invite(APIView):
    """Inviting a doctor the hospital knows."""

    permission_classes = REVIEW

    @extend_schema(request=shapes.InvitedIn, responses={201: shapes.Application, 400: Problem, 409: Problem})
    def post(self, request: Request) -> Response:
        """Verify a doctor on the hospital's own word and send them a one-time link by e-mail."""
        form = Invitation(request.data)
        cleaned(form)
        doctor = inviting.invite(hospital=hospital(request), invited=form.invited(), by=person(request), now=now())
        return shown(request, doctor, status=201)


class Import(APIView):
    """Inviting a list of doctors."""

    permission_classes = REVIEW

    @extend_schema(request=shapes.ListIn, responses={200: shapes.ListOut, 422: Problem})
    def post(self, request: Request) -> Response:
        """Look at a CSV text with `dry_run`, or invite every doctor in it, or nobody.

        Its first row names the columns: email, name, specialization, qualifications, licence_number, experience_years,
        department (by its name) and, if there is one, phone.
        """
        form = shapes.ListIn(data=request.data)
        form.is_valid(raise_exception=True)
        given: dict[str, Any] = form.validated_data
        if given["dry_run"]:
            found = importing.look(text=given["csv"])
            faults = [vars(fault) for fault in found.faults]
            return Response({"doctors": len(found.invited), "faults": faults, "is_done": False})
        count = importing.run(hospital=hospital(request), text=given["csv"], by=person(request), now=now())
        return Response({"doctors": count, "faults": [], "is_done": True})
