"""The same second factor shown several times at the same moment counts once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection, connections
from django.test import Client

from accounts.models import RecoveryCode, TokenFamily, User
from audit.models import Action, AuditLog
from core.schemas import enter_public
from tests.accounts.test_passkeys import SIGN_IN, asked, device_of
from tests.accounts.test_two_factor import fresh, turned_on
from tests.conftest import browser
from tests.factories import PASSWORD
from tests.races.test_one_code import ASHA, AT_ONCE, at_once

LOGIN = "/api/auth/login/"


def test_one_code_of_the_app_opens_one_sign_in(committed: None) -> None:
    asha = User.objects.get(email=ASHA)
    turned_on(asha)
    code = fresh(asha)
    answers = at_once(LOGIN, lambda _: {"email": ASHA, "password": PASSWORD, "second_factor": code})
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (AT_ONCE - 1)
    assert TokenFamily.objects.filter(user=asha).count() == 1


def test_one_recovery_code_opens_one_sign_in(committed: None) -> None:
    asha = User.objects.get(email=ASHA)
    code = turned_on(asha)[0]
    answers = at_once(LOGIN, lambda _: {"email": ASHA, "password": PASSWORD, "second_factor": code})
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (AT_ONCE - 1)
    assert RecoveryCode.objects.filter(used_at__isnull=False).count() == 1


def test_one_answer_of_a_passkey_without_a_counter_opens_one_sign_in(committed: None) -> None:
    device = device_of(User.objects.get(email=ASHA))
    device.counter = -1
    client = browser("localhost")
    credential = device.get(asked(client))
    gate = Barrier(AT_ONCE)

    def come_in(_number: int) -> int:
        try:
            enter_public()
            connection.ensure_connection()
            other = Client(HTTP_HOST="localhost")
            other.cookies["sessionid"] = client.cookies["sessionid"].value
            gate.wait(10)
            return other.post(SIGN_IN, {"credential": credential}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(come_in, range(AT_ONCE)))
    assert answers.count(302) == 1
    assert AuditLog.objects.filter(action=Action.USER_SIGNED_IN).count() == 1
