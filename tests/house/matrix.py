"""Who is let in at each door: read and written as `matrix.txt`, one line for a door, for people to review.

`make matrix` walks all doors and writes the file anew (tests/house/writer.py). Read the difference before you commit it:
every changed line is somebody who may come in where they might not before, or the other way round.
"""

from pathlib import Path

from tests.house.cast import APPLICANT, PATIENT, ROLES, SUPERADMIN, SUPPORTER, VISITOR
from tests.house.walk import Door, Outcome

FILE = Path(__file__).with_name("matrix.txt")
COLUMNS = {
    "portal": [VISITOR, PATIENT, SUPERADMIN],
    "hospital": [VISITOR, PATIENT, APPLICANT, *ROLES, SUPPORTER],
}
Rows = dict[str, dict[str, Outcome]]

_HEAD = """\
# Who is let in at which door. Written by `make matrix`, compared with the real answers by tests/house/test_matrix.py.
#
# portal    the portal's host: visitor (signed out), patient (an account without a role), superadmin
# hospital  a hospital's own host: visitor, patient, applicant (a doctor who waits for approval), the roles of its staff,
#           and support (a superadmin in the name of the hospital's admin)
# everybody: all of them.  people: all who are signed in.  staff: all roles of the hospital.  -x: without x.
# [404: ...] those who are let in but told that there is no such thing, because it is not theirs to see.
# Whoever belongs to another hospital, was only invited, has left, or lacks the second factor that is asked of them is
# treated as a patient everywhere; that is tested too, so they have no column.
"""
HOW_TO_ADD = (
    "Add it with `make matrix`, and read the line it writes into tests/house/matrix.txt: does it let in who it should? "
    "A door with arguments also needs something to put into them, in tests/house/cast.py."
)


def key(door: Door) -> str:
    """The door as its line begins; Django's admin is one door."""
    return (
        f"{door.place:<8}  ANY     /admin/..."
        if door.is_admin
        else f"{door.place:<8}  {door.method:<6}  {door.pattern}"
    )


def words(place: str, names: set[str]) -> str:
    """Some of the columns of a place, in as few words as say it."""
    if not names:
        return "nobody"
    columns = COLUMNS[place]
    said: list[list[str]] = [[name for name in columns if name in names]]
    for word, group in _groups(place).items():
        if group & names:
            without = [f"-{name}" for name in columns if name in group - names]
            said.append([word, *without, *(name for name in columns if name in names - group)])
    shortest = min(said, key=len)
    return " ".join(shortest)


def _groups(place: str) -> dict[str, set[str]]:
    columns = set(COLUMNS[place])
    return {"everybody": columns, "people": columns - {VISITOR}, "staff": columns & set(ROLES)}


def written(rows: Rows) -> str:
    """The file."""
    lines = []
    for row in sorted(rows, key=lambda row: (row.split()[0] != "portal", row.split()[2], row.split()[1])):
        place, outcomes = row.split()[0], rows[row]
        let_in = {name for name, outcome in outcomes.items() if outcome is Outcome.IN}
        hidden = {name for name, outcome in outcomes.items() if outcome is Outcome.HIDDEN}
        line = f"{row:<82}  {words(place, let_in)}"
        lines.append(f"{line}  [404: {words(place, hidden)}]" if hidden else line)
    return _HEAD + "\n" + "\n".join(lines) + "\n"


def read() -> Rows:
    """What the file says: for each line, the outcome of each column of its place."""
    rows: Rows = {}
    for line in FILE.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        place, method, pattern, *rest = line.split()
        said, _bracket, hidden = " ".join(rest).partition("[404: ")
        outcomes = dict.fromkeys(COLUMNS[place], Outcome.OUT)
        outcomes |= dict.fromkeys(_names(place, hidden.rstrip("]")), Outcome.HIDDEN)
        outcomes |= dict.fromkeys(_names(place, said), Outcome.IN)
        rows[f"{place:<8}  {method:<6}  {pattern}"] = outcomes
    return rows


def _names(place: str, said: str) -> set[str]:
    groups = _groups(place)
    names: set[str] = set()
    for word in said.split():
        if word.startswith("-"):
            names.discard(word[1:])
        elif word != "nobody":
            names |= groups.get(word, {word})
    if not names <= set(COLUMNS[place]):
        raise ValueError(f"{FILE.name} names {', '.join(names - set(COLUMNS[place]))}, who is nobody at the {place}.")
    return names
