"""From the portal to a hospital and back in a real browser, which keeps the cookies of each host apart."""

import pytest
from playwright.sync_api import expect

from accounts.models import User
from tenants.models import Hospital
from tests.journeys.conftest import Complaints, Visitor, come_in
from tests.journeys.server import Platform
from tests.journeys.test_accessibility import _TOO_WIDE as TOO_WIDE
from tests.journeys.test_accessibility import WIDTHS, broken_in_either_theme

ACCOUNT = "Your account, {}"


def test_who_is_signed_in_on_the_portal_is_at_the_hospital_and_the_other_way_round(
    platform: Platform, visitor: Visitor
) -> None:
    page = visitor(java_script_enabled=False)
    come_in(page.context, User.objects.get(email="asha@example.com"), platform.portal("home"))
    page.goto(platform.portal("hospital_list"))
    page.get_by_role("link", name="Cedar Hospital").click()
    page.get_by_role("link", name="Go to the hospital’s site").click()
    expect(page).to_have_url(platform.hospital("cedar", "home"))
    expect(page.get_by_label(ACCOUNT.format("Asha Patel"))).to_be_visible()

    page.context.clear_cookies(domain="localhost")
    page.get_by_role("link", name="All hospitals on RHMS").last.click()
    expect(page).to_have_url(platform.portal("hospital_list"))
    expect(page.get_by_label(ACCOUNT.format("Asha Patel"))).to_be_visible()


def test_a_superadmin_acts_for_an_admin_and_comes_back(platform: Platform, visitor: Visitor) -> None:
    page = visitor(java_script_enabled=False)
    come_in(page.context, User.objects.get(email="usha@rhms.example"), platform.portal("home"))
    page.goto(platform.portal("queue") + "?status=approved")
    page.get_by_role("link", name="Cedar Hospital").click()
    page.get_by_role("link", name="Act for support").click()
    page.get_by_label("Reason").fill("Hari cannot find where the logo is changed")
    page.get_by_role("button", name="Begin support").click()
    expect(page).to_have_url(platform.hospital("cedar", "start"))
    bar = page.get_by_role("region", name="Support")
    expect(bar).to_contain_text("You act for Hari Rao as support.")

    page.get_by_role("link", name="Activity").first.click()
    expect(page.get_by_text("Hari cannot find where the logo is changed")).to_be_visible()
    expect(bar).to_be_in_viewport()

    bar.get_by_role("button", name="End now").click()
    expect(page.get_by_role("link", name="Act for support")).to_be_visible()
    assert page.url.startswith(platform.portal("queue"))
    page.goto(platform.hospital("cedar", "activity"))
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_of_support_breaks_a_rule_in_either_theme(
    platform: Platform, visitor: Visitor, complaints: Complaints, width: str
) -> None:
    page = visitor(viewport=WIDTHS[width], has_touch=width == "phone")
    hari = User.objects.get(email="hari@cedar.example")
    User.objects.filter(pk=hari.pk).update(last_name="Venkataramanarajuvaripeta-Krishnamurthy")
    cedar = Hospital.objects.get(slug="cedar")
    come_in(page.context, User.objects.get(email="usha@rhms.example"), platform.portal("home"))
    faults: list[str] = []

    def look(name: str) -> None:
        faults.extend(broken_in_either_theme(page, f"{name}, {width}"))
        page.set_viewport_size({"width": 320, "height": 800})
        faults.extend(f"{name} is wider than 320 pixels: {wide}" for wide in page.evaluate(TOO_WIDE))
        page.set_viewport_size(WIDTHS[width])

    page.goto(platform.portal("queue_support", cedar.code))
    look("beginning")
    complaints.expect(422, page.url)
    page.get_by_role("button", name="Begin support").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    look("beginning, refused")
    page.get_by_label("Reason").fill("Hari cannot find where the logo is changed")
    page.get_by_role("button", name="Begin support").click()
    expect(page).to_have_url(platform.hospital("cedar", "start"))
    for name in ("start", "activity", "home"):
        page.goto(platform.hospital("cedar", name))
        look(name)
    complaints.expect(403, platform.hospital("cedar", "profile"))
    page.goto(platform.hospital("cedar", "profile"))
    look("what is closed to support")
    page.goto(platform.hospital("cedar", "support_over"))
    look("over")
    assert not faults, "\n".join(faults)
