"""Every door of both kinds of host, knocked at by everybody: who is let in is what `matrix.txt` says, and nothing else.

Sessions on pages and the API, tokens on the API. Each knock is taken back.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.permissions import STAFF_ROLES
from tenants.models import Hospital
from tests.house import matrix, writer
from tests.house.cast import APPLICANT, FORMER, INVITED, PATIENT, ROLES, SUPERADMIN, SUPPORTER, VISITOR, Stage
from tests.house.matrix import COLUMNS, HOW_TO_ADD
from tests.house.walk import Door, Outcome, doors, knock, outcome

Who = Callable[[Door], Client]
OF_CEDAR = [f"cedar {column}" for column in (APPLICANT, *ROLES)]
OF_LOTUS = [f"lotus {column}" for column in (APPLICANT, *ROLES)]
_ANSWERED = {True: ("HEAD", "OPTIONS"), False: ("HEAD",)}  # a page refuses OPTIONS by its method, with 405
_CHANGE = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM) "(?!accounts_session")')


def full(place: str, column: str) -> str:
    """A column of the matrix as the cast knows them: at a hospital the roles are Cedar's."""
    return f"cedar {column}" if place == "hospital" and column not in (VISITOR, PATIENT) else column


def met(stage: Stage, place: str, name: str, who: Who, *, only_api: bool = False) -> dict[str, Outcome]:
    """What somebody meets at each door of a place; Django's admin counts as one, at its most generous."""
    outcomes: dict[str, Outcome] = {}
    for door in doors(place):
        if only_api and not door.is_api:
            continue
        path = door.path(stage.arguments(door, stage.cedar, name))
        seen = outcome(door, path, knock(who(door), door, path))
        row = matrix.key(door)
        if not (door.is_admin and outcomes.get(row) is Outcome.IN):
            outcomes[row] = seen
    return outcomes


def host_of(place: str) -> str:
    return "portal" if place == "portal" else "cedar"


def compare(place: str, column: str, seen: dict[str, Outcome], *, all_doors: bool = True) -> None:
    """Fail with a sentence for every door that is not as the file says."""
    stored = {row: outcomes[column] for row, outcomes in matrix.read().items() if row.split()[0] == place}
    faults = [f"{' '.join(row.split())} has no line in the matrix. {HOW_TO_ADD}" for row in seen if row not in stored]
    faults += [
        f"{' '.join(row.split())}: {column} is {seen[row].value}, the matrix says {stored[row].value}."
        for row in seen
        if row in stored and seen[row] is not stored[row]
    ]
    if all_doors:
        faults += [
            f"{' '.join(row.split())} is in the matrix, but there is no such door." for row in stored if row not in seen
        ]
    assert faults == []


def more_than_a_patient(seen: dict[str, Outcome]) -> list[str]:
    """What opens although it is closed to a patient, but for the application that a doctor has sent here themselves."""
    stored = matrix.read()
    opened = [row for row, outcome in seen.items() if outcome is Outcome.IN and stored[row][PATIENT] is not Outcome.IN]
    return [row for row in opened if not row.endswith("/api/doctors/application/")]


CELLS = [(place, column) for place, columns in COLUMNS.items() for column in columns]


@pytest.mark.parametrize(("place", "column"), CELLS)
def test_those_are_let_in_who_are_stored(
    stage: Stage,
    place: str,
    column: str,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    name = full(place, column)
    seen = met(stage, place, name, lambda door: stage.client(host_of(place), name))
    record_property("cells", len(seen))
    assert [row for row, outcome in seen.items() if outcome is Outcome.BROKEN] == []
    if request.config.pluginmanager.has_plugin(writer.NAME):
        writer.note(column, seen)
        return
    compare(place, column, seen)


@pytest.mark.parametrize(("place", "column"), [cell for cell in CELLS if cell[1] not in (VISITOR, SUPPORTER)])
def test_a_token_opens_what_a_session_opens(stage: Stage, place: str, column: str) -> None:
    name = full(place, column)
    bearer = stage.bearer(host_of(place), name)
    seen = met(stage, place, name, lambda door: bearer, only_api=True)
    assert seen
    compare(place, column, seen, all_doors=False)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        *[("portal", name) for name in OF_CEDAR],
        *[("hospital", name) for name in (*OF_LOTUS, f"cedar {INVITED}", f"cedar {FORMER}", SUPERADMIN)],
    ],
)
def test_everybody_is_a_patient_where_they_have_no_role(stage: Stage, place: str, name: str) -> None:
    seen = met(stage, place, name, lambda door: stage.client(host_of(place), name))
    compare(place, PATIENT, seen)


