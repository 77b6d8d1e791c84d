"""How a hospital joins, from the form to its departments on the portal, as the people involved see it."""

import re
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from accounts.models import User
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.journeys.conftest import Complaints, Visitor
from tests.journeys.people import heading, link_in_mail, picture_arrived, sign_in, telephone_of
from tests.journeys.server import Platform

PASSWORD = "monsoon-lantern-42"
STREET = "7 Cathedral Road\nGopalapuram"


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    """A picture with something on it."""
    path = tmp_path / "banyan logo.png"
    image = Image.new("RGBA", (240, 240), "#00000000")
    draw = ImageDraw.Draw(image)
    draw.ellipse((10, 10, 230, 230), fill="#8a1c4a")
    draw.rectangle((100, 60, 140, 180), fill="white")
    draw.rectangle((60, 100, 180, 140), fill="white")
    image.save(path)
    return path


def fill_registration(page: Page, **other: str) -> None:
    values = {
        "Name of the hospital": "Banyan Heart Institute",
        "Registration number": "TN/CHE/2021/00310",
        "Street address": STREET,
        "City or town": "Chennai",
        "Phone number": "044 4234 5678",
        "Your name": "Lakshmi Iyer",
        "E-mail address": "lakshmi@banyan.example",
        "Subdomain": "banyan",
        **other,
    }
    for label, value in values.items():
        page.get_by_label(label).fill(value)
    page.get_by_label("State").select_option("TN")


def superadmin_signs_in(page: Page) -> None:
    usha = User.objects.get(email="usha@rhms.example")
    sign_in(page, usha.email, telephone=telephone_of(usha))


def decide(page: Page, step: str, confirm: str, reason: str = "") -> None:
    """Press a button that asks back, say why, and confirm."""
    page.locator(".platform-decide summary").filter(has_text=step).click()
    if reason:
        page.get_by_label("Reason").locator("visible=true").fill(reason)
    page.get_by_role("button", name=confirm).click()


def open_in_queue(page: Page, platform: Platform, name: str) -> None:
    page.goto(platform.portal("queue"))
    if "/sign-in/" in page.url:
        superadmin_signs_in(page)
    page.get_by_role("link", name=name).click()
    heading(page, f"{name} Pending")


def path(page: Page) -> str:
    return re.sub(r"^https?://[^/]+", "", page.url)


