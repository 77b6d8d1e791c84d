"""The payment sandbox as a real process on loopback, and what a test does with it.

`running_sandbox` is one process for all tests; each test gets an account of its own there (`Gateway`), so that nothing is
left from the test before.
"""

import hashlib
import hmac
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing.razorpay import Keys
from rhms.processes import start

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 15.0


class SandboxError(Exception):
    """A command of the sandbox that was refused."""


class Sandbox:
    """The process. `kill` and `start` are what a crash and a restart are."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "sandbox.sqlite3"
        self.port = _free_port()
        self.url = f"http://localhost:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "sandbox", "--port", str(self.port), "--data", str(self.data)]
        env = {name: value for name, value in os.environ.items() if not name.startswith("RAZORPAY_")}
        self._process = start(
            command,
            record=self.data.with_name("sandbox.process"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**env, "DEBUG": "true"},
        )
        until(self._answers, "the sandbox to answer")

    def stop(self) -> None:
        """Stop it as `make run` does."""
        if self._process:
            self._process.terminate()
            self._process.wait(PATIENCE)

    def kill(self) -> None:
        """As `kill -9`."""
        if self._process:
            self._process.kill()
            self._process.wait(PATIENCE)

    def ask(self, path: str, given: dict[str, Any] | None = None) -> dict[str, Any]:
        """One command: a POST if something is given, else a GET."""
        body = None if given is None else json.dumps(given).encode()
        asked = urllib.request.Request(f"{self.url}{path}", body, {"Content-Type": "application/json"})
        try:
            with self._opener.open(asked, timeout=PATIENCE) as answer:
                return json.load(answer)  # type: ignore[no-any-return]
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise SandboxError(json.load(refusal)["error"]) from None

    def account(self, **given: Any) -> "Gateway":
        """A new account; `webhook_url`, `capture`, `name` and the keys may be given."""
        made = self.ask("/_sandbox/accounts", given)
        return Gateway(
            sandbox=self,
            keys=Keys(made["key_id"], made["key_secret"]),
            webhook_secret=made["webhook_secret"],
        )

    def _answers(self) -> bool:
        assert self._process and self._process.poll() is None, "the sandbox ended"
        try:
            self.ask("/_sandbox/accounts")
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class Webhook:
    """One event as it arrives: hand `body` and `headers` to the webhook door."""

    id: str
    name: str
    body: bytes
    signature: str
    state: str
    attempts: int
    last_answer: str

    @property
    def headers(self) -> dict[str, str]:
        """As Django's test client takes them."""
        return {"X-Razorpay-Signature": self.signature, "x-razorpay-event-id": self.id}

    @property
    def payload(self) -> dict[str, Any]:
        """The body, read."""
        return json.loads(self.body)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Gateway:
    """One account at the sandbox. Without a webhook URL its events are kept for the test to deliver."""

    sandbox: Sandbox
    keys: Keys
    webhook_secret: str

    @property
    def url(self) -> str:
        """What settings.RAZORPAY_API_URL must be."""
        return self.sandbox.url

    def pay(self, order_id: str, outcome: str = "succeeds", **more: Any) -> dict[str, Any]:
        """Somebody pays: `outcome` is succeeds, fails, late or authorized; `method` upi, card or netbanking.

        Answers the payment, and under `callback` what the browser would bring to the callback URL.
        """
        return self._ask("pay", {"order_id": order_id, "outcome": outcome, **more})

    def faults(self, **switches: Any) -> None:
        """Set fault switches (sandbox/faults.py has them all); none given sets all of them back."""
        self._ask("faults", switches)

    def break_call(self, call: str, how: str = "close", when: str = "after", **more: Any) -> None:
        """Let the next call of this name (`orders.create`, `payments.refund`, `*`) go wrong: 500, 502, 429, timeout or close."""
        self.faults(calls=[{"call": call, "how": how, "when": when, **more}])

    def change(self, **given: Any) -> None:
        """Change the account: webhook_url, webhook_secret, key_secret, capture."""
        self.sandbox.ask(f"/_sandbox/accounts/{self.keys.key_id}", given)

    def sign(self, body: bytes) -> str:
        """The signature that makes a body of the test's own a webhook of this account."""
        return hmac.new(self.webhook_secret.encode(), body, hashlib.sha256).hexdigest()

    def events(self, *names: str) -> list[Webhook]:
        """What was or is to be told, the oldest first; only those of these names, if any are given."""
        told = self.sandbox.ask(f"/_sandbox/accounts/{self.keys.key_id}/events")["items"]
        return [
            Webhook(
                id=event["id"],
                name=event["name"],
                body=event["body"].encode(),
                signature=event["signature"],
                state=event["state"],
                attempts=event["attempts"],
                last_answer=event["last_answer"],
            )
            for event in told
            if not names or event["name"] in names
        ]

    def replay(self, event_id: str) -> None:
        """Send an event to the webhook URL once more."""
        self.sandbox.ask(f"/_sandbox/events/{event_id}/replay", {})

    def release(self, *order: str) -> None:
        """Send what the switch `hold` has held, in this order of event ids."""
        self._ask("release", {"order": list(order)})

    def authorize_late(self, payment_id: str) -> None:
        """The bank says yes to a failed payment after all."""
        self.sandbox.ask(f"/_sandbox/payments/{payment_id}/authorize", {})

    def expire(self, payment_id: str) -> None:
        """Nobody captured the authorized payment: the gateway sends it back."""
        self.sandbox.ask(f"/_sandbox/payments/{payment_id}/expire", {})

    def finish_refund(self, refund_id: str, how: str = "process") -> None:
        """A pending refund arrives (`process`), or cannot (`fail`)."""
        self.sandbox.ask(f"/_sandbox/refunds/{refund_id}/{how}", {})

    def settle(self) -> dict[str, Any]:
        """Pay out everything now."""
        return self._ask("settle", {})

    def _ask(self, command: str, given: dict[str, Any]) -> dict[str, Any]:
        return self.sandbox.ask(f"/_sandbox/accounts/{self.keys.key_id}/{command}", given)


@contextmanager
def running_sandbox() -> Iterator[Sandbox]:
    """A sandbox process with a file of its own."""
    with tempfile.TemporaryDirectory(prefix="rhms-sandbox-") as folder:
        sandbox = Sandbox(Path(folder))
        try:
            sandbox.start()
            yield sandbox
        finally:
            sandbox.stop()


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def _free_port() -> int:
    """Below those that systems give to outgoing connections, so that it is still free after a kill."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
