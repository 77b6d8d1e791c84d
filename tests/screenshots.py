"""`make screenshots`: pictures of the pages for the README, taken from a platform of their own with the demo on it."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from unittest.mock import patch

import django
from PIL import Image, ImageChops, ImageStat

from rhms.embedded import temporary_servers
from rhms.server_user import CannotStartError

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
MOST_BYTES = 200 * 1000
SIGN_IN = re.compile(r"(\S+@\S+)\s+(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Shot:
    """One picture: of which page, seen by whom (an e-mail address of the demo), how wide and in which theme."""

    file: str
    host: str
    page: str
    follow: str = ""  # the name of a link on that page, and the picture is of where it leads
    who: str = ""
    width: int = 1280
    height: int = 800
    theme: str = "light"


SHOTS = [
    Shot("portal", "", "home"),
    Shot("portal-dark", "", "home", theme="dark"),
    Shot("search", "", "doctor_search"),
    Shot("search-390", "", "doctor_search", width=390, height=844),
    Shot("slots", "cedar", "doctor_list", follow="Anil Rao"),
    Shot("slots-390", "cedar", "doctor_list", follow="Anil Rao", width=390, height=844),
    Shot("desk", "cedar", "desk", who="meena@cedar.example"),
    Shot("today", "cedar", "today", who="rao@cedar.example"),
    Shot("register", "", "register"),
    Shot("queue", "", "queue", follow="Banyan Heart Institute", who="usha@rhms.example"),
    Shot("site", "cedar", "home"),
    Shot("site-390", "cedar", "home", width=390, height=844),
    Shot("start", "cedar", "start", who="hari@cedar.example"),
    Shot("start-390", "cedar", "start", who="hari@cedar.example", width=390, height=844),
    Shot("doctor", "cedar", "doctor_admin", follow="Gauri Bhosale", who="hari@cedar.example"),
    Shot("staff", "cedar", "staff_admin", who="hari@cedar.example"),
    Shot("waiting-390", "cedar", "doctor_application", who="gauri@cedar.example", width=390, height=844),
    Shot("brand", "lotus", "settings_brand", who="kiran@lotus.example"),
]


def main() -> int:
    """Take them all; 1 with one sentence when a server or the browser cannot start."""
    chromium = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")
    if not chromium:
        print("The pictures need Chromium: `make screenshots` finds or installs one.", file=sys.stderr)
        return 1
    try:
        with demo_platform() as passwords:
            take(SHOTS, chromium, passwords)
    except CannotStartError as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


@contextmanager
def demo_platform() -> Iterator[dict[str, str]]:
    """The platform with the demo, served on a free port; nothing under var/ is touched. Gives the demo's passwords."""
    with ExitStack() as stack:
        servers = stack.enter_context(temporary_servers())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="rhms-screenshots-")))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "rhms.settings",
            "DATABASE_URL": servers.database_url,
            "DATABASE_OWNER_URL": servers.database_owner_url,
            "REDIS_URL": servers.redis_url,
            "MEDIA_ROOT": str(folder / "media"),
            "DEBUG": "true",
            "SECRET_KEY": "for-pictures-only-" + "x" * 50,
            "SITE_URL": "http://localhost:8000",
            "EMAIL_URL": "console:",
            "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
        }
        django.setup()
        from django.core.management import call_command  # only now are there settings

        from hospitals.management.commands import demo
        from tests.journeys.server import serving

        stack.enter_context(patch.object(demo, "SIGN_INS", folder / "sign-ins.json"))
        said = StringIO()
        call_command("prepare", verbosity=0)
        call_command("demo", stdout=said)
        call_command("demo_visits")
        stack.enter_context(serving())
        yield dict(SIGN_IN.findall(said.getvalue()))


def take(shots: list[Shot], chromium: str, passwords: dict[str, str]) -> None:
    """Photograph pages, each in a fresh browser profile."""
    from playwright.sync_api import sync_playwright

    from tests.journeys.browser import ARGUMENTS

    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for shot in shots:
            context = browser.new_context(
                viewport={"width": shot.width, "height": shot.height},
                device_scale_factor=2 if shot.width < 600 else 1,
                color_scheme="dark" if shot.theme == "dark" else "light",
                locale="en-GB",
                timezone_id="Asia/Kolkata",
                reduced_motion="reduce",
            )
            page = context.new_page()
            if shot.who:
                page.goto(address(shot.host, "sign_in"))
                page.get_by_label("E-mail address").fill(shot.who)
                page.get_by_label("Password", exact=True).fill(passwords[shot.who])
                page.get_by_role("button", name="Sign in", exact=True).click()
                page.wait_for_url(lambda url: "/sign-in/" not in url)
            page.goto(address(shot.host, shot.page))
            if shot.follow:
                page.get_by_role("link", name=shot.follow).click()
                page.wait_for_load_state()
            revisit_until_in_our_font(page)
            size = save(page.screenshot(), FOLDER / f"{shot.file}.png")
            print(f"{shot.file}.png: {size / 1000:.0f} KB")
            context.close()
        browser.close()


def revisit_until_in_our_font(page: "Page") -> None:
    """A first view does without the font, to be there sooner; a later one has it in the cache."""
    session = page.context.new_cdp_session(page)
    for _try in range(10):
        page.goto(page.url, wait_until="networkidle")
        session.send("DOM.enable")
        session.send("CSS.enable")
        root = session.send("DOM.getDocument")["root"]["nodeId"]
        title = session.send("DOM.querySelector", {"nodeId": root, "selector": "h1"})["nodeId"]
        fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": title})["fonts"]
        if all(font["isCustomFont"] for font in fonts):
            return
    print(f"{page.url} does not get its font.", file=sys.stderr)


def address(host: str, page: str) -> str:
    """The address of a page of the portal, or of the hospital with this subdomain."""
    from core.hosts import hospital_url, portal_url

    return hospital_url(host, page) if host else portal_url(page)


def save(raw: bytes, path: Path) -> int:
    """Write a picture, with a palette if nobody can tell the difference or if it is too large; return its size."""
    picture = Image.open(BytesIO(raw)).convert("RGB")
    few = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    difference = ImageStat.Stat(ImageChops.difference(picture, few.convert("RGB"))).mean
    out = BytesIO()
    (few if max(difference) < 1 else picture).save(out, format="PNG", optimize=True)
    if out.tell() > MOST_BYTES:
        out = BytesIO()
        few.save(out, format="PNG", optimize=True)
    path.write_bytes(out.getvalue())
    return len(out.getvalue())


if __name__ == "__main__":
    sys.exit(main())
