"""From a doctor's free time to an appointment, as patients go: without an account until the very end."""

import re
from uuid import uuid4

import pytest
from django.utils.timezone import now
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import booking, listing
from core.schemas import schema_context
from core.visits import VisitKind
from hospitals.models import Doctor
from hospitals.services.doctors import publishing
from tenants.models import Hospital
from tests import factories
from tests.journeys.conftest import Complaints, Visitor
from tests.journeys.people import code_in_mail, heading
from tests.journeys.server import Platform

NITA = "nita@example.com"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def hospital(platform: Platform) -> Hospital:
    """Cedar."""
    return Hospital.objects.get(slug="cedar")


@pytest.fixture
def doctor(hospital: Hospital) -> Doctor:
    """Dr Rao, in the search."""
    with schema_context(hospital.schema_name):
        return factories.bookable_doctor(hospital, User.objects.get(email="hari@cedar.example"))


def cookies(page: Page) -> set[str]:
    return {cookie.get("name", "") for cookie in page.context.cookies()}


def tomorrow(hospital: Hospital) -> str:
    return f"{factories.at(hospital, '10:00'):%Y-%m-%d}"


def status_of_only_visit(hospital: Hospital) -> str:
    with schema_context(hospital.schema_name):
        return Appointment.objects.get().status


def code_for(hospital: Hospital, email: str) -> str:
    with schema_context(hospital.schema_name):
        return code_in_mail(email)


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_visitor_holds_a_time_and_books_it_with_a_code(
    visitor: Visitor, platform: Platform, hospital: Hospital, doctor: Doctor, scripts: bool
) -> None:
    page = visitor(java_script_enabled=scripts, viewport=PHONE)
    page.goto(platform.hospital("cedar", "doctor_page", doctor.code) + f"?week={tomorrow(hospital)}")
    heading(page, "Vikram Rao")
    page.get_by_role("radio", name="10:20").check()
    bar = page.locator(".book-bar")
    if scripts:
        expect(bar).to_contain_text("10:20")
    bar.get_by_role("button", name="Continue").click()

    # Held, and nobody has signed in.
    heading(page, "Check and book")
    expect(page.get_by_text("We hold this time until")).to_be_visible()
    assert status_of_only_visit(hospital) == Status.HELD
    assert "sessionid" not in cookies(page)

    page.get_by_label("Your name").fill("Nita Shah")
    page.get_by_label("E-mail address").fill(NITA)
    page.get_by_role("button", name="Send the code").click()
    heading(page, "Enter the code")
    page.get_by_label("Code", exact=True).fill(code_for(hospital, NITA))
    page.get_by_role("button", name="Continue").click()

    heading(page, "Check and book")
    page.get_by_label("Reason for the visit").fill("A cough")
    page.get_by_role("button", name="Book, pay ₹700 at the desk").click()
    heading(page, "Your appointment is booked")
    expect(page.get_by_role("img", name=re.compile("QR code"))).to_have_js_property("complete", True)
    assert status_of_only_visit(hospital) == Status.CONFIRMED

    # Back shows the visit, not the form.
    page.goto(platform.hospital("cedar", "visit_review"))
    heading(page, "Your appointment")


def test_from_the_portal_a_time_is_held_within_five_taps_and_without_an_account(
    visitor: Visitor, platform: Platform, hospital: Hospital, doctor: Doctor
) -> None:
    with schema_context(hospital.schema_name):
        publishing.publish(hospital=hospital, doctor=doctor)
        listing.refresh_times(doctor_id=doctor.pk, now=now())
    page, taps = visitor(viewport=PHONE), 0

    def tap(place: Locator) -> None:
        nonlocal taps
        place.click()
        taps += 1

    page.goto(platform.portal("home"))
    page.get_by_role("searchbox").fill("heart")
    tap(page.get_by_role("button", name="Search"))
    heading(page, "Find a doctor")
    tap(page.get_by_role("link", name=re.compile(r"^\d\d:\d\d, .*Vikram Rao")).first)
    heading(page, "Vikram Rao")
    tap(page.locator(".book-bar").get_by_role("button", name="Continue"))
    heading(page, "Check and book")
    assert status_of_only_visit(hospital) == Status.HELD
    assert taps <= 5
    assert "sessionid" not in cookies(page)


def test_the_whole_way_goes_by_keyboard(
    visitor: Visitor, platform: Platform, hospital: Hospital, doctor: Doctor
) -> None:
    page = visitor()
    page.goto(platform.hospital("cedar", "doctor_page", doctor.code) + f"?week={tomorrow(hospital)}")
    heading(page, "Vikram Rao")
    first = page.locator("input[name=starts_at]").first
    _tab_to(page, "input[name=starts_at]")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".book-side")).to_contain_text("09:20")
    page.keyboard.press("Enter")

    heading(page, "Check and book")
    _tab_to(page, "input[name=name]")
    page.keyboard.type("Nita Shah")
    page.keyboard.press("Tab")
    page.keyboard.type(NITA)
    page.keyboard.press("Enter")
    heading(page, "Enter the code")
    _tab_to(page, "input[name=code]")
    page.keyboard.type(code_for(hospital, NITA))
    page.keyboard.press("Enter")
    heading(page, "Check and book")
    _tab_to(page, "input[name=reason]")
    page.keyboard.press("Enter")
    heading(page, "Your appointment is booked")


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there."""
    for _ in range(60):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {selector}.")


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_time_that_somebody_else_takes_meanwhile_is_replaced_by_the_next(
    visitor: Visitor, platform: Platform, complaints: Complaints, hospital: Hospital, doctor: Doctor, scripts: bool
) -> None:
    page = visitor(java_script_enabled=scripts, viewport=PHONE)
    page.goto(platform.hospital("cedar", "doctor_page", doctor.code) + f"?week={tomorrow(hospital)}")
    page.get_by_role("radio", name="10:20").check()
    with schema_context(hospital.schema_name):
        booking.hold(
            hospital=hospital,
            doctor=doctor,
            starts_at=factories.at(hospital, "10:20"),
            kind=VisitKind.IN_PERSON,
            holder=uuid4(),
            by=None,
            now=now(),
            address="192.0.2.9",
        )
    complaints.expect(422, platform.hospital("cedar", "visit_hold", doctor.code))
    page.locator(".book-bar").get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("10:20 has just been taken. The next free time is")
    expect(page.get_by_role("radio", name="10:20")).to_have_count(0)
    expect(page.locator("input[name=starts_at]:checked")).to_have_count(1)
    page.locator(".book-bar").get_by_role("button", name="Continue").click()
    heading(page, "Check and book")


def test_another_week_and_kind_come_without_a_new_page_and_the_focus_stays(
    visitor: Visitor, platform: Platform, hospital: Hospital, doctor: Doctor
) -> None:
    page = visitor()
    page.goto(platform.hospital("cedar", "doctor_page", doctor.code))
    page.evaluate("window.stayed = true")
    later = page.get_by_role("link", name="Later week")
    later.press("Enter")
    expect(page).to_have_url(re.compile("week="))
    expect(later).to_be_focused()
    page.get_by_role("link", name=re.compile("Video")).click()
    expect(page).to_have_url(re.compile("kind=video"))
    expect(page.locator(".book-side")).to_contain_text("₹500")
    page.get_by_role("radio").first.check()
    expect(page.locator(".book-side [data-picked]")).to_be_visible()
    assert page.evaluate("window.stayed")
