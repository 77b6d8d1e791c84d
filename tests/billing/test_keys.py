"""A hospital's own keys to Razorpay: who may set them, that they are checked, and that nobody ever reads the secrets."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_django
from django.core.serializers import serialize
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from accounts.sessions import SessionStore
from audit.models import Action, AuditLog
from billing import razorpay
from billing.models import GatewayAccount, Invoice, WebhookEvent
from billing.services import checkout, keys
from billing.services import gateway as ours
from core.errors import Invalid, NotAllowedNow
from core.schemas import schema_context
from core.sealing import unseal
from hospitals.entries import entry
from hospitals.models import Staff
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.fakes.razorpay import Gateway, Sandbox

PAGE, API = "/office/settings/billing/keys/", "/api/billing/keys/"
USE, ROTATE, STOP = f"{PAGE}use/", f"{PAGE}webhook-secret/", f"{PAGE}stop/"
JSON: Any = {"content_type": "application/json"}
NEXT_SECRET = "whsec-of-tomorrow"


@pytest.fixture
def at_work(settings: pytest_django.Settings, gateway: Gateway) -> None:
    """As `make run`, where test money is taken."""
    settings.DEBUG = True


@pytest.fixture
def own(at_work: None, sandbox: Sandbox) -> Gateway:
    """Cedar's own account at the gateway."""
    return sandbox.account()


@pytest.fixture
def asked(hari: User) -> Any:
    """Hari's request, with his password at hand."""
    request: Any = HttpRequest()
    request.session, request.user, request.hospital, request.address = SessionStore(), hari, None, "127.0.0.1"
    return request


@pytest.fixture
def use(in_cedar: Hospital, asked: Any, hari: User) -> Callable[..., GatewayAccount]:
    def keep(account: Gateway, **also: Any) -> GatewayAccount:
        said: dict[str, Any] = {
            "key_id": account.keys.key_id,
            "key_secret": account.keys.key_secret,
            "webhook_secret": account.webhook_secret,
            "password": factories.PASSWORD,
            "now": now(),
        }
        return keys.use(request=asked, by=hari, **(said | also))

    return keep


def typed(account: Gateway, **also: str) -> dict[str, str]:
    """What Hari types."""
    return {
        "key_id": account.keys.key_id,
        "key_secret": account.keys.key_secret,
        "webhook_secret": account.webhook_secret,
        "password": factories.PASSWORD,
    } | also


# --- Using them ------------------------------------------------------------------------------------------------------


def test_payments_are_asked_for_with_the_hospitals_own_keys(
    in_cedar: Hospital, own: Gateway, use: Callable[..., GatewayAccount], bill: Callable[..., Invoice], asha: User
) -> None:
    account = use(own)

    order = checkout.begin(hospital=in_cedar, invoice=bill(), by=asha, now=now())

    assert order.account == account
    assert razorpay.fetch_order(own.keys, order.gateway_id or "").amount == 700


def test_keys_nobody_knows_are_not_kept(own: Gateway, use: Callable[..., GatewayAccount]) -> None:
    with pytest.raises(Invalid, match="does not know these keys"):
        use(own, key_secret="another-secret")
    assert not GatewayAccount.objects.exists()


