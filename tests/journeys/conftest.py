"""A browser in front of the real application, on a database in which everything is really committed."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebError

from accounts.models import User
from scripts.chromium import HOW_TO
from tests.conftest import browser as client_of
from tests.journeys.browser import ARGUMENTS
from tests.journeys.server import Platform, serving

CHROMIUM = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or ""
MISSING = f"The browser tests need Chromium, and there is none. {HOW_TO}"
_BROWSER = {"page", "context", "new_context", "visitor"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser its tests are skipped at home; in CI they fail."""
    if shutil.which(CHROMIUM) or os.environ.get("CI") == "true":
        return
    for item in items:
        if _BROWSER & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.skip(reason=MISSING))


@pytest.fixture(scope="session")
def base_url() -> str:
    """None: every test has a server of its own. (pytest-base-url's own fixture warns with this pytest.)"""
    return ""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Which browser, and that it talks to nobody."""
    if not shutil.which(CHROMIUM):
        raise pytest.UsageError(MISSING)
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A person in India at a laptop."""
    return {
        **browser_context_args,
        "locale": "en-GB",
        "timezone_id": "Asia/Kolkata",
        "reduced_motion": "reduce",
    }


class Complaints:
    """What browsers complained about: errors in the console (broken content security policy among them) and scripts."""

    def __init__(self) -> None:
        self._heard: list[str] = []
        self._expected: set[tuple[int, str]] = set()

    def listen(self, context: BrowserContext) -> None:
        """Hear every page of this context."""
        context.on("console", self._console)
        context.on("weberror", self._script)

    def expect(self, status: int, url: str) -> None:
        """A page that is meant to answer with this status: the browser's own line about it is no complaint."""
        self._expected.add((status, urlsplit(url).path))

    def unexpected(self) -> list[str]:
        """All others, each once."""
        return list(dict.fromkeys(self._heard))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        path = urlsplit(message.location["url"]).path
        status = re.search(r"responded with a status of (\d+)", message.text)
        if status is None or (int(status[1]), path) not in self._expected:
            self._heard.append(f"{path}: {message.text}")

    def _script(self, error: WebError) -> None:
        self._heard.append(f"{urlsplit(error.page.url).path if error.page else ''}: {error.error}")


@pytest.fixture(autouse=True)
def complaints() -> Iterator[Complaints]:
    """Every browser test fails when a browser complained of something that the test did not expect."""
    heard = Complaints()
    yield heard
    assert not heard.unexpected(), "\n".join(heard.unexpected())


@pytest.fixture
def platform(committed: None) -> Iterator[Platform]:
    """The running application."""
    with serving() as running:
        yield running


@pytest.fixture
def outbox_is_readable(settings: Any) -> None:
    """As in the demo, the superadmin can follow the links in messages."""
    settings.DEBUG = True


@pytest.fixture
def new_context(
    new_context: Callable[..., BrowserContext], platform: Platform, complaints: Complaints
) -> Iterator[Callable[..., BrowserContext]]:
    """pytest-playwright's, with an ear on every page; they end before the server does."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.set_default_timeout(15_000)
        complaints.listen(context)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


Visitor = Callable[..., Page]


@pytest.fixture
def visitor(new_context: Callable[..., BrowserContext]) -> Visitor:
    """Somebody with a browser of their own, as `visitor(java_script_enabled=False)`."""
    return lambda **options: new_context(**options).new_page()


def come_in(context: BrowserContext, user: User, address: str) -> None:
    """Give the browser a session at this address, without going through the sign-in page."""
    session = client_of(urlsplit(address).hostname or "", user).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
