"""A page as somebody sees it, and what has to be done there to see it."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect


@dataclass(frozen=True)
class Stop:
    """A page as somebody sees it. `act` does what has to be done there to see it, like pressing a button."""

    name: str
    url: str
    status: int = 200
    act: Callable[[Page], None] | None = None
    acted_status: int = 200


def pressed(button: str) -> Callable[[Page], None]:
    """Press a button of the page, which then says what is wrong."""

    def act(page: Page) -> None:
        page.locator("#main").get_by_role("button", name=button).click()
        expect(page.get_by_role("alert").first).to_be_visible()
        page.wait_for_load_state()

    return act


def opened(summary: str, appears: str) -> Callable[[Page], None]:
    """Press what opens something, and wait for it."""

    def act(page: Page) -> None:
        page.locator(f"{summary}:visible").first.click()
        expect(page.locator(f"{appears}:visible").first).to_be_visible()

    return act
