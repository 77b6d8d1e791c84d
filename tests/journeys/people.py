"""What people do on many journeys: type a code from their mail or telephone, and sign in."""

import re
from time import sleep, time

import pyotp
from django.utils.timezone import now
from playwright.sync_api import Locator, Page, expect

from accounts.models import Totp, User
from core.sealing import seal
from notifications.models import Notification
from tests import factories

_STEP_SECONDS = 30


class Telephone:
    """An authenticator app. No code of it is typed twice: it waits for the next one."""

    def __init__(self, secret: str) -> None:
        self._app, self._last = pyotp.TOTP(secret), 0

    def code(self) -> str:
        """The digits to type now; the next ones count, too, for clocks that are a little off."""
        step = max(int(time()) // _STEP_SECONDS, self._last + 1)
        while step > int(time()) // _STEP_SECONDS + 1:
            sleep(1)
        self._last = step
        return self._app.generate_otp(step)


def telephone_of(user: User) -> Telephone:
    """An authenticator app that the person has had for long."""
    secret = pyotp.random_base32()
    Totp.objects.create(user=user, sealed_secret=seal(secret), confirmed_at=now())
    return Telephone(secret)


def heading(page: Page, text: str | re.Pattern[str]) -> None:
    """The page with this heading is there, its scripts included."""
    expect(page.get_by_role("heading", level=1)).to_have_text(text)
    page.wait_for_load_state()


def picture_arrived(picture: Locator) -> None:
    """The picture is there, which may be after the page and not before one scrolls to it, and is one."""
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 100


def sign_in(page: Page, email: str, password: str = factories.PASSWORD, telephone: Telephone | None = None) -> None:
    """Fill in the sign-in page, and the second step if the person has a telephone for it."""
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    if telephone:
        heading(page, "One more step")
        page.get_by_label("Code").fill(telephone.code())
        page.get_by_role("button", name="Sign in", exact=True).click()


def link_in_mail(template: str, to: str) -> str:
    """The first link of the latest such letter."""
    return _in_mail(template, to, r"https?://\S+")


def code_in_mail(to: str) -> str:
    """The six digits of the latest letter with a code."""
    return _in_mail("code", to, r"\b\d{6}\b")


def _in_mail(template: str, to: str, pattern: str) -> str:
    text = Notification.objects.filter(template=template, to_address=to).latest("pk").text
    found = re.search(pattern, text)
    assert found, text
    return found[0]
