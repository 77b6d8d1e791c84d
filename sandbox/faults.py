"""What goes wrong on purpose. The switches are an account's own, so that nobody disturbs anybody else."""

from typing import Any

from sandbox.store import Store, Thing

SWITCHES: dict[str, Any] = {
    "delay": 0.0,  # seconds before an event is sent
    "repeat": 0,  # how often it is sent again after it was taken
    "drop": [],  # names of events that are lost; "*" loses all
    "reorder": False,  # events that happen together are sent the newest first
    "hold": False,  # events wait until they are released
    "retry_seconds": 5.0,  # the first pause after a failure; each next one is twice as long
    "late_seconds": 20.0,  # how late a late bank answers; 0: only when it is told to
    "refunds": "processed",  # what becomes of refunds: processed at once, pending, or failed a little later
    "calls": [],  # [{"call": "orders.create", "how": "close", "when": "after", "times": 1, "seconds": 30}]
}
REFUNDS = ("processed", "pending", "failed")
HOW = ("500", "502", "429", "timeout", "close")
WHEN = ("before", "after")


class UnknownFault(ValueError):
    """There is no such switch."""


def of(account: Thing) -> dict[str, Any]:
    """How this account's switches stand."""
    return {**SWITCHES, **account.get("faults", {})}


def change(store: Store, account: Thing, given: dict[str, Any]) -> dict[str, Any]:
    """Set some switches and leave the others; nothing given sets all of them back."""
    if unknown := given.keys() - SWITCHES.keys():
        raise UnknownFault(f"There is no switch {', '.join(sorted(unknown))}: {', '.join(SWITCHES)}.")
    if given.get("refunds", REFUNDS[0]) not in REFUNDS:
        raise UnknownFault(f"refunds is one of {', '.join(REFUNDS)}.")
    for rule in given.get("calls", []):
        if rule.get("how") not in HOW or rule.get("when", WHEN[0]) not in WHEN or not rule.get("call"):
            raise UnknownFault("A call has a name, a how (500, 502, 429, timeout, close) and a when (before, after).")
    account["faults"] = {**account.get("faults", {}), **given} if given else {}
    store.keep_account(account)
    return of(account)


def take(store: Store, account: Thing, call: str) -> Thing | None:
    """The fault that meets this call, used up by one."""
    rules: list[Thing] = of(account)["calls"]
    rule = next((rule for rule in rules if rule["call"] in (call, "*") and rule.get("times", 1) > 0), None)
    if rule is None:
        return None
    rule["times"] = rule.get("times", 1) - 1
    change(store, account, {"calls": [rule for rule in rules if rule.get("times", 1) > 0]})
    return rule


def loses(account: Thing, event: str) -> bool:
    """Whether an event of this name never leaves."""
    return bool({event, "*"} & set(of(account)["drop"]))
