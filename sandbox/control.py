"""The gateway's behaviour in the hands of a developer or a test: /_sandbox/."""

import secrets
from typing import Any

from sandbox import faults, webhooks
from sandbox.faults import UnknownFault
from sandbox.merchant import Merchant
from sandbox.shapes import Refusal, new_id, public
from sandbox.store import Store, Thing
from sandbox.web import Answer, Request, as_json, find, redirect, route

KEY = "rzp_test_sandbox"  # how our own keys begin; production refuses them
FIELDS = ("name", "key_secret", "webhook_secret", "webhook_url", "capture")


def answer(store: Store, request: Request) -> Answer:
    """One command, inside one transaction. A form goes back to the page it came from."""
    goal = find(ROUTES, request)
    if goal is None:
        return as_json({"error": "There is no such command."}, status=404)
    work, words = goal
    try:
        done = work(store, request.data(), **words)
    except Refusal as refusal:
        return as_json({"error": str(refusal)}, status=refusal.status)
    except ValueError as fault:
        return as_json({"error": str(fault)}, status=400)
    return redirect(f"/?account={words.get('key_id') or done.get('key_id', '')}") if request.is_form else as_json(done)


def keep_account(store: Store, **given: Any) -> Thing:
    """Make an account, or change the one with this key. What is not given is made up."""
    key_id = given.pop("key_id", "") or f"{KEY}{new_id()}"
    if not key_id.startswith("rzp_test_"):
        raise UnknownFault("A key of the sandbox begins with rzp_test_.")
    if given.get("capture", "automatic") not in ("automatic", "manual"):
        raise UnknownFault("capture is automatic or manual.")
    made = {
        "key_id": key_id,
        "id": new_id("acc"),
        "name": "Test account",
        "key_secret": secrets.token_urlsafe(18),
        "webhook_secret": secrets.token_urlsafe(18),
        "webhook_url": "",
        "capture": "automatic",
    }
    account = {**made, **(store.account(key_id) or {}), **{name: given[name] for name in FIELDS if name in given}}
    store.keep_account(account)
    return account


def accounts(store: Store, _given: Thing) -> Thing:
    """Everybody, with their secrets: they are worth nothing."""
    return {"items": store.accounts()}


def account(store: Store, given: Thing, key_id: str = "") -> Thing:
    """Make or change an account."""
    return keep_account(store, **{"key_id": key_id, **given})


def switches(store: Store, given: Thing, key_id: str) -> Thing:
    """Set fault switches; with nothing given, all of them back."""
    if "drop" in given and isinstance(given["drop"], str):
        given = _of_form(given)
    return faults.change(store, _account(store, key_id), given)


def _of_form(form: Thing) -> Thing:
    """A form has texts only, and leaves out what is not ticked."""
    calls = [{"call": form["call"], "how": form["how"], "when": form["when"]}] if form.get("call") else []
    return {
        **{name: float(form[name] or 0) for name in ("delay", "retry_seconds", "late_seconds")},
        "repeat": int(form["repeat"] or 0),
        "drop": form["drop"].replace(",", " ").split(),
        "reorder": "reorder" in form,
        "hold": "hold" in form,
        "refunds": form["refunds"],
        "calls": calls,
    }


def pay(store: Store, given: Thing, key_id: str) -> Thing:
    """Somebody pays; also what the browser would bring back."""
    merchant = Merchant(store, _account(store, key_id))
    payment = merchant.pay(
        given["order_id"],
        outcome=given.get("outcome", "succeeds"),
        method=given.get("method", "upi"),
        amount=given.get("amount"),
    )
    return {"payment": public(payment), "callback": callback(merchant.account, payment)}


def callback(account: Thing, payment: Thing) -> dict[str, str]:
    """What the checkout sends back with the payer."""
    if payment["status"] == "failed":
        about = ("code", "description", "source", "step", "reason")
        ids = f'{{"payment_id":"{payment["id"]}","order_id":"{payment["order_id"]}"}}'
        return {**{f"error[{name}]": payment[f"error_{name}"] for name in about}, "error[metadata]": ids}
    return {
        "razorpay_payment_id": payment["id"],
        "razorpay_order_id": payment["order_id"],
        "razorpay_signature": webhooks.sign(f"{payment['order_id']}|{payment['id']}", account["key_secret"]),
    }


def authorize_late(store: Store, _given: Thing, thing_id: str) -> Thing:
    """The bank says yes after all."""
    return _with_key(store, thing_id, lambda merchant: merchant.authorize_late(thing_id))


def expire(store: Store, _given: Thing, thing_id: str) -> Thing:
    """Nobody captured in time."""
    return _with_key(store, thing_id, lambda merchant: merchant.expire(thing_id))


def process_refund(store: Store, _given: Thing, thing_id: str) -> Thing:
    """A pending refund arrives."""
    return _with_key(store, thing_id, lambda merchant: merchant.finish_refund(thing_id, "processed"))


def fail_refund(store: Store, _given: Thing, thing_id: str) -> Thing:
    """A pending refund cannot be delivered."""
    return _with_key(store, thing_id, lambda merchant: merchant.finish_refund(thing_id, "failed"))


def settle(store: Store, _given: Thing, key_id: str) -> Thing:
    """Pay out now."""
    return public(Merchant(store, _account(store, key_id)).settle())


def events(store: Store, _given: Thing, key_id: str) -> Thing:
    """Everything told and to be told, the oldest first."""
    return {"items": store.events(account=key_id)}


def release(store: Store, given: Thing, key_id: str) -> Thing:
    """Send what is held."""
    webhooks.release(store, _account(store, key_id), order=given.get("order", []))
    return events(store, {}, key_id)


def replay(store: Store, _given: Thing, thing_id: str) -> Thing:
    """Send an event once more."""
    event = store.event(thing_id)
    if event is None:
        raise Refusal("There is no such event.", status=404)
    webhooks.replay(store, thing_id)
    return {"id": thing_id, "key_id": event["account"]}


TIMERS = {"authorize_late": authorize_late, "fail_refund": fail_refund}


def on_timer(store: Store, action: str, thing_id: str) -> None:
    """What was to happen later happens, unless it happened by hand meanwhile."""
    try:
        TIMERS[action](store, {}, thing_id)
    except Refusal:
        return


def _account(store: Store, key_id: str) -> Thing:
    if (found := store.account(key_id)) is None:
        raise Refusal("There is no such account.", status=404)
    return found


def _with_key(store: Store, thing_id: str, work: Any) -> Thing:
    key_id = store.account_of(thing_id)
    return {**public(work(Merchant(store, _account(store, key_id)))), "key_id": key_id}


ROUTES = [
    route("GET", "/_sandbox/accounts", accounts),
    route("POST", "/_sandbox/accounts", account),
    route("POST", "/_sandbox/accounts/<key_id>", account),
    route("POST", "/_sandbox/accounts/<key_id>/faults", switches),
    route("POST", "/_sandbox/accounts/<key_id>/pay", pay),
    route("POST", "/_sandbox/accounts/<key_id>/settle", settle),
    route("GET", "/_sandbox/accounts/<key_id>/events", events),
    route("POST", "/_sandbox/accounts/<key_id>/release", release),
    route("POST", "/_sandbox/events/<thing_id>/replay", replay),
    route("POST", "/_sandbox/payments/<thing_id>/authorize", authorize_late),
    route("POST", "/_sandbox/payments/<thing_id>/expire", expire),
    route("POST", "/_sandbox/refunds/<thing_id>/process", process_refund),
    route("POST", "/_sandbox/refunds/<thing_id>/fail", fail_refund),
]
