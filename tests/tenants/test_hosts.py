"""The host decides whose request it is: unknown, suspended, moved, own domains."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from core import pictures
from hospitals.services import joining
from tenants.models import Domain, Hospital
from tests import factories
from tests.conftest import browser, forget

OnCommit = Callable[..., Any]


def test_an_unknown_subdomain_gets_the_platforms_404(db: None) -> None:
    answer = browser("nobody.localhost").get("/")
    assert answer.status_code == 404
    assert "No hospital lives at this address" in answer.content.decode()
    assert 'href="http://localhost:8000/"' in answer.content.decode()  # a way on, which this host does not have


def test_an_unknown_host_gets_it_too_and_the_api_says_it_in_json(db: None) -> None:
    answer = browser("evil.example").get("/api/hospitals/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")


def test_a_pending_hospital_has_no_site_yet(db: None) -> None:
    factories.pending(slug="banyan")
    assert browser("banyan.localhost").get("/").status_code == 404


@pytest.mark.parametrize("host", ["cedar.localhost", "CEDAR.localhost", "cedar.localhost:8000", "cedar.localhost."])
def test_a_host_is_known_however_it_is_written(cedar: Hospital, host: str) -> None:
    assert "Cedar Hospital" in browser(host).get("/").content.decode()


def test_every_hospital_has_its_own_pages(cedar: Hospital, lotus: Hospital) -> None:
    assert "Lotus Clinic" in browser("lotus.localhost").get("/").content.decode()
    assert "Lotus" not in browser("cedar.localhost").get("/").content.decode()


def test_the_portals_pages_are_not_on_a_hospitals_host_nor_the_other_way_round(
    portal_usha: Client, cedar: Hospital, usha: User, hari: User
) -> None:
    assert browser("cedar.localhost", usha).get("/platform/hospitals/").status_code == 404
    assert browser("cedar.localhost", usha).get("/admin/").status_code == 404
    assert browser("localhost", hari).get("/office/settings/").status_code == 404


def test_suspending_closes_the_site_at_once_and_resuming_opens_it(
    cedar: Hospital, usha: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    visitor = browser("cedar.localhost")
    assert visitor.get("/").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        joining.suspend(hospital=cedar, by=usha, reason="Licence expired")
    closed = visitor.get("/departments/")
    assert closed.status_code == 503
    assert "Cedar Hospital is closed for now" in closed.content.decode()
    assert 'href="http://localhost:8000/"' in closed.content.decode()
    assert visitor.get("/api/departments/").json()["detail"].startswith("It cannot be reached")
    assert visitor.get(hospital_theme(closed.content.decode())).status_code == 200
    assert "Cedar" not in browser("localhost").get("/hospitals/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        joining.resume(hospital=cedar, by=usha, reason="Renewed")
    assert visitor.get("/").status_code == 200
    assert "Cedar" in browser("localhost").get("/hospitals/").content.decode()


def hospital_theme(page: str) -> str:
    return "/theme/" + page.partition('href="/theme/')[2].partition('"')[0]


def test_an_own_domain_serves_beside_the_subdomain(cedar: Hospital) -> None:
    Domain.objects.create(tenant=cedar, domain="www.cedar.example", is_primary=False)
    assert "Cedar Hospital" in browser("www.cedar.example").get("/").content.decode()
    assert "Cedar Hospital" in browser("cedar.localhost").get("/").content.decode()


def test_https_is_not_forced_on_the_other_subdomains_of_an_own_domain(cedar: Hospital, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    Domain.objects.create(tenant=cedar, domain="cedar.example", is_primary=False)
    own = browser("cedar.example").get("/", secure=True)["Strict-Transport-Security"]
    ours = browser("cedar.localhost").get("/", secure=True)["Strict-Transport-Security"]
    assert own == "max-age=31536000"
    assert "includeSubDomains" in ours


def test_a_bare_address_is_not_the_portal_in_production(db: None, settings: Any) -> None:
    assert browser("127.0.0.1").get("/").status_code == 404
    settings.DEBUG = True
    assert browser("127.0.0.1").get("/").status_code == 200


def test_probes_are_answered_by_any_name(db: None) -> None:
    assert browser("10.0.0.7").get("/healthz").content == b"ok"
    assert browser("10.0.0.7").get("/readyz").json() == {"database": "ok", "cache": "ok"}


def test_not_ready_without_the_cache_is_still_ready(db: None, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    answer = browser("localhost").get("/readyz")
    assert (answer.status_code, answer.json()["cache"]) == (200, "down")


def test_a_hospitals_times_are_shown_in_its_own_zone(cedar_hari: Client, cedar: Hospital) -> None:
    Hospital.objects.filter(pk=cedar.pk).update(time_zone="America/New_York")
    forget()
    assert cedar_hari.get("/office/activity/").status_code == 200


def test_the_theme_cookie_takes_only_what_it_knows(portal: Client) -> None:
    answer = portal.post("/theme/set/", {"theme": "<script>", "next": "https://evil.example/"})
    assert (answer["Location"], answer.cookies["theme"].value) == ("/", "auto")


def test_a_theme_file_is_cached_for_ever(portal: Client) -> None:
    answer = portal.get("/theme/ffd43b-0123456789.css")
    assert "immutable" in answer["Cache-Control"]
    assert "--accent" in answer.content.decode()
    assert portal.get("/theme/ffd43-0123456789.css").status_code == 404


def test_the_logo_of_a_waiting_hospital_is_the_superadmins_alone(portal: Client, portal_usha: Client) -> None:
    hospital = joining.register(
        registration=factories.registration(),
        logo=pictures.judge(factories.picture()),
        address="203.0.113.9",
    )
    path = f"/logo/{hospital.code}/{hospital.logo.rpartition('-')[2]}"
    assert portal.get(path).status_code == 404
    answer = portal_usha.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert "private" in answer["Cache-Control"]
    assert answer.getvalue().startswith(b"RIFF")
    answer.close()
