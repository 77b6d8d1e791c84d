"""Events: queued with the change they tell of, signed, sent, and sent again until they are taken."""

import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from sandbox import faults
from sandbox.shapes import new_id, public
from sandbox.store import Store, Thing

PATIENCE = 5.0  # seconds: who answers later has not answered
TRIES = 15  # with the pauses doubling from 5 seconds on, about a day
TOGETHER = 0.3  # seconds in which events gather to a burst, when bursts are sent in reverse


def sign(body: str | bytes, secret: str) -> str:
    """As the gateway signs."""
    raw = body.encode() if isinstance(body, str) else body
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def tell(store: Store, account: Thing, name: str, **entities: Thing) -> None:
    """Queue an event with a snapshot of what it is about, signed with the secret of this moment."""
    now = time.time()
    body = json.dumps(
        {
            "entity": "event",
            "account_id": account["id"],
            "event": name,
            "contains": list(entities),
            "payload": {kind: {"entity": public(entity)} for kind, entity in entities.items()},
            "created_at": int(now),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    switches = faults.of(account)
    if faults.loses(account, name):
        state = "dropped"
    elif not account["webhook_url"]:
        state = "kept"
    else:
        state = "held" if switches["hold"] else "waiting"
    due_at = now + switches["delay"]
    if switches["reorder"]:
        due_at = store.next_burst(account["key_id"], now) or due_at + TOGETHER
    store.add_event(
        {
            "id": new_id(),
            "account": account["key_id"],
            "name": name,
            "body": body,
            "signature": sign(body, account["webhook_secret"]),
            "state": state,
            "due_at": due_at,
            "sends_left": 1 + switches["repeat"],
        }
    )


def replay(store: Store, event_id: str) -> None:
    """Send an event once more, whatever became of it, with its first id and signature."""
    store.update_event(event_id, state="waiting", due_at=time.time(), sends_left=1, attempts=0)


def release(store: Store, account: Thing, *, order: list[str]) -> None:
    """Send what is held, in this order of ids (the rest after them), and hold no more."""
    held = [event for event in store.events(account=account["key_id"]) if event["state"] == "held"]
    held.sort(key=lambda event: order.index(event["id"]) if event["id"] in order else len(order))
    for place, event in enumerate(held):
        store.update_event(event["id"], state="waiting", due_at=time.time() + place * 1e-3)
    faults.change(store, account, {"hold": False})


class Courier(threading.Thread):
    """Sends what is due, one event after the other to each account, and lets timers go off."""

    def __init__(self, store: Store, on_timer: Callable[[str, str], None]) -> None:
        super().__init__(name="courier", daemon=True)
        self._store, self._on_timer = store, on_timer
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="courier")
        self._busy: set[str] = set()
        self._woken = threading.Event()
        self._is_ending = False

    def wake(self) -> None:
        """Look again, something may be due."""
        self._woken.set()

    def end(self) -> None:
        """Send no more."""
        self._is_ending = True
        self.wake()
        self.join()
        self._pool.shutdown(cancel_futures=True)

    def run(self) -> None:
        """Until it is told to end."""
        while not self._is_ending:
            self._woken.clear()
            with self._store.transaction():
                for action, thing_id in self._store.due_timers(time.time()):
                    self._on_timer(action, thing_id)
                due = self._store.due_events(time.time())
                next_due = self._store.next_due()
            for key_id in {event["account"] for event in due} - self._busy:
                self._busy.add(key_id)
                self._pool.submit(self._round, key_id, [event for event in due if event["account"] == key_id])
            # What is due for a busy account stays due; the end of its round wakes us.
            pause = 1.0 if due or next_due is None else max(next_due - time.time(), 0.0)
            self._woken.wait(pause)

    def _round(self, key_id: str, events: list[Thing]) -> None:
        try:
            with self._store.transaction():
                account = self._store.account(key_id)
            if account and faults.of(account)["reorder"]:
                events.reverse()
            else:
                events.sort(key=lambda event: event["due_at"])
            for event in events:
                if account and not self._is_ending:
                    self._send(account, event)
        finally:
            self._busy.discard(key_id)
            self.wake()

    def _send(self, account: Thing, event: Thing) -> None:
        answer = post(account["webhook_url"], event)
        attempts = event["attempts"] + 1
        if answer.startswith("2"):
            left = event["sends_left"] - 1
            after = {"state": "waiting" if left else "delivered", "sends_left": left, "due_at": time.time()}
        else:
            pause = faults.of(account)["retry_seconds"] * 2 ** (attempts - 1)
            after = {"state": "waiting" if attempts < TRIES else "given up", "due_at": time.time() + pause}
        with self._store.transaction():
            self._store.update_event(event["id"], attempts=attempts, last_answer=answer, **after)


def post(url: str, event: Thing) -> str:
    """Send one event; the status that came back, or why none did."""
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    link = kind(address.hostname or "", address.port, timeout=PATIENCE)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Razorpay-Webhook/v1",
        "X-Razorpay-Signature": event["signature"],
        "x-razorpay-event-id": event["id"],
    }
    try:
        link.request("POST", address.path or "/", event["body"].encode(), headers)
        return str(link.getresponse().status)
    except (OSError, http.client.HTTPException) as fault:
        return type(fault).__name__
    finally:
        link.close()
