"""Tokens: issued for a password, worth something only on their host, refreshed once, and ended."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils.timezone import now

from accounts.models import TokenFamily, User
from accounts.services import passwords
from accounts.services.sign_in import WrongCredentials, open_tokens
from audit.models import Action, AuditLog
from core import throttle
from core.schemas import schema_context
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser


def sign_in(client: Client, email: str, password: str = factories.PASSWORD) -> Any:
    return client.post("/api/auth/login/", {"email": email, "password": password}, content_type="application/json")


def bearer(token: str) -> Any:
    return {"Authorization": f"Bearer {token}"}


def test_email_and_password_give_a_pair_of_tokens(cedar_site: Client, cedar: Hospital, hari: User) -> None:
    answer = sign_in(cedar_site, "Hari@Cedar.example")
    assert set(answer.json()) == {"access", "refresh"}
    assert cedar_site.get("/api/activity/", headers=bearer(answer.json()["access"])).status_code == 200
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.about(hari).newest_first()[0].action == Action.USER_SIGNED_IN


def test_a_superadmins_token_has_power_only_with_a_second_factor(portal: Client, usha: User) -> None:
    access = sign_in(portal, usha.email).json()["access"]
    answer = portal.get("/api/admin/hospitals/pending/", headers=bearer(access))
    assert answer.status_code == 403
    assert "two-factor" in answer.json()["detail"]
    TokenFamily.objects.update(is_two_factor=True)
    assert portal.get("/api/admin/hospitals/pending/", headers=bearer(access)).status_code == 200


def test_a_username_serves_as_well(portal: Client, asha: User) -> None:
    User.objects.filter(pk=asha.pk).update(username="asha77")
    fields = {"username": "asha77", "password": factories.PASSWORD}
    assert portal.post("/api/auth/login/", fields, content_type="application/json").status_code == 200


def test_nobody_gets_between_an_address_and_its_owner_by_a_username(portal: Client, asha: User, hari: User) -> None:
    User.objects.filter(pk=hari.pk).update(username=asha.email)
    fields = {"username": asha.email, "password": factories.PASSWORD}
    access = portal.post("/api/auth/login/", fields, content_type="application/json").json()["access"]
    assert portal.get("/api/auth/profile/", headers=bearer(access)).json()["email"] == asha.email


def test_a_password_changed_while_somebody_signs_in_with_the_old_one_wins(rf: RequestFactory, asha: User) -> None:
    request = rf.post("/api/auth/login/")
    request.hospital = None  # type: ignore[attr-defined]  # see tenants.middleware
    looked_up = User.objects.get(pk=asha.pk)
    passwords.choose(user=asha, password="another-horse-8", now=now())
    with pytest.raises(WrongCredentials):
        open_tokens(request=request, user=looked_up, is_two_factor=False)
    assert not TokenFamily.objects.exists()


@pytest.mark.parametrize("email", ["usha@rhms.example", "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(portal: Client, email: str) -> None:
    answer = sign_in(portal, email, "wrong")
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("This e-mail address and password do not belong together.")


def test_a_refused_sign_in_of_a_known_person_is_recorded(portal: Client, usha: User) -> None:
    sign_in(portal, usha.email, "wrong")
    row = AuditLog.objects.about(usha).newest_first()[0]
    assert (row.action, row.user, row.actor, row.address) == (
        Action.USER_SIGN_IN_REFUSED,
        None,
        "A visitor",
        "127.0.0.1",
    )


def test_the_eleventh_try_for_one_account_waits_and_the_right_password_waits_too(portal: Client, usha: User) -> None:
    for number in range(10):
        assert (
            portal.post(
                "/api/auth/login/",
                {"email": usha.email, "password": "wrong"},
                content_type="application/json",
                REMOTE_ADDR=f"203.0.113.{number}",
            ).status_code
            == 401
        )
    answer = sign_in(portal, usha.email)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 300


def test_a_token_is_refused_on_another_host(cedar_site: Client, hari: User) -> None:
    access = sign_in(cedar_site, hari.email).json()["access"]
    assert cedar_site.get("/api/activity/", headers=bearer(access)).status_code == 200
    for host in ("lotus.localhost", "localhost"):
        answer = browser(host).get(
            "/api/hospitals/" if host == "localhost" else "/api/departments/", headers=bearer(access)
        )
        assert answer.status_code == 401
        assert "issued for another address" in str(answer.json())


def refreshed(client: Client, token: str) -> Any:
    return client.post("/api/auth/refresh/", {"refresh": token}, content_type="application/json")


def test_a_refresh_token_gives_a_new_pair(cedar_site: Client, hari: User) -> None:
    second = refreshed(cedar_site, sign_in(cedar_site, hari.email).json()["refresh"])
    assert second.status_code == 200
    assert cedar_site.get("/api/activity/", headers=bearer(second.json()["access"])).status_code == 200
    assert refreshed(cedar_site, second.json()["refresh"]).status_code == 200


def test_a_refresh_token_used_twice_was_copied_and_ends_all_that_came_of_it(cedar_site: Client, hari: User) -> None:
    first = sign_in(cedar_site, hari.email).json()
    second = refreshed(cedar_site, first["refresh"]).json()
    assert refreshed(cedar_site, first["refresh"]).status_code == 401
    assert refreshed(cedar_site, second["refresh"]).status_code == 401
    for pair in (first, second):
        assert cedar_site.get("/api/activity/", headers=bearer(pair["access"])).status_code == 401


def test_a_copied_token_is_in_the_log(cedar_site: Client, hari: User, cedar: Hospital) -> None:
    first = sign_in(cedar_site, hari.email).json()
    for _ in range(3):
        refreshed(cedar_site, first["refresh"])
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.about(hari).filter(action=Action.TOKEN_REPLAYED).count() == 1


def test_the_end_of_one_family_leaves_the_others_alone(cedar_site: Client, hari: User) -> None:
    first, other = sign_in(cedar_site, hari.email).json(), sign_in(cedar_site, hari.email).json()
    for _ in range(2):
        refreshed(cedar_site, first["refresh"])
    assert refreshed(cedar_site, other["refresh"]).status_code == 200


def test_a_refresh_token_of_one_hospital_is_refused_at_another(cedar_site: Client, hari: User) -> None:
    body = {"refresh": sign_in(cedar_site, hari.email).json()["refresh"]}
    assert (
        browser("lotus.localhost").post("/api/auth/refresh/", body, content_type="application/json").status_code == 401
    )


def test_signing_out_ends_the_refresh_token(portal: Client, usha: User) -> None:
    pair = sign_in(portal, usha.email).json()
    body = {"refresh": pair["refresh"]}
    gone = portal.post("/api/auth/logout/", body, content_type="application/json", headers=bearer(pair["access"]))
    assert gone.status_code == 205
    assert portal.post("/api/auth/refresh/", body, content_type="application/json").status_code == 401


def test_nobody_ends_somebody_elses_token(portal: Client, usha: User, asha: User) -> None:
    hers = sign_in(portal, usha.email).json()
    mine = sign_in(portal, asha.email).json()
    answer = portal.post(
        "/api/auth/logout/",
        {"refresh": hers["refresh"]},
        content_type="application/json",
        headers=bearer(mine["access"]),
    )
    assert answer.status_code == 401


def test_signing_out_ends_the_access_token_at_once(cedar_site: Client, hari: User) -> None:
    pair = sign_in(cedar_site, hari.email).json()
    headers = bearer(pair["access"])
    cedar_site.post("/api/auth/logout/", {"refresh": pair["refresh"]}, content_type="application/json", headers=headers)
    assert cedar_site.get("/api/activity/", headers=headers).status_code == 401


def test_a_new_password_ends_all_tokens(cedar_site: Client, hari: User) -> None:
    pair = sign_in(cedar_site, hari.email).json()
    passwords.choose(user=hari, password="another-horse-8", now=now())
    assert cedar_site.get("/api/activity/", headers=bearer(pair["access"])).status_code == 401
    assert refreshed(cedar_site, pair["refresh"]).status_code == 401


def test_a_person_made_inactive_has_no_tokens_any_more(cedar_site: Client, hari: User) -> None:
    pair = sign_in(cedar_site, hari.email).json()
    User.objects.filter(pk=hari.pk).update(is_active=False)
    assert cedar_site.get("/api/activity/", headers=bearer(pair["access"])).status_code == 401
    assert refreshed(cedar_site, pair["refresh"]).status_code == 401


def test_a_superadmin_has_no_power_on_a_hospitals_host(cedar_site: Client, usha: User) -> None:
    access = sign_in(cedar_site, usha.email).json()["access"]
    assert cedar_site.get("/api/activity/", headers=bearer(access)).status_code == 403


def test_lifetimes_are_an_hour_and_a_week(settings: Any) -> None:
    assert settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"] == timedelta(minutes=60)
    assert settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"] == timedelta(days=7)


def test_with_the_cache_down_people_still_get_in(portal: Client, usha: User, monkeypatch: pytest.MonkeyPatch) -> None:
    throttle._limiter.cache_clear()
    monkeypatch.setattr("django.conf.settings.REDIS_URL", "redis://127.0.0.1:1/0")
    try:
        assert sign_in(portal, usha.email).status_code == 200
    finally:
        throttle._limiter.cache_clear()


def test_rightful_sign_ins_are_not_counted_against_the_account(portal: Client, usha: User) -> None:
    for _ in range(12):
        assert sign_in(portal, usha.email).status_code == 200