@pytest.mark.parametrize(
    ("place", "name"),
    [("portal", OF_CEDAR[1]), *[("hospital", name) for name in (OF_LOTUS[1], f"cedar {FORMER}", SUPERADMIN)]],
)
def test_a_token_makes_nobody_more_than_a_patient_where_they_have_no_role(stage: Stage, place: str, name: str) -> None:
    bearer = stage.bearer(host_of(place), name)
    compare(place, PATIENT, met(stage, place, name, lambda door: bearer, only_api=True), all_doors=False)


def test_a_superadmin_without_the_second_factor_is_a_patient(stage: Stage) -> None:
    seen = met(stage, "portal", SUPERADMIN, lambda door: stage.client("portal", SUPERADMIN, lacks_factor=True))
    assert more_than_a_patient(seen) == []


@pytest.mark.parametrize("role", [ROLES[0], ROLES[1]])
def test_staff_without_the_second_factor_that_their_hospital_asks_for_are_patients(stage: Stage, role: str) -> None:
    stage.client("cedar", f"cedar {role}")  # signed in before, so that the session outlives this test
    with transaction.atomic():
        Hospital.objects.filter(pk=stage.cedar.hospital.pk).update(requires_two_factor=True)
        seen = met(stage, "hospital", f"cedar {role}", lambda door: stage.client("cedar", f"cedar {role}"))
        transaction.set_rollback(True)
    assert more_than_a_patient(seen) == []


@pytest.mark.parametrize(
    ("place", "name", "of"),
    [
        ("portal", f"cedar {ROLES[0]}", "cedar"),
        ("portal", f"cedar {SUPPORTER}", "cedar"),
        ("hospital", SUPERADMIN, "portal"),
        ("hospital", f"cedar {ROLES[0]}", "portal"),
        ("hospital", f"lotus {ROLES[0]}", "lotus"),
        ("hospital", f"lotus {SUPPORTER}", "lotus"),
    ],
)
def test_a_cookie_carried_to_another_place_makes_a_visitor(stage: Stage, place: str, name: str, of: str) -> None:
    seen = met(stage, place, name, lambda door: stage.carried(host_of(place), name, of))
    compare(place, VISITOR, seen)


@pytest.mark.parametrize(
    ("place", "name", "of"),
    [
        ("portal", f"cedar {ROLES[0]}", "cedar"),
        ("hospital", SUPERADMIN, "portal"),
        ("hospital", f"cedar {ROLES[0]}", "portal"),
        ("hospital", f"lotus {ROLES[0]}", "lotus"),
    ],
)
def test_a_token_carried_to_another_place_opens_nothing(stage: Stage, place: str, name: str, of: str) -> None:
    bearer = stage.bearer(of, name)
    client = Client(
        raise_request_exception=False,
        HTTP_HOST=stage.host(host_of(place)),
        HTTP_AUTHORIZATION=bearer.defaults["HTTP_AUTHORIZATION"],
    )
    let_in = [
        row for row, seen in met(stage, place, name, lambda door: client, only_api=True).items() if seen is Outcome.IN
    ]
    # What asks for no authentication at all does not look at the token.
    visitors = {row for row, outcomes in matrix.read().items() if outcomes[VISITOR] is Outcome.IN}
    assert set(let_in) <= visitors


@pytest.mark.parametrize(("place", "column"), [(place, column) for place in COLUMNS for column in (VISITOR, PATIENT)])
def test_other_methods_open_nothing_that_is_closed(stage: Stage, place: str, column: str) -> None:
    """HEAD is let in where GET is, and OPTIONS of the API nowhere that all other methods are closed.

    OPTIONS describes the door, not the thing behind it: where a thing is hidden, the door may still be described.
    """
    stored = matrix.read()
    client = stage.client(host_of(place), column)
    known: dict[str, set[Outcome]] = {}
    for door in doors(place):
        if not door.is_admin:
            known.setdefault(door.pattern, set()).add(stored[matrix.key(door)][column])
    wrong = []
    for door in doors(place):
        if door.method != "GET" or door.is_admin:
            continue
        path = door.path(stage.arguments(door, stage.cedar, column))
        for method in ("HEAD", "OPTIONS"):
            seen = outcome(door, path, knock(client, replace(door, method=method), path))
            open_to = {Outcome.IN, Outcome.HIDDEN} if method == "OPTIONS" else {Outcome.IN}
            if seen is Outcome.IN and known[door.pattern].isdisjoint(open_to) and method in _ANSWERED[door.is_api]:
                wrong.append(f"{method} {path}")
    assert wrong == []


