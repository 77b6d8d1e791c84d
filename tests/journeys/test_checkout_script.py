"""The payment sandbox in a browser: its script in another site's page, and its pages for everybody's eyes."""

import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from billing import razorpay
from tests.fakes.razorpay import Gateway
from tests.journeys.conftest import Visitor
from tests.journeys.test_accessibility import broken_rules

SHOP = """<!doctype html><html lang="en"><title>A shop</title><link rel="icon" href="data:,"><body><h1>A shop</h1><output id="said"></output>
<script src="%(home)s/v1/checkout.js"></script><script>
const said = document.getElementById("said");
const say = (...words) => { said.textContent += words.join(" ") + "; "; };
const checkout = new Razorpay({
  key: "%(key)s", order_id: "%(order)s", name: "Cedar Hospital",
  handler: (answer) => say("paid", answer.razorpay_payment_id, answer.razorpay_order_id, answer.razorpay_signature),
  modal: { ondismiss: () => say("dismissed") },
});
checkout.on("payment.failed", (answer) => say("failed", answer.error.code, answer.error.metadata.order_id));
checkout.open();
</script></body></html>"""


@pytest.fixture
def order(gateway: Gateway) -> razorpay.Order:
    return razorpay.create_order(gateway.keys, amount=Decimal(700), receipt="bill-1", notes={})


@pytest.fixture
def shop(visitor: Visitor, gateway: Gateway, order: razorpay.Order) -> Iterator[Page]:
    """A page of another site that opens the checkout."""
    written = SHOP % {"home": gateway.url, "key": gateway.keys.key_id, "order": order.id}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(written.encode())

        def log_message(self, *_args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        page = visitor()
        page.goto(f"http://localhost:{server.server_port}/")
        yield page
        server.shutdown()
        thread.join()


def test_the_script_reports_a_failure_then_the_payment_to_the_page(
    shop: Page, gateway: Gateway, order: razorpay.Order
) -> None:
    checkout = shop.frame_locator("iframe[title=Payment]")
    checkout.get_by_label("Fails").check()
    checkout.get_by_role("button", name="Pay ₹700").click()
    expect(shop.locator("#said")).to_have_text(f"failed BAD_REQUEST_ERROR {order.id};")
    checkout.get_by_role("button", name="Try another way").click()
    checkout.get_by_role("button", name="Pay ₹700").click()
    expect(shop.locator("#said")).to_contain_text("paid pay_")
    expect(shop.locator("iframe")).to_have_count(0)
    _paid, payment_id, order_id, signature = (shop.locator("#said").text_content() or "").split("; ")[1].split(" ")
    assert razorpay.checkout_signature_holds(
        gateway.keys, order_id=order_id, payment_id=payment_id, signature=signature
    )


def test_leaving_the_checkout_is_told_to_the_page(shop: Page) -> None:
    shop.frame_locator("iframe[title=Payment]").get_by_role("button", name="Cancel").click()
    expect(shop.locator("#said")).to_have_text("dismissed;")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_pages_keep_the_rules_of_accessibility_and_fit_a_phone(
    visitor: Visitor, gateway: Gateway, order: razorpay.Order, theme: Any
) -> None:
    fields = {
        "key_id": gateway.keys.key_id,
        "order_id": order.id,
        "name": "Cedar Hospital",
        "callback_url": f"{gateway.url}/nowhere/",
    }
    page = visitor(color_scheme=theme, viewport={"width": 320, "height": 800})
    page.goto(f"{gateway.url}/v1/checkout/embedded?{urlencode(fields)}")
    found = looked_at(page)
    page.get_by_label("Fails").check()
    page.get_by_role("button", name="Pay ₹700").click()
    found += looked_at(page)
    page.goto(f"{gateway.url}/?account={gateway.keys.key_id}")
    found += looked_at(page)
    assert not found, "\n".join(found)


def looked_at(page: Page) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.evaluate(Axe().axe_script)
    broken = broken_rules(page, {"resultTypes": ["violations"]})
    return [*broken, *([f"{page.url} is {wide} px wide"] if wide > 320 else [])]
