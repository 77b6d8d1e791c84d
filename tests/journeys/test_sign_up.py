"""How somebody opens an account at a hospital, comes back without the password, and looks after it."""

import re

import pytest
from playwright.sync_api import Page, expect

from core.schemas import schema_context
from notifications.models import Notification
from tenants.models import Hospital
from tests.journeys.conftest import Complaints, Visitor
from tests.journeys.server import Platform

NITA = "nita@example.com"
PASSWORD = "monsoon-lantern-42"


def code_in_mail(to: str = NITA) -> str:
    with schema_context(Hospital.objects.get(slug="cedar").schema_name):
        text = Notification.objects.filter(template="code", to_address=to).latest("pk").text
    found = re.search(r"^\d{6}$", text, flags=re.MULTILINE)
    assert found, text
    return found[0]


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)
    page.wait_for_load_state()


def type_code(page: Page, code: str, button: str) -> None:
    """By keyboard alone."""
    page.get_by_label("Code", exact=True).focus()
    page.keyboard.type(code)
    page.keyboard.press("Enter" if button == "" else "Tab")
    if button:
        page.get_by_role("button", name=button, exact=True).press("Enter")


@pytest.mark.usefixtures("outbox_is_readable")
@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_somebody_opens_an_account_and_comes_back_with_a_code(
    visitor: Visitor, platform: Platform, complaints: Complaints, scripts: bool
) -> None:
    page = visitor(java_script_enabled=scripts, viewport={"width": 390, "height": 844})
    page.goto(platform.hospital("cedar", "sign_in") + "?next=/departments/")
    page.get_by_role("link", name="Create an account").click()
    heading(page, "Create an account")
    page.get_by_label("First name").fill("Nita")
    page.get_by_label("E-mail address").fill(NITA)
    page.get_by_label("Password", exact=True).fill("12345")
    complaints.expect(422, platform.hospital("cedar", "sign_up"))
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_contain_text("This password is too short.")
    page.wait_for_load_state()
    expect(page.get_by_label("First name")).to_have_value("Nita")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    # A wrong code, then a new one, then the right one; and on to where she was going.
    heading(page, "Confirm your address")
    complaints.expect(422, platform.hospital("cedar", "sign_up_code"))
    type_code(page, f"{(int(code_in_mail()) + 1) % 1_000_000:06d}", "Confirm and continue")
    expect(page.get_by_role("alert")).to_contain_text("This code is not right")
    page.wait_for_load_state()
    page.get_by_role("button", name="Send a new code").click()
    expect(page.locator("#messages")).to_contain_text("A new code is on its way.")
    page.wait_for_load_state()
    type_code(page, code_in_mail(), "")
    heading(page, "Departments")

    # She gives her telephone number, and signs out.
    page.goto(platform.hospital("cedar", "profile"))
    page.get_by_label("Phone number").fill("98450 12345")
    page.get_by_role("button", name="Save profile").click()
    expect(page.locator("#messages")).to_contain_text("Your profile is saved.")
    page.get_by_role("link", name="Devices").click()
    expect(page.get_by_text("This one", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out everywhere").click()
    heading(page, "Sign in")
    expect(page.locator("#messages")).to_contain_text("You are signed out everywhere.")

    # Without the password she comes back by a code.
    page.get_by_role("link", name="Send me a code instead").click()
    heading(page, "Sign in with a code")
    page.get_by_label("E-mail address").fill(NITA)
    page.get_by_role("button", name="Send the code").click()
    heading(page, "Enter the code")
    type_code(page, code_in_mail(), "Sign in")
    page.wait_for_load_state()
    page.goto(platform.hospital("cedar", "profile"))
    expect(page.get_by_label("Phone number")).to_have_value("+919845012345")
