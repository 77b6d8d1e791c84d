"""The gateway's API under /v1: who may call, what can be called, and the faults that meet a call."""

import hmac
from collections.abc import Callable, Iterable

from sandbox import faults
from sandbox.merchant import MISSING, Merchant, whole
from sandbox.shapes import Refusal, collection, public
from sandbox.store import Store, Thing
from sandbox.web import Answer, Request, as_json, find, route

BROKEN = {
    "500": (500, "SERVER_ERROR", "We are facing some trouble completing your request at the moment."),
    "429": (429, "BAD_REQUEST_ERROR", "Request failed. Please try after sometime."),
}


def answer(store: Store, request: Request) -> Answer:
    """One call, inside one transaction."""
    key_id, secret = request.basic_auth()
    account = store.account(key_id)
    if account is None or not hmac.compare_digest(account["key_secret"].encode(), secret.encode()):
        return _refused(Refusal("Authentication failed", reason="NA", status=401))
    goal = find(ROUTES, request)
    if goal is None:
        return _refused(Refusal("The requested URL was not found on the server.", reason="NA", status=404))
    (call, work), ids = goal
    fault = faults.take(store, account, call)
    if fault and fault.get("when", "before") == "before":
        return _broken(fault)
    try:
        done = as_json(public(work(Merchant(store, account), request, **ids)))
    except Refusal as refusal:
        done = _refused(refusal)
    except ValueError:
        done = _refused(Refusal("Please provide a valid JSON body."))
    return _broken(fault) if fault else done


def _refused(refusal: Refusal) -> Answer:
    return as_json({"error": refusal.error}, status=refusal.status)


def _broken(fault: Thing) -> Answer:
    """The answer gets lost, or is one that nobody can trust."""
    if fault["how"] in BROKEN:
        status, code, description = BROKEN[fault["how"]]
        return as_json({"error": {"code": code, "description": description}}, status=status)
    if fault["how"] == "502":  # by whatever stands before the gateway
        return Answer(b"<html><h1>502 Bad Gateway</h1></html>", 502, "text/html")
    return Answer(silence=float(fault.get("seconds", 30)) if fault["how"] == "timeout" else 0.0)


Work = Callable[..., Thing]


def _create_order(merchant: Merchant, request: Request) -> Thing:
    return merchant.create_order(request.data())


def _all_orders(merchant: Merchant, request: Request) -> Thing:
    orders = merchant.every("order")
    if "receipt" in request.query:
        orders = [order for order in orders if order["receipt"] == request.query["receipt"]]
    if "authorized" in request.query:
        wanted = request.query["authorized"] in ("1", "true")
        orders = [order for order in orders if (order["status"] == "paid") == wanted]
    return _page(orders, request)


def _payments_of_order(merchant: Merchant, _request: Request, thing_id: str) -> Thing:
    merchant.find("order", thing_id)
    return collection(merchant.every("payment", parent=thing_id))


def _capture(merchant: Merchant, request: Request, thing_id: str) -> Thing:
    return merchant.capture(thing_id, request.data())


def _refund(merchant: Merchant, request: Request, thing_id: str = "") -> Thing:
    asked = request.data()
    payment_id = thing_id or str(asked.pop("payment_id", ""))
    return merchant.refund(payment_id, asked, once=request.headers.get("x-refund-idempotency", ""))


def _refunds_of_payment(merchant: Merchant, request: Request, thing_id: str) -> Thing:
    merchant.find("payment", thing_id)
    return _page(merchant.every("refund", parent=thing_id), request)


def _refund_of_payment(merchant: Merchant, _request: Request, payment_id: str, thing_id: str) -> Thing:
    refund = merchant.find("refund", thing_id)
    if refund["payment_id"] != payment_id:
        raise Refusal(MISSING)
    return refund


def _settled(merchant: Merchant, request: Request) -> Thing:
    year, month, day = (_number(request, name) for name in ("year", "month", "day"))
    if not (year and month):
        raise Refusal("year and month are required.", field="year")
    return _page(merchant.settled_lines(year=year, month=month, day=day), request, most=1000)


def _all(kind: str) -> Work:
    return lambda merchant, request: _page(merchant.every(kind), request)


def _fetch(kind: str) -> Work:
    return lambda merchant, _request, thing_id: merchant.find(kind, thing_id)


def _edit(kind: str) -> Work:
    return lambda merchant, request, thing_id: merchant.edit_notes(kind, thing_id, request.data())


def _page(things: Iterable[Thing], request: Request, *, most: int = 100) -> Thing:
    """The part of a list that was asked for."""
    count, skip = _number(request, "count", 10), _number(request, "skip")
    if not 1 <= count <= most:
        raise Refusal(f"The count must be between 1 and {most}.", field="count")
    since, until = _number(request, "from"), _number(request, "to", 1 << 40)
    return collection([thing for thing in things if since <= thing["created_at"] <= until][skip : skip + count])


def _number(request: Request, name: str, default: int = 0) -> int:
    return whole({"amount": request.query[name]}) if request.query.get(name) else default


ROUTES = [
    route(method, path, (call, work))
    for method, path, call, work in (
        ("POST", "/v1/orders", "orders.create", _create_order),
        ("GET", "/v1/orders", "orders.all", _all_orders),
        ("GET", "/v1/orders/<thing_id>", "orders.fetch", _fetch("order")),
        ("PATCH", "/v1/orders/<thing_id>", "orders.edit", _edit("order")),
        ("GET", "/v1/orders/<thing_id>/payments", "orders.payments", _payments_of_order),
        ("GET", "/v1/payments", "payments.all", _all("payment")),
        ("GET", "/v1/payments/<thing_id>", "payments.fetch", _fetch("payment")),
        ("PATCH", "/v1/payments/<thing_id>", "payments.edit", _edit("payment")),
        ("POST", "/v1/payments/<thing_id>/capture", "payments.capture", _capture),
        ("POST", "/v1/payments/<thing_id>/refund", "payments.refund", _refund),
        ("GET", "/v1/payments/<thing_id>/refunds", "payments.refunds", _refunds_of_payment),
        ("GET", "/v1/payments/<payment_id>/refunds/<thing_id>", "refunds.fetch", _refund_of_payment),
        ("POST", "/v1/refunds", "payments.refund", _refund),
        ("GET", "/v1/refunds", "refunds.all", _all("refund")),
        ("GET", "/v1/refunds/<thing_id>", "refunds.fetch", _fetch("refund")),
        ("PATCH", "/v1/refunds/<thing_id>", "refunds.edit", _edit("refund")),
        ("GET", "/v1/settlements", "settlements.all", _all("settlement")),
        ("GET", "/v1/settlements/recon/combined", "settlements.recon", _settled),
        ("GET", "/v1/settlements/<thing_id>", "settlements.fetch", _fetch("settlement")),
    )
]
