"""Nothing of Cedar's is ever seen, kept, logged or sent at Lotus, nor by anybody who does not belong to Cedar.

What only Cedar may know carries a canary (tests/house/cast.py). Lotus' people, Cedar's own people on Lotus' host and
strangers on the portal open every door, with their own codes and with Cedar's.
"""

import inspect
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from celery import current_app
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponse
from django.utils.timezone import now

from accounts.permissions import ROLES as HELD
from accounts.permissions import STAFF_ROLES
from appointments.models import Appointment
from billing.models import Payment, Reconciliation, Refund, Report, WebhookEvent
from core.schemas import schema_context
from hospitals.models import Department, Doctor
from notifications import services as notifications
from notifications.models import Notification
from patients.models import Patient
from rhms.celery import app as celery_app
from tests.house.cast import APPLICANT, PATIENT, ROLES, SUPERADMIN, SUPPORTER, VISITOR, Stage, canary
from tests.house.walk import Door, Outcome, doors, knock, outcome
from tests.house.watch import Watch

ROOMS = (
    *("core", "audit", "notifications", "accounts", "tenants", "directory", "hospitals", "patients"),
    *("billing", "appointments"),
)
# Kinds of canaries that stand in public, where a superadmin finds them in Django's admin.
IN_PUBLIC = "(?!colleague|guest|leaver|claim|token)"
# Roles with the same permissions are let in at the same doors, as the matrix says: one of each is enough.
ONE_OF_EACH = list({frozenset(HELD[role]): str(role) for role in reversed(STAFF_ROLES)}.values())
AT_LOTUS = [
    VISITOR,
    PATIENT,
    SUPERADMIN,
    *[f"lotus {column}" for column in (APPLICANT, *ONE_OF_EACH, SUPPORTER)],
    *[f"cedar {column}" for column in (ROLES[0], "doctor", APPLICANT)],
]
ON_THE_PORTAL = [VISITOR, PATIENT, f"lotus {ROLES[0]}", f"lotus {APPLICANT}", f"cedar {ROLES[0]}", f"cedar {APPLICANT}"]


def paths(stage: Stage, place: str, name: str, of: str) -> Iterator[tuple[Door, str]]:
    """Each door with the codes of `of`; codes that are canaries themselves are left out, since answers repeat them."""
    house = getattr(stage, of)
    for door in doors("portal" if place == "portal" else "hospital"):
        path = door.path(stage.arguments(door, house, name))
        yield door, path.replace(stage.cedar.things["claim"].domain, stage.cedar.things["domain"].domain)


def more(stage: Stage, door: Door, path: str) -> tuple[str, dict[str, Any]]:
    """The same door with a search, or with a form that is filled in."""
    if door.method == "GET":
        return f"{path}{'&' if '?' in path else '?'}q=canary&status=all&state=all&page_size=100", {}
    return path, filled(stage)


def filled(stage: Stage) -> dict[str, Any]:
    """A body with something for most forms, naming things of Cedar where a form asks for a thing."""
    return {
        "department": str(stage.cedar.things["shown"].code),
        "staff": str(stage.cedar.things["colleague"].code),
        "doctor": str(stage.cedar.things["doctor"].code),
        "name": "Neurology",
        "email": "neha@example.com",
        "first_name": "Neha",
        "last_name": "Joshi",
        "username": "neha",
        "password": "a-long-enough-word-9",
        "password2": "a-long-enough-word-9",
        "present": "correct-horse-7",
        "code": "123456",
        "role": "nurse",
        "reason": "It is time.",
        "answer": "Send the second page.",
        "description": "Nerves.",
        "domain": "www.neuro.example",
        "specialization": "Neurology",
        "qualifications": "MBBS",
        "licence_number": "MH/1",
        "experience_years": 3,
    }


def visit(stage: Stage, watch: Watch, place: str, name: str) -> int:
    """Open every door of a place as somebody, with Lotus' codes and with Cedar's; return how many knocks it took.

    Who is let in knocks again, with a search or a filled-in form.
    """
    done = 0
    for of in ("lotus", "cedar"):
        for door, path in paths(stage, place, name, of):
            if of == "cedar" and not door.slots:
                continue
            for where, body in ((path, {}), more(stage, door, path)):
                with watch.on(f"{name} at {door}", letters_of=stage.lotus if body else None) as look:
                    answer = knock(stage.client(place, name), door, where, body, look)
                done += 1
                if outcome(door, where, answer) is not Outcome.IN:
                    break
    return done


