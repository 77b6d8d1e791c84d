"""Every task that anybody asks for exists."""

import re
from pathlib import Path

import pytest
from celery.exceptions import Reject
from django.conf import settings

from rhms.celery import app

ROOMS = (
    *("core", "audit", "notifications", "accounts", "tenants", "directory", "hospitals", "patients"),
    *("billing", "appointments"),
)


def test_every_task_that_is_sent_or_scheduled_is_registered() -> None:
    app.loader.import_default_modules()
    asked_for = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    for room in ROOMS:
        for file in Path(settings.BASE_DIR, room).rglob("*.py"):
            asked_for |= set(re.findall(r'after_commit\(\s*"([\w.]+)"', file.read_text()))
    asked_for.discard("room.task")  # the example in core.queue's docstring
    assert {"notifications.deliver", "notifications.sweep"} <= asked_for
    assert asked_for <= set(app.tasks)


def test_every_task_of_ours_refuses_to_run_without_a_place() -> None:
    app.loader.import_default_modules()
    ours = [task for name, task in app.tasks.items() if name.partition(".")[0] in ROOMS]
    assert ours
    for task in ours:
        with pytest.raises(Reject, match=f"The task {task.name} was refused: it names no hospital."):
            task.run()


def test_everything_beat_asks_for_begins_in_public_and_says_so() -> None:
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert entry.get("kwargs") == {"schema": "public"}, name
