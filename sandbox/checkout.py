"""Where the payer goes: a form that works without JavaScript, and the script that opens it in a frame."""

from urllib.parse import urlsplit

from sandbox.control import callback
from sandbox.merchant import Merchant
from sandbox.pages import hidden, page, rupees, script, text
from sandbox.shapes import Refusal
from sandbox.store import Store, Thing
from sandbox.web import Answer, Request, find, route

# What travels from page to page. `frame` is the origin of the page that holds us in a frame.
PREFILL = ("name", "email", "contact")
FIELDS = (
    *("key_id", "order_id", "name", "description", "image", "callback_url", "cancel_url", "frame"),
    *(f"prefill[{name}]" for name in PREFILL),
)
METHODS = (
    ("upi", "UPI", "success@sandbox"),
    ("card", "Card", "A test card; no number is asked for"),
    ("netbanking", "Netbanking", "Sandbox Bank"),
)
OUTCOMES = (
    ("succeeds", "Succeeds", "The money is taken at once."),
    ("fails", "Fails", "The bank says no."),
    ("late", "Bank answers late", "No answer now, and a yes a little later."),
    ("authorized", "Authorised only", "The bank says yes, and nobody has taken the money yet."),
)


def answer(store: Store, request: Request) -> Answer:
    """A page of the checkout."""
    goal = find(ROUTES, request)
    if goal is None:
        return _sorry("There is no such page.", status=404)
    asked = {**request.query, **(request.data() if request.is_form else {})}
    fields = {name: asked[name] for name in FIELDS if asked.get(name)}
    for name in ("callback_url", "cancel_url", "image", "frame"):
        if urlsplit(fields.get(name, "")).scheme not in ("http", "https"):
            fields.pop(name, None)
    try:
        return goal[0](store, fields, asked)  # type: ignore[no-any-return]
    except Refusal as refusal:
        return _sorry(str(refusal), fields)


def choose(store: Store, fields: Thing, _asked: Thing) -> Answer:
    """How to pay, and what should happen."""
    merchant = _merchant(store, fields)
    order = merchant.find("order", fields.get("order_id", ""))
    payee = fields.get("name") or merchant.account["name"]
    if order["status"] == "paid":
        return _sorry("This order is paid already.", fields)
    image = f'<img src="{text(fields["image"])}" alt="">' if "image" in fields else ""
    description = text(fields.get("description") or f"Order {order['id']}")
    body = f"""
<div class="card">
<p class="payee">{image}<span><strong>{text(payee)}</strong>{description}</span></p>
<h1 class="amount">{rupees(order["amount_due"])}</h1>
<form method="post" action="/v1/checkout/pay" class="stack">{hidden(fields)}
<fieldset><legend>Pay with</legend>{_choices("method", METHODS)}</fieldset>
<fieldset><legend>What happens</legend>{_choices("outcome", OUTCOMES)}</fieldset>
<button class="main">Pay {rupees(order["amount_due"])}</button>
{_cancel(fields)}
</form>
</div>
<script src="/v1/checkout/return.js"></script>"""
    return page(f"Pay {payee}", body)


def pay(store: Store, fields: Thing, asked: Thing) -> Answer:
    """What came of it, and the way back."""
    merchant = _merchant(store, fields)
    payer = {name: fields.get(f"prefill[{name}]", "") for name in PREFILL}
    payment = merchant.pay(
        fields.get("order_id", ""),
        outcome=asked.get("outcome", ""),
        method=asked.get("method", ""),
        payer={**payer, "description": fields.get("description", "")},
    )
    is_paid = payment["status"] != "failed"
    payee = fields.get("name") or merchant.account["name"]
    if is_paid:
        title = f"Paid {rupees(payment['amount'])}"
        said = f'<h1 class="good">{title}</h1><p>{text(payee)} is told now.</p>'
        again = ""
    else:
        title = "The payment failed"
        said = f'<h1 class="bad">{title}</h1><p>{text(payment["error_description"])}</p>'
        again = (
            f'<form method="post" action="/v1/checkout/embedded">{hidden(fields)}'
            '<button class="main">Try another way</button></form>'
        )
    look = "main" if is_paid else ""
    back = f"""<form method="post" action="{text(fields.get("callback_url", ""))}" id="return"
data-event="{"paid" if is_paid else "failed"}" data-frame="{text(fields.get("frame", ""))}">
{hidden(callback(merchant.account, payment))}
{f'<button class="{look}">Return to {text(payee)}</button>' if "callback_url" in fields else ""}</form>"""
    body = f"""<div class="card stack">{said}{again}{back}
<p class="quiet">Payment <code>{payment["id"]}</code></p></div><script src="/v1/checkout/return.js"></script>"""
    return page(title, body)


def checkout_script(_store: Store, _fields: Thing, _asked: Thing) -> Answer:
    """The script for other sites' pages."""
    return script("checkout.js")


def return_script(_store: Store, _fields: Thing, _asked: Thing) -> Answer:
    """The script of our own pages."""
    return script("return.js")


def _merchant(store: Store, fields: Thing) -> Merchant:
    account = store.account(fields.get("key_id", ""))
    if account is None:
        raise Refusal("The key of this checkout is unknown.")
    return Merchant(store, account)


def _choices(name: str, choices: tuple[tuple[str, str, str], ...]) -> str:
    return "".join(
        f'<label class="choice"><input type="radio" name="{name}" value="{value}"{"" if place else " checked"}>'
        f"<span>{label}<small>{more}</small></span></label>"
        for place, (value, label, more) in enumerate(choices)
    )


def _cancel(fields: Thing) -> str:
    if "frame" in fields:
        return f'<button type="button" id="cancel" data-frame="{text(fields["frame"])}">Cancel</button>'
    return f'<a class="button" href="{text(fields["cancel_url"])}">Cancel</a>' if "cancel_url" in fields else ""


def _sorry(sentence: str, fields: Thing | None = None, *, status: int = 400) -> Answer:
    body = (
        f'<div class="card stack"><h1>This cannot be paid here</h1><p>{text(sentence)}</p>{_cancel(fields or {})}</div>'
    )
    return page("This cannot be paid here", body, status=status)


ROUTES = [
    route("GET", "/v1/checkout.js", checkout_script),
    route("GET", "/v1/checkout/return.js", return_script),
    route("GET", "/v1/checkout/embedded", choose),
    route("POST", "/v1/checkout/embedded", choose),
    route("POST", "/v1/checkout/pay", pay),
]