@pytest.mark.parametrize("name", AT_LOTUS)
def test_nothing_of_cedars_is_met_at_lotus(
    stage: Stage, name: str, record_property: Callable[[str, object], None]
) -> None:
    watch = Watch(stage.cedar)
    record_property("knocks", visit(stage, watch, "lotus", name))
    assert watch.leaks == []


@pytest.mark.parametrize("name", ON_THE_PORTAL)
def test_nothing_of_cedars_is_met_on_the_portal(stage: Stage, name: str) -> None:
    watch = Watch(stage.cedar)
    visit(stage, watch, "portal", name)
    assert watch.leaks == []


def test_the_superadmin_meets_nothing_that_stands_inside_a_hospital(stage: Stage) -> None:
    watch = Watch(stage.cedar, only=IN_PUBLIC + r"\w+", may_enter=True)
    visit(stage, watch, "portal", SUPERADMIN)
    assert watch.leaks == []


def test_cedars_own_people_meet_every_canary(stage: Stage) -> None:
    """Otherwise the tests above would look for what nobody ever shows."""
    watch = Watch(stage.cedar)
    for name in (f"cedar {ROLES[0]}", "cedar nurse"):  # what is clinical is not the admin's
        for door, path in paths(stage, "cedar", name, "cedar"):
            for where in dict.fromkeys((path, more(stage, door, path)[0])):
                with watch.on(str(door)) as look:
                    knock(stage.client("cedar", name), door, where, {}, look)
    everything = {canary("cedar", kind) for kind in stage.kinds}
    assert everything - {word for word in everything if any(found.startswith(word) for found in watch.found)} == set()


def nobodys(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the same kinds that stand for nothing. Days of the week and steps belong to everybody."""
    named = {slot: value for slot, value in arguments.items() if slot not in ("weekday", "step")}
    return arguments | {slot: uuid4() if isinstance(value, UUID) else "nobody.example" for slot, value in named.items()}


@pytest.mark.parametrize("name", [f"lotus {column}" for column in (ROLES[0], APPLICANT, "doctor", SUPPORTER)])
def test_a_code_of_cedars_is_worth_at_lotus_what_a_code_of_nobody_is(stage: Stage, name: str) -> None:
    wrong = []
    for door in doors("hospital"):
        arguments = stage.of_hospital(door, stage.cedar)
        named = {slot: arguments[slot] for slot in door.slots} if arguments else {}
        if not named or nobodys(named) == named:  # the argument is for everybody, or the asker's own
            continue
        for body in ({}, filled(stage)):
            answers = []
            for path in (door.path(named), door.path(nobodys(named))):
                answer = knock(stage.client("lotus", name), door, path, body)
                answers.append((answer.status_code, answer.content if door.is_api else b""))
            if answers[0] != answers[1] or answers[0][0] < 400:
                wrong.append(f"{door}: {answers}")
    assert wrong == []


# --- Tasks ---


def tasks() -> list[str]:
    celery_app.loader.import_default_modules()
    return sorted(name for name in current_app.tasks if name.partition(".")[0] in ROOMS)


def given(stage: Stage, name: str) -> list[dict[str, Any]]:
    """What a task of Lotus' may be sent with, numbers of rows that only Cedar has, or nobody, among them."""
    wanted = set(inspect.signature(inspect.unwrap(current_app.tasks[name].run)).parameters) - {"schema"}
    if not wanted:
        return [{}]
    common: dict[str, Any] = {"since": now().isoformat(), "until": (now() + timedelta(hours=1)).isoformat()}
    [what] = wanted - common.keys()
    if what not in OF_ROWS:
        raise LookupError(f"{Path(__file__).name} does not know what to send {name} with: {wanted}.")
    model, column = OF_ROWS[what]
    values: set[Any] = {uuid4() if column == "code" else "of nobody" if column == "event_id" else 10**9}
    for house in (stage.lotus, stage.cedar):
        with schema_context(house.hospital.schema_name):
            values |= set(model._default_manager.values_list(column, flat=True))
    others = {argument: common[argument] for argument in wanted - {what}}
    return [{what: str(value) if column == "code" else value, **others} for value in sorted(values)]


# What an argument of a task names.
OF_ROWS: dict[str, tuple[type[Model], str]] = {
    "notification_id": (Notification, "pk"),
    "doctor_id": (Doctor, "pk"),
    "code": (Doctor, "code"),
    "appointment_id": (Appointment, "pk"),
    "patient_id": (Patient, "pk"),
    "payment_id": (Payment, "pk"),
    "refund_id": (Refund, "pk"),
    "event_id": (WebhookEvent, "event_id"),
    "begun_id": (Reconciliation, "pk"),
    "report_id": (Report, "pk"),
}


def test_lotus_tasks_touch_nothing_of_cedars(stage: Stage) -> None:
    schema = stage.lotus.hospital.schema_name
    watch, over_all = Watch(stage.cedar), Watch(stage.cedar, may_enter=True)
    of_beat = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}  # these look into every hospital
    sent = len(mail.outbox)
    with transaction.atomic():
        for name in tasks():
            for arguments in given(stage, name):
                eyes = over_all if name in of_beat else watch
                with eyes.on(name, letters_of=stage.lotus) as look:
                    current_app.tasks[name].run(schema=schema, **arguments)
                    look(None)
        transaction.set_rollback(True)
    letters = "".join(message.message().as_string() for message in mail.outbox[sent:])
    assert canary("lotus", "news") in letters  # the messenger did work
    assert watch.leaks + over_all.leaks == []