@pytest.mark.parametrize(("place", "name"), [("portal", SUPERADMIN), ("hospital", f"cedar {ROLES[0]}")])
def test_looking_changes_nothing(stage: Stage, place: str, name: str) -> None:
    """Who follows a link, or whose browser fetches it beforehand, changes nothing but their own session."""
    changed: list[str] = []
    asked = ""

    def watch(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if _CHANGE.match(sql):
            changed.append(f"{asked}: {sql[:80]}")
        return execute(sql, parameters, many, context)

    client = stage.client(host_of(place), name)
    for door in doors(place):
        # A ticket is written when somebody goes from one host to another; it signs nobody in by itself.
        if door.method == "GET" and door.name != "hand_over":
            path = door.path(stage.arguments(door, stage.cedar, name))
            asked = str(door)
            with connection.execute_wrapper(watch):
                knock(client, door, path)
    assert changed == []


# They come from elsewhere by nature, need no session, and are judged by their signature.
OF_THE_GATEWAY = ("razorpay_webhook", "checkout_return")


@pytest.mark.parametrize(("place", "name"), [("portal", SUPERADMIN), ("hospital", f"cedar {ROLES[0]}")])
def test_a_form_that_another_site_made_the_browser_send_is_refused(stage: Stage, place: str, name: str) -> None:
    """Hospitals' hosts are siblings: to a browser they are one site, so cookies alone protect nobody from a neighbour."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False, HTTP_HOST=stage.host(host_of(place)))
    client.cookies = stage.client(host_of(place), name).cookies
    stored, accepted = matrix.read(), []
    for door in doors(place):
        path = door.path(stage.arguments(door, stage.cedar, name))
        if door.name in OF_THE_GATEWAY:
            continue
        # What an API without a session does for a visitor, it does for anybody.
        if door.method != "GET" and not (door.is_api and stored[matrix.key(door)][VISITOR] is Outcome.IN):
            status = knock(client, door, path).status_code
            # 415: looking for the token, the API finds that it cannot read the body.
            if status not in (403, 415) and not (status == 405 and door.is_admin):
                accepted.append(f"{door} answered {status}")
    assert accepted == []


def test_every_role_has_a_column() -> None:
    assert set(STAFF_ROLES) < set(COLUMNS["hospital"])


def test_the_file_is_written_as_it_is_read() -> None:
    assert matrix.written(matrix.read()) == matrix.FILE.read_text()


def test_the_walk_has_thousands_of_cells(record_property: Callable[[str, object], None]) -> None:
    cells = sum(len(doors(place)) * len(columns) for place, columns in COLUMNS.items())
    record_property("cells", cells)
    assert cells > 1000


def test_a_door_that_is_not_in_the_file_fails_with_what_to_do() -> None:
    new = matrix.key(Door("hospital", "GET", "/office/cellar/", "cellar", is_api=False))
    with pytest.raises(
        AssertionError, match="GET /office/cellar/ has no line in the matrix. Add it with `make matrix`"
    ):
        compare("hospital", PATIENT, {new: Outcome.OUT}, all_doors=False)


def test_a_door_that_opens_to_somebody_new_fails() -> None:
    row = next(row for row, outcomes in matrix.read().items() if outcomes[PATIENT] is Outcome.OUT)
    with pytest.raises(AssertionError, match="patient is let in, the matrix says kept out"):
        compare(row.split()[0], PATIENT, {row: Outcome.IN}, all_doors=False)


def test_a_door_without_arguments_in_the_cast_fails_with_where_to_add_them(stage: Stage) -> None:
    door = Door("hospital", "GET", "/office/cellar/<uuid:code>/", "cellar", is_api=False)
    with pytest.raises(LookupError, match="tests/house/cast.py has nothing to put into hospital GET /office/cellar/"):
        stage.arguments(door, stage.cedar, PATIENT)
