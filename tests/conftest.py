"""Two hospitals made once per session; each ordinary test rolls back; tests that commit get a database of their own."""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg2
import pytest
import pytest_django
from django.conf import settings as django_settings
from django.contrib.auth import login
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, connections
from django.http import HttpRequest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from accounts.sessions import SECOND_FACTOR, SessionStore, Visit
from core import schemas
from core.schemas import schema_context
from directory import services as directory
from hospitals.models import Staff
from tenants import hosts
from tenants.models import Hospital
from tests import factories
from tests.fakes.razorpay import Gateway, Sandbox, running_sandbox

_clones = count(1)


def pytest_configure() -> None:
    """Argon2 is slow on purpose; tests/accounts checks that the real settings use it. The rest is as in production."""
    django_settings.TWO_FACTOR_FOR_SUPERADMINS = True
    options = django_settings.TEMPLATES[0]["OPTIONS"]
    [(partials, loaders)] = options["loaders"]  # settings are loaded as in development, which reads templates anew
    options["loaders"] = [(partials, [("django.template.loaders.cached.Loader", loaders)])]
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_finish() -> None:
    """The application and thousands of tests stay until the end: looking among them for garbage takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """The database with Usha and the two hospitals with their admins, committed once.

    In place of pytest-django's own fixture, which makes no database when every test that runs is a `committed` one.
    """
    with django_db_blocker.unblock():
        database = f"test_rhms_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
        with maintenance() as cursor:
            cursor.execute(f'CREATE DATABASE "{database}"')
            cursor.execute("SELECT pg_advisory_lock(1)")  # roles are the server's, which the workers share
            use(database)
            call_command("prepare", verbosity=0)
        usha = factories.superadmin()
        factories.person()
        for slug, name, admin in (("cedar", "Cedar Hospital", "Hari Rao"), ("lotus", "Lotus Clinic", "Kiran Das")):
            first_name = admin.split()[0].lower()
            hospital = factories.opened(
                usha, slug=slug, name=name, contact_person=admin, email=f"{first_name}@{slug}.example"
            )
            user = User.objects.get(email=hospital.email)
            user.set_password(factories.PASSWORD)
            user.email_verified_at = now()
            user.save(update_fields=["password", "email_verified_at"])
            with schema_context(hospital.schema_name):
                Staff.objects.update(joined_at=now())
        cache.clear()
        connection.close()
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        with maintenance() as cursor:
            cursor.execute(f'DROP DATABASE "{database}" WITH (FORCE)')


@pytest.fixture(autouse=True)
def clean_slate() -> Iterator[None]:
    """Every test begins on the portal, with an empty cache and no rate limit used up."""
    forget()
    yield
    schemas.enter_public()


def forget() -> None:
    """Nobody remembers anything but the database."""
    cache.clear()
    hosts.forget_here()
    directory.forget_here()


@pytest.fixture
def usha(db: None) -> User:
    """The superadmin."""
    return User.objects.get(email="usha@rhms.example")


@pytest.fixture
def asha(db: None) -> User:
    """A patient: an account without any role."""
    return User.objects.get(email="asha@example.com")


@pytest.fixture
def hari(db: None) -> User:
    """Cedar's admin."""
    return User.objects.get(email="hari@cedar.example")


@pytest.fixture
def kiran(db: None) -> User:
    """Lotus' admin, the stranger."""
    return User.objects.get(email="kiran@lotus.example")


@pytest.fixture
def cedar(db: None) -> Hospital:
    """Hari's hospital."""
    return Hospital.objects.get(slug="cedar")


@pytest.fixture
def lotus(db: None) -> Hospital:
    """Kiran's hospital."""
    return Hospital.objects.get(slug="lotus")


@pytest.fixture
def in_cedar(cedar: Hospital) -> Iterator[Hospital]:
    """The test itself works in Cedar's schema."""
    with schema_context(cedar.schema_name):
        yield cedar


@pytest.fixture
def join_cedar(cedar: Hospital) -> Callable[[User, str], Staff]:
    """Give somebody a role at Cedar."""

    def join(user: User, role: str) -> Staff:
        with schema_context(cedar.schema_name):
            return Staff.objects.create(user=user, role=role, joined_at=now())

    return join


