"""Two admins who set the hospital's keys at the same moment."""

from functools import partial
from typing import Any

import pytest
import pytest_django
from django.http import HttpRequest
from django.utils.timezone import now

from accounts.models import User
from accounts.sessions import SessionStore
from billing.models import GatewayAccount
from billing.services import keys
from core.errors import Conflict
from core.schemas import schema_context
from tenants.models import Hospital
from tests import factories
from tests.fakes.razorpay import Gateway, Sandbox
from tests.races.crowd import crowd, deadlocks

AT_ONCE = 4


@pytest.mark.parametrize("had_keys", [False, True])
def test_one_account_is_in_use_whoever_was_quicker(
    committed: None, gateway: Gateway, sandbox: Sandbox, settings: pytest_django.Settings, *, had_keys: bool
) -> None:
    settings.DEBUG = True
    cedar = Hospital.objects.get(slug="cedar")
    hari = User.objects.get(email=cedar.email)

    def use(account: Gateway) -> GatewayAccount:
        request: Any = HttpRequest()
        request.session, request.user, request.hospital, request.address = SessionStore(), hari, None, "127.0.0.1"
        return keys.use(
            request=request,
            key_id=account.keys.key_id,
            key_secret=account.keys.key_secret,
            webhook_secret=account.webhook_secret,
            by=hari,
            now=now(),
            password=factories.PASSWORD,
        )

    if had_keys:
        with schema_context(cedar.schema_name):
            use(sandbox.account())

    answers = crowd(*((cedar, partial(use, sandbox.account())) for _admin in range(AT_ONCE)))

    assert any(isinstance(one, GatewayAccount) for one in answers)
    assert all(isinstance(one, GatewayAccount | Conflict) for one in answers)
    with schema_context(cedar.schema_name):
        assert GatewayAccount.objects.filter(is_active=True).count() == 1
    assert deadlocks() == 0
