"""RHMS's own settings, but pages need no `collectstatic`."""

from pathlib import Path

from rhms.settings import *  # noqa: F403
from rhms.settings import MEDIA_ROOT, STORAGES

STATIC_ROOT = Path(MEDIA_ROOT).with_name("static")
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