def browser(host: str, user: User | None = None) -> Client:
    """A client that visits `host`, signed in there as `user`: superadmins with the second factor they need."""
    client = Client(HTTP_HOST=host)
    if user:
        come_in(client, user, is_two_factor=user.is_superuser)
    return client


def come_in(client: Client, user: User, *, is_two_factor: bool = False) -> None:
    """Give the client a session at its host, as signing in there would."""
    host = client.defaults["HTTP_HOST"].partition(":")[0]
    request = HttpRequest()
    request.session = SessionStore()
    with schema_context("public"):
        hospital = Hospital.objects.filter(domains__domain=host).first()
        place = str(hospital.code) if hospital else ""
        request.session.visit = Visit(place=place, host=host)
        login(request, user, backend=django_settings.AUTHENTICATION_BACKENDS[0])
        request.session[SECOND_FACTOR] = is_two_factor
        request.session.save()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = request.session.session_key or ""


@pytest.fixture
def portal(db: None) -> Client:
    """A visitor of the portal."""
    return browser("localhost")


@pytest.fixture
def portal_usha(usha: User) -> Client:
    """Usha on the portal."""
    return browser("localhost", usha)


@pytest.fixture
def cedar_site(cedar: Hospital) -> Client:
    """A visitor of Cedar's site."""
    return browser("cedar.localhost")


@pytest.fixture
def cedar_hari(cedar: Hospital, hari: User) -> Client:
    """Hari on Cedar's site."""
    return browser("cedar.localhost", hari)


@pytest.fixture
def cedar_kiran(cedar: Hospital, kiran: User) -> Client:
    """Kiran, signed in where he has no business."""
    return browser("cedar.localhost", kiran)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The payment sandbox: one process for all tests, started by the first that asks."""
    with running_sandbox() as running:
        yield running


@pytest.fixture
def gateway(sandbox: Sandbox, settings: pytest_django.Settings) -> Gateway:
    """A new account at the sandbox, whose keys are the platform's own for this test."""
    made = sandbox.account()
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**policy, "form-action": ["'self'", made.url]}}
    settings.RAZORPAY_API_URL = made.url
    settings.RAZORPAY_CHECKOUT_URL = f"{made.url}/v1/checkout/embedded"
    settings.RAZORPAY_KEY_ID = made.keys.key_id
    settings.RAZORPAY_KEY_SECRET = made.keys.key_secret
    settings.RAZORPAY_WEBHOOK_SECRET = made.webhook_secret
    return made


def use(database: str) -> None:
    """Connect to this database from now on, whoever connects."""
    for alias in ("default", "owner"):
        connections.settings[alias]["NAME"] = database
    connection.settings_dict["NAME"] = database


@contextmanager
def maintenance() -> Iterator[Any]:
    """The owner's cursor on the server's own database."""
    target = connections.settings["owner"]
    link = psycopg2.connect(
        dbname="postgres", user=target["USER"], password=target["PASSWORD"], host=target["HOST"], port=target["PORT"]
    )
    link.autocommit = True
    try:
        with link.cursor() as cursor:
            yield cursor
    finally:
        link.close()


def _disconnect(cursor: Any, database: str) -> None:
    """End every session of the database.

    Once Playwright runs its event loop in this thread, Django takes other connection objects than before, and nobody
    can close the earlier ones any more.
    """
    cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A copy of the database in which the test really commits, from as many connections as it likes; dropped at the end.

    For races, injected faults and journeys. Rolling back would hide what a commit does, and flushing the tables would
    take the two hospitals away.
    """
    with django_db_blocker.unblock(), cloned():
        yield


@contextmanager
def cloned() -> Iterator[None]:
    """Work in a copy of the database, which is dropped at the end."""
    original = connection.settings_dict["NAME"]
    clone = f"{original}_{next(_clones)}"
    connections.close_all()
    with maintenance() as cursor:
        _disconnect(cursor, original)
        cursor.execute(f'DROP DATABASE IF EXISTS "{clone}" WITH (FORCE)')
        # Whole files at once: block by block through the log, which is the usual way, takes twice as long.
        cursor.execute(f'CREATE DATABASE "{clone}" TEMPLATE "{original}" STRATEGY FILE_COPY')
    use(clone)
    try:
        yield
    finally:
        connections.close_all()
        use(original)
        with maintenance() as cursor:
            cursor.execute(f'DROP DATABASE "{clone}" WITH (FORCE)')