@pytest.mark.usefixtures("outbox_is_readable")
@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_hospital_joins_and_its_departments_are_found_on_the_portal(
    visitor: Visitor, platform: Platform, complaints: Complaints, logo: Path, scripts: bool
) -> None:
    # A visitor finds the form, makes a mistake, and loses nothing by it.
    page = visitor(java_script_enabled=scripts)
    page.goto(platform.portal("home"))
    page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Register a hospital").click()
    heading(page, "Register a hospital")
    fill_registration(page, **{"Phone number": "12", "Subdomain": "cedar"})
    if scripts:
        expect(page.locator("#subdomain")).to_contain_text("This one is taken. Free is cedar-hospital.localhost")
    page.get_by_label("Logo").set_input_files(logo)
    complaints.expect(422, platform.portal("register"))
    page.get_by_role("button", name="Send the registration").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("There are 2 problems")
    expect(summary).to_contain_text("This subdomain is taken. Choose another one.")
    if scripts:
        expect(summary).to_be_focused()
    expect(page.get_by_label("Phone number")).to_have_value("12")
    expect(page.get_by_label("Street address")).to_have_value(STREET)
    expect(page.get_by_label("State")).to_have_value("TN")
    expect(page.get_by_text("banyan logo.png")).to_be_visible()

    page.get_by_label("Phone number").fill("044 4234 5678")
    page.get_by_label("Subdomain").fill("banyan")
    if scripts:
        expect(page.locator("#subdomain")).to_contain_text("This one is free. Your address will be banyan.localhost")
    page.get_by_role("button", name="Send the registration").click()
    heading(page, "We have the registration of Banyan Heart Institute")
    reference = page.locator(".join-reference").inner_text()

    # They confirm their address by the link in their mail.
    page.goto(link_in_mail("registration_received", "lakshmi@banyan.example"))
    heading(page, "We are checking your registration")
    expect(page.get_by_role("region", name="Your registration")).to_contain_text(reference)
    status_page = page.url
    page.get_by_role("button", name="Confirm this address").click()
    expect(page.get_by_text("Your e-mail address is confirmed.").first).to_be_visible()
    expect(page.get_by_role("button", name="Confirm this address")).to_have_count(0)

    # The superadmin finds it in the queue, with its logo, and approves.
    usha = visitor(java_script_enabled=scripts)
    usha.goto(platform.portal("sign_in"))
    superadmin_signs_in(usha)
    heading(usha, "Hospitals")
    usha.get_by_role("link", name="Banyan Heart Institute").click()
    heading(usha, "Banyan Heart Institute Pending")
    expect(usha.locator("#main")).to_contain_text("TN/CHE/2021/00310")
    picture_arrived(usha.locator("#main img").first)
    decide(usha, "Approve", "Approve hospital")
    expect(usha.get_by_text("The hospital is open, and its admin is invited.").first).to_be_visible()

    # The invitation is in the outbox; its link leads to the hospital's own site, where a password is chosen.
    usha.get_by_role("link", name="Messages to this address").click()
    usha.get_by_role("link", name="Banyan Heart Institute is open: your invitation").click()
    invitation = usha.locator(".platform-words a").first.get_attribute("href") or ""
    assert invitation.startswith(platform.hospital("banyan", "home") + "invitation/")
    lakshmi = visitor(java_script_enabled=scripts)
    lakshmi.goto(invitation)
    heading(lakshmi, "Welcome to Banyan Heart Institute")
    lakshmi.get_by_label("New password").fill(PASSWORD)
    lakshmi.get_by_role("button", name="Set password and start").click()
    expect(lakshmi).to_have_url(platform.hospital("banyan", "start"))
    heading(lakshmi, re.sub(r"^(Good \w+).*", r"\1, Lakshmi", lakshmi.locator("h1").inner_text()))
    expect(lakshmi.locator(".side .brand")).to_contain_text("Banyan Heart Institute")
    page.goto(status_page)
    heading(page, "Banyan Heart Institute is open")

    # The admin changes the colour and sees it before saving and after.
    before = lakshmi.locator("link[href*='/theme/']").first.get_attribute("href")
    lakshmi.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Settings").click()
    lakshmi.locator("#main").get_by_role("link", name="Brand").click()
    heading(lakshmi, "Brand")
    if scripts:
        with lakshmi.expect_response(lambda answer: "/theme/preview/8a1c4a" in answer.url):
            lakshmi.get_by_label("Colour", exact=True).fill("#8a1c4a")
    else:
        lakshmi.get_by_label("Colour", exact=True).fill("#8a1c4a")
        lakshmi.get_by_role("button", name="Preview").click()
    expect(lakshmi.locator("#preview link")).to_have_attribute("href", "/theme/preview/8a1c4a.css")
    expect(lakshmi.locator("#preview")).to_contain_text("In the dark theme it is lighter")
    drawn = lakshmi.locator("#preview .btn.primary, #preview .primary").first
    assert drawn.evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"
    assert Hospital.objects.get(slug="banyan").accent != "#8a1c4a", "a preview saves nothing"
    lakshmi.get_by_role("button", name="Save brand").click()
    expect(lakshmi.get_by_text("Your brand is saved.").first).to_be_visible()
    assert lakshmi.locator("link[href*='/theme/']").first.get_attribute("href") != before

    # Two departments, and everybody sees them.
    lakshmi.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Departments").click()
    for name, description in (("Cardiology", "ECG and echo on the same day."), ("Heart surgery", "")):
        lakshmi.get_by_role("link", name="Add department").first.click()
        lakshmi.get_by_label("Name", exact=True).fill(name)
        lakshmi.get_by_label("Description").fill(description)
        lakshmi.get_by_role("button", name="Add department").click()
        expect(lakshmi.get_by_text(f"{name} is added.").first).to_be_visible()
    page.goto(platform.hospital("banyan", "home"))
    heading(page, "Banyan Heart Institute")
    page.get_by_role("link", name="Cardiology").click()
    heading(page, "Cardiology")
    expect(page.locator("#main")).to_contain_text("ECG and echo on the same day.")

    page.goto(platform.portal("hospital_list"))
    page.get_by_role("searchbox").fill("heart surgery chennai")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("1 hospital matches")).to_be_visible()
    page.get_by_role("link", name="Banyan Heart Institute").click()
    for name in ("Cardiology", "Heart surgery"):
        expect(page.locator("#main").get_by_role("link", name=name)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_rejected_hospital_reads_the_reason_in_its_mail_and_on_its_status_page(
    visitor: Visitor, platform: Platform, complaints: Complaints, scripts: bool
) -> None:
    reason = "The number is not in the register of Tamil Nadu."
    hospital = factories.pending(name="Quick Cure Polyclinic")
    status_page = link_in_mail("registration_received", hospital.email)
    usha = visitor(java_script_enabled=scripts)
    open_in_queue(usha, platform, "Quick Cure Polyclinic")

    complaints.expect(422, platform.portal("queue_reject", hospital.code))
    decide(usha, "Reject", "Reject hospital")
    expect(usha.get_by_role("alert").first).to_contain_text("Reason")
    usha.wait_for_load_state()
    usha.get_by_label("Reason").locator("visible=true").fill(reason)
    usha.get_by_role("button", name="Reject hospital").click()
    expect(usha.get_by_text("The registration is rejected").first).to_be_visible()

    assert reason in Notification.objects.get(template="registration_rejected", to_address=hospital.email).text
    page = visitor()
    page.goto(status_page)
    heading(page, "Your registration was not accepted")
    expect(page.get_by_text(reason)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_suspended_hospital_is_closed_at_once_until_it_is_resumed(
    visitor: Visitor, platform: Platform, complaints: Complaints, scripts: bool
) -> None:
    page, usha = visitor(), visitor(java_script_enabled=scripts)
    home, listed = platform.hospital("cedar", "home"), platform.portal("hospital_list")
    page.goto(listed)
    expect(page.get_by_role("link", name="Cedar Hospital")).to_be_visible()
    page.goto(home)
    heading(page, "Cedar Hospital")

    usha.goto(platform.portal("queue"))
    superadmin_signs_in(usha)
    usha.get_by_role("navigation", name="Hospitals by status").get_by_role("link", name="Approved").click()
    usha.get_by_role("link", name="Cedar Hospital").click()
    decide(usha, "Suspend", "Suspend hospital", "The licence ran out on 1 March.")
    expect(usha.get_by_text("The hospital is closed for now").first).to_be_visible()

    complaints.expect(503, home)
    answer = page.reload()
    assert answer is not None
    assert answer.status == 503
    heading(page, "Cedar Hospital is closed for now")
    assert page.locator("link[href*='/theme/']").evaluate("link => link.sheet.cssRules.length")
    expect(page.locator(".brand")).to_contain_text("Cedar Hospital")
    page.goto(listed)
    expect(page.get_by_role("link", name="Lotus Clinic")).to_be_visible()
    expect(page.get_by_role("link", name="Cedar Hospital")).to_have_count(0)

    decide(usha, "Open again", "Open hospital again", "The licence is renewed.")
    expect(usha.get_by_text("The hospital is open again").first).to_be_visible()
    page.goto(home)
    heading(page, "Cedar Hospital")
    page.goto(listed)
    expect(page.get_by_role("link", name="Cedar Hospital")).to_be_visible()


# What is under the focus: its id, and whether a person can see that it is.
_FOCUS = """() => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  return {
    id: e.id, tag: e.tagName, text: e.textContent.trim().slice(0, 40),
    seen: (parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none") || style.boxShadow !== "none",
    inside: box.bottom > 0 && box.top < innerHeight && box.width > 0,
  };
}"""


def test_a_hospital_registers_with_the_keyboard_alone(
    visitor: Visitor, platform: Platform, complaints: Complaints
) -> None:
    complaints.expect(422, platform.portal("register"))
    page = visitor()
    page.goto(platform.portal("register"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Name of the hospital")).to_be_focused()

    # Sent empty, the form says what is missing, and its first link leads to the first field.
    page.keyboard.press("Enter")
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("There are 8 problems")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name of the hospital")).to_be_focused()

    typed = {
        "id_name": "Banyan Heart Institute",
        "id_registration_number": "TN/CHE/2021/00310",
        "id_state": "Tamil",
        "id_address": STREET,
        "id_city": "Chennai",
        "id_phone_number": "044 4234 5678",
        "id_contact_person": "Lakshmi Iyer",
        "id_email": "lakshmi@banyan.example",
        "id_slug": "",
        "id_logo": "",
    }
    reached = []
    for _stop in range(30):
        focus = page.evaluate(_FOCUS)
        assert focus["seen"], f"nothing shows that {focus} has the focus"
        assert focus["inside"], f"{focus} has the focus out of sight"
        if focus["tag"] == "BUTTON":
            break
        reached.append(focus["id"])
        page.keyboard.type(typed[focus["id"]])
        page.keyboard.press("Tab")
    assert reached == list(typed), "by Tab, each field in the order of the page, and nothing else"
    page.keyboard.press("Enter")
    heading(page, "We have the registration of Banyan Heart Institute")
    assert Hospital.objects.get(slug="banyan-heart-institute").state == "TN"
