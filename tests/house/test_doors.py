"""Every address of both kinds of host declares what it asks for, and the mission's API paths exist."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from rest_framework.mixins import ListModelMixin

from accounts.permissions import ROLES, Permission, Role
from core.rest import Pagination
from tenants.models import Hospital
from tests.conftest import browser
from tests.house.walk import methods

URLCONFS = ["rhms.urls_portal", "rhms.urls_hospital"]
# Django's own admin asks for is_staff by itself, on the portal only.
NOT_OURS = ("admin/",)  # its sign-in is ours, see tests/accounts/test_admin.py


def doors(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        where = prefix + str(pattern.pattern)
        if where.startswith(NOT_OURS):
            continue
        if isinstance(pattern, URLResolver):
            yield from doors(pattern.url_patterns, where)
        elif isinstance(pattern, URLPattern):
            yield where, pattern.callback


def declared(view: Any) -> list[str]:
    """The permissions a page, or each method of an API endpoint, asks for."""
    endpoint = getattr(view, "cls", None)
    if endpoint is None:
        permission = getattr(view, "permission", None)
        return [permission] if permission else []
    return [getattr(each, "permission", "") for each in endpoint.permission_classes]


@pytest.mark.parametrize("urlconf", URLCONFS)
def test_every_door_declares_a_permission_we_know(urlconf: str) -> None:
    known = {permission.value for permission in Permission}
    all_doors = list(doors(get_resolver(urlconf).url_patterns))
    assert len(all_doors) > 20
    missing = [where for where, view in all_doors if not declared(view) or not set(declared(view)) <= known]
    assert missing == []


@pytest.mark.parametrize("urlconf", URLCONFS)
def test_every_door_says_which_methods_it_answers(urlconf: str) -> None:
    silent = [where for where, view in doors(get_resolver(urlconf).url_patterns) if not methods(view)]
    assert silent == []  # a page says it by Django's `require_...`, before it asks for its permission


@pytest.mark.parametrize("urlconf", URLCONFS)
def test_every_list_of_the_api_comes_in_pages(urlconf: str) -> None:
    endpoints = [getattr(view, "cls", None) for _where, view in doors(get_resolver(urlconf).url_patterns)]
    lists = [endpoint for endpoint in endpoints if endpoint is not None and issubclass(endpoint, ListModelMixin)]
    assert lists
    assert [endpoint for endpoint in lists if not issubclass(endpoint.pagination_class or object, Pagination)] == []


@pytest.mark.parametrize("urlconf", URLCONFS)
def test_the_description_of_the_api_is_whole(urlconf: str, tmp_path: Path) -> None:
    call_command("spectacular", urlconf=urlconf, validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


def test_every_role_has_its_permissions_on_the_one_screen() -> None:
    assert set(ROLES) == set(Role)


@pytest.mark.parametrize(
    ("urlconf", "path"),
    [
        *[("rhms.urls_portal", path) for path in (
            "/api/hospitals/register/",
            "/api/hospitals/",
            "/api/hospitals/01932c07-6a2e-7cc0-8b1a-0a1b2c3d4e5f/",
            "/api/admin/hospitals/pending/",
            "/api/admin/hospitals/01932c07-6a2e-7cc0-8b1a-0a1b2c3d4e5f/approve/",
            "/api/admin/hospitals/01932c07-6a2e-7cc0-8b1a-0a1b2c3d4e5f/reject/",
            "/api/admin/audit-logs/",
            "/admin/",
        )],
        *[(urlconf, path) for urlconf in URLCONFS for path in (
            "/api/auth/login/", "/api/auth/refresh/", "/api/auth/logout/", "/api/schema/", "/api/docs/", "/healthz", "/readyz",
            "/api/auth/verify/", "/api/auth/register/logout/", "/api/auth/register/profile/", "/api/auth/profile/",
        )],
    ],
)  # fmt: skip
def test_the_promised_path_exists(urlconf: str, path: str) -> None:
    assert callable(resolve(path, urlconf).func)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("localhost", "/hospitals/?q=%00"),
        ("localhost", "/hospitals/?city=%00"),
        ("localhost", "/api/hospitals/?q=%00"),
        ("localhost", "/logo/01932c07-6a2e-7cc0-8b1a-0a1b2c3d4e5f/%00"),
        ("cedar.localhost", "/departments/?q=%00"),
        ("cedar.localhost", "/departments/x/image/%00"),
        ("cedar.localhost", "/invitation/%00/"),
    ],
)
def test_what_the_database_cannot_look_for_is_refused_before_it(cedar: Hospital, host: str, path: str) -> None:
    assert browser(host).get(path).status_code == 400
