"""The page that describes the API says what the endpoints do."""

import yaml
from django.test import Client

from core.api_reference import Operation, document, groups
from core.schemas import schema_context
from tenants.models import Hospital


def operation(method: str, path: str, urlconf: str = "rhms.urls_hospital") -> Operation:
    [found] = [
        each for group in groups(urlconf) for each in group.operations if (each.method, each.path) == (method, path)
    ]
    return found


def test_what_is_sent_and_answered_is_spelled_out() -> None:
    add = operation("POST", "/api/departments/")
    assert [(field.name, field.is_required) for field in add.body] == [
        ("name", True),
        ("description", False),
        ("image", False),
    ]
    assert [answer.status for answer in add.answers] == ["201", "409"]
    assert "slug" in [field.name for field in add.answers[0].fields]


def test_a_list_says_what_is_in_it() -> None:
    listed = operation("GET", "/api/departments/")
    assert [field.name for field in listed.parameters] == ["page", "page_size"]
    assert listed.answers[0].kind == "A page of:"
    assert "slug" in [field.name for field in listed.answers[0].fields]


def test_who_may_ask_is_said() -> None:
    assert not operation("POST", "/api/auth/login/").needs_token
    assert not operation("GET", "/api/departments/").needs_token
    assert operation("POST", "/api/departments/").needs_token
    assert operation("GET", "/api/activity/").needs_token


def test_short_choices_are_listed_and_long_ones_counted() -> None:
    register = operation("POST", "/api/hospitals/register/", "rhms.urls_portal")
    kinds = {field.name: field.kind for field in register.body}
    assert kinds["state"] == "one of 36 codes"
    waiting = operation("GET", "/api/admin/hospitals/", "rhms.urls_portal")
    assert {field.name: field.kind for field in waiting.parameters}[
        "status"
    ] == "approved, closed, pending, rejected, suspended"


def test_each_host_describes_its_own(portal: Client, cedar_site: Client) -> None:
    assert "/api/hospitals/register/" in portal.get("/api/docs/").content.decode()
    page = cedar_site.get("/api/docs/").content.decode()
    assert "/api/departments/" in page
    assert "/api/hospitals/register/" not in page


def test_what_is_kept_for_all_hospitals_is_the_same_in_each(cedar: Hospital, lotus: Hospital) -> None:
    made = []
    for hospital in (cedar, lotus):
        with schema_context(hospital.schema_name):
            made.append(document.__wrapped__("rhms.urls_hospital"))
    assert made[0] == made[1]


def test_programs_read_the_description_in_the_format_they_ask_for(cedar_site: Client) -> None:
    as_yaml = cedar_site.get("/api/schema/")
    assert as_yaml.headers["Content-Type"] == "application/vnd.oai.openapi; charset=utf-8"
    assert as_yaml.content.startswith(b"openapi: 3.1")
    as_json = cedar_site.get("/api/schema/", HTTP_ACCEPT="application/json")
    assert as_json.headers["Content-Type"] == "application/json"
    assert as_json.json() == yaml.safe_load(as_yaml.content)
    assert as_json.headers["Content-Disposition"] == 'inline; filename="RHMS API.json"'
