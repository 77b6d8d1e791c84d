"""The roles that keep hospitals apart in the database. All of this is the owner's work (core.schemas.as_owner).

Every hospital has a role of its own, named like its schema, which nobody can sign in with. It may use that schema and the
shared tables. The platform's login may do nothing but take one of these roles, or the portal's: a wrong search path
then finds nothing, instead of another hospital.
"""

from django.db import connection, connections

from tenants import provisioning
from tenants.models import HOME_CELL, Hospital
from tenants.postgres.places import PORTAL_ROLE, SHARED_ROLE

# Two that change roles at once would make each other fail ("tuple concurrently updated").
LOCK = "SELECT pg_advisory_xact_lock(hashtext('roles of hospitals'))"

ADMIT = f"""
CREATE OR REPLACE FUNCTION public.tenants_admit(hospital text, login text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('roles of hospitals'));
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = hospital) THEN
    EXECUTE format('CREATE ROLE %I NOLOGIN', hospital);
    EXECUTE format('GRANT {SHARED_ROLE} TO %I', hospital);
  END IF;
  EXECUTE format('GRANT %I TO %I', hospital, login);
  EXECUTE format('GRANT USAGE ON SCHEMA %1$I TO %1$I', hospital);
  -- Before there are tables: naming those that exist takes longer the more hospitals there are.
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %1$I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %1$I', hospital);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %1$I GRANT USAGE, SELECT ON SEQUENCES TO %1$I', hospital);
END $$"""

# The portal opens hospitals with the owner's rights, and can do nothing else with them: the text is in the function.
_OPEN = """
CREATE OR REPLACE FUNCTION public.tenants_open(hospital text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $open$
BEGIN
  IF NOT EXISTS (SELECT FROM public.tenants_hospital WHERE schema_name = hospital) THEN
    RAISE EXCEPTION 'There is no hospital %%', hospital USING ERRCODE = 'no_data_found';
  END IF;
  EXECUTE format('CREATE SCHEMA %%I', hospital);
  PERFORM public.tenants_admit(hospital, session_user);
  EXECUTE format('SET LOCAL search_path = %%I, public, pg_temp', hospital);
  EXECUTE $ddl$%(ddl)s$ddl$;
  RETURN '%(version)s';
END $open$"""

_SHARED = f"""
GRANT USAGE ON SCHEMA public TO {SHARED_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {SHARED_ROLE};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {SHARED_ROLE};
REVOKE INSERT, UPDATE, DELETE ON public.django_migrations FROM {SHARED_ROLE};
REVOKE ALL ON FUNCTION public.tenants_admit(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.tenants_open(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.tenants_open(text) TO {PORTAL_ROLE};
-- A table of one hospital's that stays in the session would be found first by the next.
DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$;"""  # noqa: S608  (roles of ours)


def make_shared(cell: str = HOME_CELL) -> None:
    """Make the roles that all hospitals have in common, and the cell's login with the password it was given."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
        for role in (SHARED_ROLE, PORTAL_ROLE):
            if not _exists(role):
                cursor.execute(f"CREATE ROLE {role} NOLOGIN")
        if not _is_in(PORTAL_ROLE, SHARED_ROLE):
            cursor.execute(f"GRANT {SHARED_ROLE} TO {PORTAL_ROLE}")
    login, password = _login(cell)
    make_login(login, password, PORTAL_ROLE, inherits=False)


def make_login(login: str, password: str, role: str, *, inherits: bool) -> None:
    """Make a login that may take the role, unless it is there: one that `inherits` has its rights without taking it."""
    with connection.cursor() as cursor:
        if not _exists(login):
            inherit = "INHERIT" if inherits else "NOINHERIT"
            cursor.execute(f"CREATE ROLE {_quoted(login)} LOGIN {inherit} PASSWORD %s", [password])
        if not _is_in(login, role):
            cursor.execute(f"GRANT {role} TO {_quoted(login)}")


def grant_shared() -> None:
    """Give the shared tables to everybody, and the portal the right to open hospitals. After every migration."""
    with connection.cursor() as cursor:
        cursor.execute(ADMIT)
        cursor.execute(_OPEN % {"ddl": provisioning.ddl(), "version": provisioning.version()})
        cursor.execute(_SHARED)


def admit(*, schema: str, cell: str = HOME_CELL) -> None:
    """Give a schema, whose tables are there already, to its hospital's role, and the role to the cell's login."""
    login, _password = _login(cell)
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.tenants_admit(%s, %s)", [schema, login])
        name = _quoted(schema)
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {name}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {name} TO {name}")


def dismiss(*, schema: str, cell: str, left: str = "") -> None:
    """Take a hospital's role from the cell's login: it lives elsewhere now. `left` is what its old schema is called."""
    login, _password = _login(cell)
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
        cursor.execute(f"REVOKE {_quoted(schema)} FROM {_quoted(login)}")
        if left:
            cursor.execute(f"REVOKE ALL ON SCHEMA {_quoted(left)} FROM {_quoted(schema)}")


def admit_all() -> None:
    """Give every hospital its role that has none, as before there were any, or whose role the login may not take."""
    login, _password = _login(HOME_CELL)
    hospitals = Hospital.objects.with_schema().filter(cell=HOME_CELL)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname FROM pg_namespace LEFT JOIN pg_roles ON rolname = nspname WHERE nspname = ANY(%s)"
            " AND (rolname IS NULL OR NOT pg_has_role(%s, rolname, 'MEMBER')) ORDER BY nspname",
            [list(hospitals.values_list("schema_name", flat=True)), login],
        )
        for (schema,) in cursor.fetchall():
            admit(schema=schema)


def _login(cell: str) -> tuple[str, str]:
    """The cell's login and its password."""
    target = connections.settings[cell]
    return target["USER"], target["PASSWORD"]


def _exists(role: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        return cursor.fetchone() is not None


def _is_in(member: str, role: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [member, role])
        [answer] = cursor.fetchone()
        return bool(answer)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
