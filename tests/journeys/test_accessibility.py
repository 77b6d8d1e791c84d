"""Every page, in both themes, on a phone and on a laptop, against the rules of WCAG 2.2 AA that a program can check.

Not among them: Django's own /admin/.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from tests.conftest import cloned
from tests.journeys import scene as scenes
from tests.journeys.conftest import Complaints, Visitor
from tests.journeys.scene import TOURS, Scene
from tests.journeys.server import Platform
from tests.journeys.stops import Stop

# The phone is so tall that the bar at its bottom covers nothing that a person would scroll to.
WIDTHS: dict[str, ViewportSize] = {"phone": {"width": 390, "height": 3000}, "laptop": {"width": 1280, "height": 900}}
ALL_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "resultTypes": ["violations"],
}
# Only these can differ between the themes.
COLOUR_RULES = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
THEMES: dict[Literal["light", "dark"], dict[str, Any]] = {"light": ALL_RULES, "dark": COLOUR_RULES}
_AXE = Axe()
_RUN = "options => axe.run(document, options).then(results => results.violations)"
_NARROWEST: ViewportSize = {"width": 320, "height": 800}
_TOO_WIDE = """() => document.documentElement.scrollWidth <= 320 ? [] : [...document.querySelectorAll("body *")]
  .filter(e => e.getBoundingClientRect().right > 321).slice(0, 5).map(e => `${e.tagName}.${e.className}`)"""


def go(page: Page, stop: Stop, complaints: Complaints) -> None:
    """Open the page, as far as its state."""
    complaints.expect(stop.status, stop.url)
    complaints.expect(stop.acted_status, stop.url)
    answer = page.goto(stop.url)
    assert answer is not None
    assert answer.status == stop.status, stop.name
    if stop.act:
        stop.act(page)
    page.evaluate("document.fonts.ready")


def broken_rules(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe finds. Only that comes over: the list of what is in order is a megabyte a page."""
    found: list[dict[str, Any]] = page.evaluate(_RUN, options)
    return [
        f"{rule['id']}: {rule['help']}: "
        + " | ".join(f"{' '.join(map(str, node['target']))} {_why(node)}" for node in rule["nodes"][:4])
        for rule in found
    ]


def broken_in_either_theme(page: Page, name: str) -> list[str]:
    if not page.evaluate("'axe' in window"):  # a page that is looked at again has it, and has warmed it up
        page.evaluate(_AXE.axe_script)
    found = []
    for theme, options in THEMES.items():
        page.emulate_media(color_scheme=theme)
        found += [f"{name}, {theme}: {rule}" for rule in broken_rules(page, options)]
    return found


def _why(node: dict[str, Any]) -> str:
    return "; ".join(check["message"] for kind in ("any", "all", "none") for check in node[kind][:1])


def hand(page: Page) -> Callable[[str], None]:
    """What puts a phone or a laptop around the page: its size, and a finger or a mouse. The page stays as it is."""
    chromium = page.context.new_cdp_session(page)  # only there can a browser get a touch screen, or lose it, later

    def take(width: str) -> None:
        page.set_viewport_size(WIDTHS[width])
        chromium.send("Emulation.setTouchEmulationEnabled", {"enabled": width == "phone"})
        assert page.evaluate("matchMedia('(pointer: coarse)').matches") is (width == "phone")

    return take


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    """Built once, in a database of its own; every tour goes through a copy of it."""
    with django_db_blocker.unblock(), cloned():
        yield scenes.build()


@pytest.mark.usefixtures("outbox_is_readable")
@pytest.mark.parametrize("tour", TOURS)
def test_no_page_breaks_a_rule_in_either_theme(
    scene: Scene, visitor: Visitor, platform: Platform, complaints: Complaints, tour: str
) -> None:
    """A page is opened once for both devices; what has to be done there is done with each, as menus are not the same."""
    stops = list(TOURS[tour][1](scene))
    page = visitor()
    take = hand(page)
    scenes.come_in_for(tour, page.context)
    faults = []
    for stop in stops:
        for width in WIDTHS:
            take(width)
            if width == "phone" or stop.act:
                go(page, stop, complaints)
            faults += broken_in_either_theme(page, f"{stop.name}, {width}")
            if width == "phone":
                page.set_viewport_size(_NARROWEST)
                if wide := page.evaluate(_TOO_WIDE):
                    faults.append(f"{stop.name} is wider than 320 pixels: {', '.join(wide)}")
    assert not faults, "\n".join(faults)
