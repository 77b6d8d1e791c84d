"""/api/admin/ of the portal beyond the queue: all hospitals, invitations, the outbox."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires, is_support
from accounts.serializers import Problem
from core.rest import person
from hospitals import serializers
from hospitals.filters import HospitalFilter, MessageFilter
from hospitals.services import joining
from notifications import services as notifications
from notifications.models import Notification, Notifications
from tenants.models import Hospital


class Hospitals(generics.ListAPIView[Hospital]):
    """Every hospital the platform knows, newest first."""

    permission_classes = [Requires(Permission.HOSPITAL_REVIEW)]
    serializer_class = serializers.Registered
    filterset_class = HospitalFilter
    queryset = Hospital.objects.order_by("-created_at", "-pk")


class Invite(APIView):
    """The invitation of a hospital's first admin."""

    permission_classes = [Requires(Permission.HOSPITAL_REVIEW)]

    @extend_schema(request=None, responses={202: serializers.Registered, 404: Problem, 409: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Send the invitation again; the earlier link stops working."""
        hospital = get_object_or_404(Hospital, code=code)
        joining.invite_admin(hospital=hospital, by=person(request), now=now())
        return Response(serializers.Registered(hospital, context={"request": request}).data, status=202)


class Messages(generics.ListAPIView[Notification]):
    """The outbox of this host, the platform's or the hospital's, newest first."""

    permission_classes = [Requires(Permission.OUTBOX_VIEW)]
    serializer_class = serializers.Message
    filterset_class = MessageFilter
    queryset = Notification.objects.all()

    def get_queryset(self) -> Notifications:
        """All of them; support sees none that tell of patients."""
        shown = Notification.objects.shown_to(is_support=is_support(self.request))
        return shown.defer("facts", "sent_text", "sent_html").newest_first()


class RetryMessage(APIView):
    """A message that failed."""

    permission_classes = [Requires(Permission.OUTBOX_VIEW)]

    @extend_schema(request=None, responses={202: serializers.Message, 404: Problem, 409: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Send a failed message again, from the first attempt."""
        shown = Notification.objects.shown_to(is_support=is_support(request))
        message = get_object_or_404(shown, code=code)
        notifications.retry(message=message, by=person(request), now=now())
        message.refresh_from_db()
        return Response(serializers.Message(message).data, status=202)
