"""The page for who develops: what the accounts have, what they were told, and what should go wrong."""

from sandbox import faults
from sandbox.pages import page, rupees, text
from sandbox.shapes import METHODS
from sandbox.store import Store, Thing
from sandbox.web import Answer, Request

MOST = 50
NUMBERS = (
    ("delay", "Delay of events, in seconds"),
    ("repeat", "Events sent again, times"),
    ("retry_seconds", "First pause after a failure, in seconds"),
    ("late_seconds", "A late bank answers after, in seconds"),
)
TICKS = (("reorder", "Send bursts in reverse"), ("hold", "Hold all events"))


def answer(store: Store, request: Request) -> Answer:
    """The whole page, for one account."""
    if request.path != "/":
        return page("Nothing here", '<h1>Nothing here</h1><p><a href="/">The sandbox\'s page</a></p>', status=404)
    accounts = store.accounts()
    account = store.account(request.query.get("account", "")) or (accounts[0] if accounts else None)
    parts = ["<h1>Payment sandbox</h1>", _accounts(accounts, account)]
    if account:
        parts += [_payments(store, account), _refunds(store, account), _events(store, account), _faults(account)]
    return page("Payment sandbox", "".join(parts), is_wide=True)


def _accounts(accounts: list[Thing], account: Thing | None) -> str:
    links = " · ".join(
        f'<a href="/?account={text(one["key_id"])}"{" aria-current=page" if one == account else ""}>{text(one["name"])}</a>'
        for one in accounts
    )
    shown = ""
    if account:
        names = {
            "key_id": "Key",
            "key_secret": "Key secret",
            "webhook_secret": "Webhook secret",
            "webhook_url": "Webhooks go to",
        }
        pairs = (f"<dt>{label}</dt><dd><code>{text(account[name])}</code></dd>" for name, label in names.items())
        shown = f"<dl>{''.join(pairs)}</dl>"
    return f"""<section class="card"><h2>Accounts</h2><p>{links}</p>{shown}
<form method="post" action="/_sandbox/accounts"><div class="fields">
<label>Name of another account<input name="name" required></label>
<label>Its webhooks go to<input name="webhook_url" type="url"></label>
<button>Make an account</button></div></form></section>"""


def _payments(store: Store, account: Thing) -> str:
    rows = []
    for order in store.every("order", account=account["key_id"])[:MOST]:
        payments = store.every("payment", account=account["key_id"], parent=order["id"])
        first = [text(order["id"]), text(order["receipt"] or ""), rupees(order["amount"]), order["status"]]
        rows += [[*first, *_payment(payment)] for payment in payments] or [[*first, "", "", ""]]
    titles = ("Order", "Receipt", "Amount", "State", "Payment", "Its state", "Next")
    button = _button(f"/_sandbox/accounts/{account['key_id']}/settle", "Pay out now")
    return _table("Orders and payments", titles, rows, button)


def _payment(payment: Thing) -> list[str]:
    buttons = {
        "failed": [("authorize", "Bank says yes after all")],
        "authorized": [("expire", "Nobody captures it")],
    }.get(payment["status"], [])
    forms = "".join(_button(f"/_sandbox/payments/{payment['id']}/{to}", label) for to, label in buttons)
    method = "UPI" if payment["method"] == "upi" else payment["method"].capitalize()
    return [text(payment["id"]), f"{payment['status']} · {method if payment['method'] in METHODS else ''}", forms]


def _refunds(store: Store, account: Thing) -> str:
    rows = []
    for refund in store.every("refund", account=account["key_id"])[:MOST]:
        steps = (("process", "Arrives"), ("fail", "Fails")) if refund["status"] == "pending" else ()
        forms = "".join(_button(f"/_sandbox/refunds/{refund['id']}/{to}", label) for to, label in steps)
        cells = (refund["id"], refund["payment_id"], rupees(refund["amount"]), refund["status"])
        rows.append([*map(text, cells), forms])
    return _table("Refunds", ("Refund", "Payment", "Amount", "State", "Next"), rows)


def _events(store: Store, account: Thing) -> str:
    rows = []
    for event in reversed(store.events(account=account["key_id"])[-MOST:]):
        cells = (event["name"], event["id"], event["state"], event["attempts"], event["last_answer"])
        rows.append([*map(text, cells), _button(f"/_sandbox/events/{event['id']}/replay", "Send again")])
    button = _button(f"/_sandbox/accounts/{account['key_id']}/release", "Send what is held")
    return _table("Events", ("Event", "Id", "State", "Tries", "Last answer", "Next"), rows, button)


def _faults(account: Thing) -> str:
    switches = faults.of(account)
    numbers = "".join(
        f'<label>{label}<input name="{name}" type="number" min="0" step="any" value="{switches[name]:g}"></label>'
        for name, label in NUMBERS
    )
    ticks = "".join(
        f'<label class="tick"><input type="checkbox" name="{name}"{" checked" if switches[name] else ""}>{label}</label>'
        for name, label in TICKS
    )
    calls = "; ".join(f"{rule['call']} {rule['how']} {rule.get('when', 'before')}" for rule in switches["calls"])
    return f"""<section class="card"><h2>What goes wrong</h2>
<form method="post" action="/_sandbox/accounts/{text(account["key_id"])}/faults"><div class="fields">{numbers}
<label>Events that are lost (* for all)<input name="drop" value="{text(" ".join(switches["drop"]))}"></label>
<label>Refunds<select name="refunds">{_options(faults.REFUNDS, switches["refunds"])}</select></label>
<label>The next call of this name (orders.create, *)<input name="call"></label>
<label>goes wrong so<select name="how">{_options(faults.HOW)}</select></label>
<label>and does so<select name="when">{_options(faults.WHEN)}</select></label>
{ticks}</div><p class="quiet">{text(calls) or "No call goes wrong."}</p><button class="main">Set</button></form></section>"""


def _options(values: tuple[str, ...], chosen: str = "") -> str:
    return "".join(f"<option{' selected' if value == chosen else ''}>{value}</option>" for value in values)


def _button(address: str, label: str) -> str:
    return f'<form method="post" action="{text(address)}"><button>{label}</button></form>'


def _table(title: str, titles: tuple[str, ...], rows: list[list[str]], more: str = "") -> str:
    """The cells are HTML already."""
    head = "".join(f'<th scope="col">{name}</th>' for name in titles)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    table = (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{title}"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
    return f'<section class="card"><h2>{title}</h2>{table if rows else "<p>None yet.</p>"}{more}</section>'