# --- The watch itself ---


def _letter(stage: Stage) -> None:
    with schema_context(stage.lotus.hospital.schema_name), transaction.atomic():
        notifications.notify(
            to_address="asha@example.com",
            to_name=canary("cedar", "colleague"),
            template="account_changed",
            subject="x",
            brand_name="x",
            accent="#0b6e6e",
            context={},
        )


def _statement(stage: Stage) -> None:
    with schema_context(stage.cedar.hospital.schema_name):
        Department.objects.count()


PLANTED: dict[str, Callable[[Stage], object]] = {
    "the cache": lambda stage: cache.set("names", [canary("cedar", "colleague")]),
    "the cache, as a key": lambda stage: cache.set(canary("cedar", "colleague"), 1),
    "the log": lambda stage: logging.getLogger("rhms").warning("Who is %s?", canary("cedar", "colleague")),
    "an e-mail": lambda stage: mail.send_mail("x", canary("cedar", "colleague"), None, ["asha@example.com"]),
    "a letter": _letter,
    "the file": lambda stage: default_storage.open(stage.cedar.things["document"].path).close(),
    "a statement in its schema": _statement,
}


@pytest.mark.parametrize("where", PLANTED)
def test_the_watch_sees_what_leaves_elsewhere(stage: Stage, where: str) -> None:
    watch = Watch(stage.cedar)
    with transaction.atomic():
        with watch.on("here", letters_of=stage.lotus) as look:
            PLANTED[where](stage)
            look(None)
        transaction.set_rollback(True)
    assert any(f"here: {where.partition(',')[0]}" in leak for leak in watch.leaks)


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse("<p>canarycedarcolleague</p>"),
        HttpResponse(headers={"X-Name": "CanaryCedarHidden"}),
    ],
    ids=["body", "header"],
)
def test_the_watch_sees_what_an_answer_says(stage: Stage, answer: HttpResponse) -> None:
    watch = Watch(stage.cedar)
    with watch.on("here") as look:
        answer.content_was = answer.content  # type: ignore[attr-defined]
        look(answer)
    assert len(watch.leaks) == 1


def test_a_leak_in_the_database_is_found_at_the_doors(stage: Stage) -> None:
    watch = Watch(stage.cedar)
    with transaction.atomic():
        with schema_context(stage.lotus.hospital.schema_name):
            Department.objects.filter(pk=stage.lotus.things["shown"].pk).update(description=canary("cedar", "plan"))
        visit(stage, watch, "lotus", VISITOR)
        transaction.set_rollback(True)
    assert {leak.rpartition(" ")[2] for leak in watch.leaks} == {canary("cedar", "plan")}


def test_cedars_files_are_stored_below_its_own_code(stage: Stage) -> None:
    folder = Path(settings.MEDIA_ROOT, str(stage.cedar.hospital.code))
    assert (folder / stage.cedar.things["document"].path.partition("/")[2]).exists()
