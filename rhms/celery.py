"""The Celery application: `celery -A rhms worker` and `celery -A rhms beat`."""

import logging.config
import os

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rhms.settings")

app = Celery("rhms")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _write_as_everybody(loglevel: int, **_told: object) -> None:
    """Lines of a worker name the hospital and the task, as those of a web server name the hospital and the request."""
    logging.config.dictConfig(settings.LOGGING)
    for name in ("", "celery"):
        logging.getLogger(name).setLevel(loglevel)
