"""A hospital with fifty patients moves to another database and back: how long it is out of service each time."""

from collections.abc import Iterator

from django.core.management import call_command
from django.utils.timezone import now

from bench import fleet
from bench.cluster import CELL
from bench.frame import Figure, Size
from tenants.cells import moving
from tenants.models import HOME_CELL

PAUSE = 5_000.0  # milliseconds, at most


def measure(size: Size) -> Iterator[Figure]:
    """There and back again; the longest time is what counts."""
    call_command("prepare_cell", CELL, verbosity=0)
    hospital = fleet.hospitals()[0]
    moves = [
        moving.move(hospital=hospital, to=cell, now=now())
        for _round in range(size.rounds(3))
        for cell in (CELL, HOME_CELL)
    ]
    moving.drop_left_behind(hospital=hospital)
    yield Figure(
        "out of service, the longest of some moves", 1000 * max(move.pause_seconds for move in moves), most=PAUSE
    )
    yield Figure("of it waiting until every process knows", 2000 * moving.KNOWN_EVERYWHERE)
    yield Figure("rows that were moved", moves[-1].rows, unit="")