@pytest.mark.parametrize("how", ["close", "500", "timeout"])
def test_keys_that_could_not_be_checked_are_not_kept(
    own: Gateway, use: Callable[..., GatewayAccount], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(razorpay, "TIMEOUT", (0.5, 0.5))
    own.break_call("*", how, "before")
    with pytest.raises(keys.NotChecked):
        use(own)
    assert not GatewayAccount.objects.exists()


def test_test_keys_take_no_money_from_patients(
    own: Gateway, use: Callable[..., GatewayAccount], settings: pytest_django.Settings
) -> None:
    settings.DEBUG = False
    with pytest.raises(Invalid, match="no money moves"):
        use(own)


def test_a_secret_that_can_be_guessed_is_refused(own: Gateway, use: Callable[..., GatewayAccount]) -> None:
    with pytest.raises(Invalid, match="12 characters"):
        use(own, webhook_secret="cedar")


def test_nobody_sets_keys_without_proving_who_they_are(own: Gateway, use: Callable[..., GatewayAccount]) -> None:
    with pytest.raises(Invalid, match="not your password"):
        use(own, password="wrong")
    assert not GatewayAccount.objects.exists()


def test_what_was_paid_with_earlier_keys_is_still_reached_with_them(
    in_cedar: Hospital, own: Gateway, sandbox: Sandbox, use: Callable[..., GatewayAccount],
    bill: Callable[..., Invoice], asha: User,
) -> None:  # fmt: skip
    use(own)
    order = checkout.begin(hospital=in_cedar, invoice=bill(), by=asha, now=now())
    newer = sandbox.account()

    use(newer)

    order.refresh_from_db()
    assert ours.keys_of(order) == own.keys
    assert GatewayAccount.objects.get(is_active=True).key_id == newer.keys.key_id
    assert set(ours.webhook_secrets(now())) == {own.webhook_secret, newer.webhook_secret}


def test_keys_used_before_can_be_used_again(own: Gateway, sandbox: Sandbox, use: Callable[..., GatewayAccount]) -> None:
    first = use(own)
    use(sandbox.account())

    again = use(own)

    assert (again.pk, again.is_active) == (first.pk, True)
    assert GatewayAccount.objects.filter(is_active=True).count() == 1


# --- The webhook secret ----------------------------------------------------------------------------------------------


def test_the_secret_before_counts_three_more_days(
    own: Gateway, use: Callable[..., GatewayAccount], asked: Any, hari: User
) -> None:
    use(own)
    moment = now()

    keys.replace_webhook_secret(
        request=asked, webhook_secret=NEXT_SECRET, by=hari, now=moment, password=factories.PASSWORD
    )

    assert ours.webhook_secrets(moment) == [NEXT_SECRET, own.webhook_secret]
    assert ours.webhook_secrets(moment + timedelta(days=2, hours=23)) == [NEXT_SECRET, own.webhook_secret]
    assert ours.webhook_secrets(moment + timedelta(days=3)) == [NEXT_SECRET]


def test_the_same_secret_is_no_new_one(
    own: Gateway, use: Callable[..., GatewayAccount], asked: Any, hari: User
) -> None:
    use(own)
    with pytest.raises(Invalid, match="in use"):
        keys.replace_webhook_secret(
            request=asked, webhook_secret=own.webhook_secret, by=hari, now=now(), password=factories.PASSWORD
        )


def test_who_is_second_is_told(own: Gateway, use: Callable[..., GatewayAccount], asked: Any, hari: User) -> None:
    use(own)
    keys.stop(request=asked, by=hari, now=now(), password=factories.PASSWORD)
    with pytest.raises(NotAllowedNow):
        keys.stop(request=asked, by=hari, now=now(), password=factories.PASSWORD)


def test_without_own_keys_the_platforms_are_used(
    own: Gateway, gateway: Gateway, use: Callable[..., GatewayAccount], asked: Any, hari: User
) -> None:
    account = use(own)
    keys.stop(request=asked, by=hari, now=now(), password=factories.PASSWORD)

    assert ours.keys(GatewayAccount.objects.current()) == gateway.keys
    account.refresh_from_db()
    assert unseal(account.key_secret) == own.keys.key_secret


# --- The pages and the API -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [PAGE, USE])
def test_only_the_admin_opens_the_keys(
    cedar_site: Client, cedar_hari: Client, cedar_kiran: Client, asha: User, join_cedar: Callable[[User, str], Staff],
    address: str,
) -> None:  # fmt: skip
    join_cedar(asha, "billing_clerk")
    assert cedar_site.get(address)["Location"] == f"/sign-in/?next={address}"
    assert cedar_kiran.get(address).status_code == 403
    assert browser("cedar.localhost", asha).get(address).status_code == 403
    assert cedar_hari.get(address).status_code == 200


def test_the_admin_sets_keys_and_reads_what_to_do_at_razorpay(cedar_hari: Client, own: Gateway) -> None:
    page = cedar_hari.post(USE, typed(own), follow=True).content.decode()

    assert "Razorpay knows your keys." in page
    assert own.keys.key_id[-4:] in page
    assert own.keys.key_id not in page
    assert "/webhooks/razorpay/" in page
    assert "payment.captured" in page
    assert "None yet" in page
    assert "Test money" in page


def test_the_page_says_when_razorpay_was_last_heard(cedar_hari: Client, own: Gateway, cedar: Hospital) -> None:
    cedar_hari.post(USE, typed(own))
    with schema_context(cedar.schema_name):
        for number, is_of_platform in enumerate((False, True)):
            WebhookEvent.objects.create(
                event_id=f"e{number}", digest=f"d{number}", event="x", body=b"", is_of_platform=is_of_platform
            )
    assert cedar_hari.get(PAGE).context["last_message"].event_id == "e0"
    assert cedar_hari.get(API).json()["last_message_at"]


def test_after_a_slip_the_key_id_is_kept_and_the_secrets_are_not(cedar_hari: Client, own: Gateway) -> None:
    page = cedar_hari.post(USE, typed(own, key_secret="another-secret"))
    words = page.content.decode()

    assert page.status_code == 422
    assert list(page.context["form"].errors) == ["key_secret"]
    assert f'value="{own.keys.key_id}"' in words
    for secret in ("another-secret", own.webhook_secret, factories.PASSWORD):
        assert secret not in words


def test_while_razorpay_is_away_the_page_says_so(cedar_hari: Client, own: Gateway) -> None:
    own.break_call("*", "500", "before")
    page = cedar_hari.post(USE, typed(own))
    assert page.status_code == 503
    assert "could not be checked" in page.content.decode()


@pytest.mark.parametrize(
    ("field", "value"), [("key_id", "cedar"), ("key_id", ""), ("key_secret", "₹₹₹"), ("webhook_secret", "short")]
)
def test_what_cannot_be_a_key_is_refused_at_its_field(cedar_hari: Client, own: Gateway, field: str, value: str) -> None:
    page = cedar_hari.post(USE, typed(own, **{field: value}))
    assert (page.status_code, list(page.context["form"].errors)) == (422, [field])


def test_the_secret_is_replaced_and_keys_are_given_up_by_pages(cedar_hari: Client, own: Gateway) -> None:
    assert cedar_hari.get(ROTATE)["Location"] == PAGE
    assert cedar_hari.get(STOP)["Location"] == PAGE
    cedar_hari.post(USE, typed(own))
    proof = {"password": factories.PASSWORD}
    page = cedar_hari.post(ROTATE, {"webhook_secret": NEXT_SECRET, **proof}, follow=True)
    assert "Previous webhook secret" in page.content.decode()
    assert cedar_hari.get(STOP).status_code == 200
    assert cedar_hari.post(STOP, {"password": "wrong"}).status_code == 422
    page = cedar_hari.post(STOP, proof, follow=True)
    assert "The platform’s" in page.content.decode()


def test_the_api_does_the_same(cedar_hari: Client, cedar_kiran: Client, own: Gateway) -> None:
    assert cedar_kiran.put(API, typed(own), **JSON).status_code == 403
    assert cedar_hari.get(API).json()["in_use"] == "platform"
    answer = cedar_hari.put(API, typed(own), **JSON)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["in_use"], body["is_test"]) == ("own", True)
    assert body["key"].endswith(own.keys.key_id[-4:])
    assert body["may"] == ["set", "replace_webhook_secret", "stop"]
    turned = {"webhook_secret": NEXT_SECRET, "password": factories.PASSWORD}
    assert cedar_hari.put(f"{API}webhook-secret/", turned, **JSON).json()["previous_secret_until"]
    assert cedar_hari.put(API, typed(own, key_secret="wrong"), **JSON).json()["field"] == "key_secret"
    assert cedar_hari.delete(API, {"password": "wrong"}, **JSON).status_code == 422
    assert cedar_hari.delete(API, {"password": factories.PASSWORD}, **JSON).json()["in_use"] == "platform"


