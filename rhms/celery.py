"""The Celery application: `celery -A rhms worker` and `celery -A rhms beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rhms.settings")

app = Celery("rhms")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
