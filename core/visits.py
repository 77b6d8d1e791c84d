"""Words about visits that every room uses."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class VisitKind(models.TextChoices):
    """How patient and doctor meet."""

    IN_PERSON = "in_person", _("In person")
    VIDEO = "video", _("Video")
    CHAT = "chat", _("Chat")