# --- Nobody reads them -----------------------------------------------------------------------------------------------


def test_no_page_answer_log_or_audit_row_gives_a_secret_away(
    cedar_hari: Client, own: Gateway, cedar: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = [own.keys.key_secret, own.webhook_secret, NEXT_SECRET]
    proof = {"password": factories.PASSWORD}
    said = [
        cedar_hari.post(USE, typed(own, key_id=f"{own.keys.key_id}x"), follow=True),
        cedar_hari.post(USE, typed(own), follow=True),
        cedar_hari.put(API, typed(own), **JSON),
        cedar_hari.put(API, typed(own, password="wrong"), **JSON),
        cedar_hari.post(ROTATE, {"webhook_secret": NEXT_SECRET, **proof}, follow=True),
        *(cedar_hari.get(address) for address in (PAGE, USE, ROTATE, STOP, API, "/office/activity/")),
    ]
    with schema_context(cedar.schema_name):
        rows = AuditLog.objects.filter(action__startswith="gatewayaccount")
        assert {row.action for row in rows} == {Action.GATEWAY_KEYS_SET, Action.GATEWAY_KEYS_ROTATED}
        noted = serialize("json", AuditLog.objects.all()) + str([entry(row) for row in rows])
    for secret in secrets:
        assert not any(secret in answer.content.decode() for answer in said)
        assert secret not in caplog.text
        assert secret not in noted


def test_a_copy_of_the_database_does_not_give_a_secret_away(
    own: Gateway, use: Callable[..., GatewayAccount], in_cedar: Hospital
) -> None:
    account = use(own)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(row)::text FROM billing_gatewayaccount row WHERE id = %s", [account.pk])
        kept = cursor.fetchone()[0]
    assert own.keys.key_id in kept
    assert own.keys.key_secret not in kept
    assert own.webhook_secret not in kept
    assert own.keys.key_secret not in repr(ours.keys(account))
