"""What the first view of a page costs somebody on a slow phone, served as in production: compressed and hashed."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile, File
from django.core.management import call_command
from django.test import override_settings
from django.utils.timezone import now
from PIL import Image, ImageFilter
from playwright.sync_api import Page

from accounts.models import User
from core import pictures
from core.hosts import hospital_url, portal_url
from core.schemas import schema_context
from core.templatetags import ui
from hospitals import demo
from hospitals.models import Department
from hospitals.services import departments, joining, settings
from tenants.models import Hospital
from tests import factories
from tests.journeys import scene as scenes
from tests.journeys.conftest import Complaints, Visitor
from tests.journeys.scene import TOURS
from tests.journeys.server import Platform

MOST_REQUESTS = 10
MOST_KILOBYTES = 75
MOST_FOR_STAFF = 80  # who come every day and have the files already
MOST_FOR_PROGRAMMERS = 120  # the description of the whole API on one page


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings of a deployment whose static files are collected. (Those of /admin/ stay out.)"""
    deployed = {
        "STATICFILES_FINDERS": ["django.contrib.staticfiles.finders.FileSystemFinder"],
        "STATIC_ROOT": tmp_path_factory.mktemp("static"),
        "STORAGES": {
            **django_settings.STORAGES,
            "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
        },
        "WHITENOISE_USE_FINDERS": False,
        "WHITENOISE_AUTOREFRESH": False,
    }
    with override_settings(**deployed):
        call_command("collectstatic", interactive=False, verbosity=0)
    return deployed


@pytest.fixture
def production_files(collected: dict[str, Any]) -> Iterator[None]:
    """Static files as a deployment serves them."""
    with override_settings(**collected):
        _forget_addresses()
        yield
    _forget_addresses()


def _forget_addresses() -> None:
    """What was drawn with other addresses of the same files: a page would load the sprite twice."""
    for remembered in (ui._sprite, ui.icon, ui._drawn):
        remembered.cache_clear()


@dataclass(frozen=True)
class Asked:
    """One request: its address, and the document that it is for."""

    url: str
    document: str


# Symbols of the sprite are asked for when they are first drawn, which on a slow machine is after everything else came.
_DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
_TRIES = 300  # of a twentieth of a second


class Meter:
    """Counts what a page asks for and what comes over the wire, headers included.

    What the page before still asks for when it is left, as its last symbols or its favicon, is not this page's.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._document = ""
        self._asked: dict[str, Asked] = {}
        self._came: dict[str, int] = {}
        self._session.on("Network.requestWillBeSent", self._ask)
        self._session.on("Network.loadingFinished", self._come)
        self._session.send("Network.enable")

    def open(self, url: str) -> None:
        """Open a page as somebody who comes for the first time, and wait until all of it is there."""
        self._page.goto("about:blank")
        self._session.send("Network.clearBrowserCache")
        self._document, self._asked, self._came = "", {}, {}
        self._page.goto(url)
        self._page.evaluate(_DRAWN)
        for _try in range(_TRIES):
            asked = self._of_this_page()
            # The favicon waits until the page is loaded.
            if asked.keys() <= self._came.keys() and any("favicon" in one.url for one in asked.values()):
                return
            self._page.wait_for_timeout(50)
        missing = [one.url for number, one in self._of_this_page().items() if number not in self._came]
        pytest.fail(f"{url} does not come to rest: {missing} of {self.addresses}")

    @property
    def requests(self) -> int:
        """How many."""
        return len(self._of_this_page())

    @property
    def kilobytes(self) -> float:
        """Of all of them."""
        return sum(self._came.get(number, 0) for number in self._of_this_page()) / 1024

    @property
    def addresses(self) -> list[str]:
        """What was asked for, in this order."""
        return [one.url for one in self._of_this_page().values()]

    def _of_this_page(self) -> dict[str, Asked]:
        return {number: one for number, one in self._asked.items() if one.document == self._document}

    def _ask(self, event: dict[str, Any]) -> None:
        number, document, url = event["requestId"], event["loaderId"], event["request"]["url"]
        if url.startswith("data:"):
            return
        if number == document:  # the page itself
            self._document = document
        self._asked[number] = Asked(url, document)

    def _come(self, event: dict[str, Any]) -> None:
        self._came[event["requestId"]] = int(event["encodedDataLength"])


@pytest.mark.parametrize("tour", [name for name in TOURS if name != "a stranger"])
def test_the_first_view_of_every_page_is_light(
    production_files: None, visitor: Visitor, platform: Platform, complaints: Complaints, tour: str
) -> None:
    stops = [stop for stop in TOURS[tour][1](scenes.build()) if not stop.act and stop.name != "style guide"]
    page = visitor(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    scenes.come_in_for(tour, page.context)
    meter = Meter(page)
    heavy = []
    for stop in stops:
        complaints.expect(stop.status, stop.url)
        meter.open(stop.url)
        measured = f"{stop.name}: {meter.requests} requests, {meter.kilobytes:.1f} KB"
        print(measured)
        if meter.requests > MOST_REQUESTS or meter.kilobytes > _most(stop.name, stop.url):
            heavy += [measured, *meter.addresses]
    assert not heavy, "\n".join(heavy)


def _most(name: str, url: str) -> int:
    """How heavy a page may be."""
    if name.endswith("API"):
        return MOST_FOR_PROGRAMMERS
    return MOST_FOR_STAFF if "/office/" in url else MOST_KILOBYTES


def photo(seed: int) -> pictures.Picture:
    """Something as hard to compress as a photograph, as large as a telephone takes it."""
    size = (2400, 1600)
    grain = Image.effect_noise(size, 40).filter(ImageFilter.GaussianBlur(3))
    slope = Image.linear_gradient("L").rotate(90 * seed).resize(size)
    light = Image.radial_gradient("L").resize(size)
    out = BytesIO()
    Image.merge("RGB", (Image.blend(slope, grain, 0.3), Image.blend(light, grain, 0.3), slope)).save(out, format="JPEG")
    return pictures.judge(ContentFile(out.getvalue(), name=f"ward {seed}.jpg"))


def crowd() -> Department:
    """Ten open hospitals with a logo each, and a page of Cedar's departments with photographs; one of those."""
    usha = User.objects.get(email=scenes.PEOPLE["superadmin"])
    hari = User.objects.get(email=scenes.PEOPLE["admin"])
    logos = sorted(Path(demo.__file__).parent.glob("*.png"))
    for number in range(10):
        with logos[number % len(logos)].open("rb") as file:
            logo = pictures.judge(File(file, name="logo.png"))
        hospital = joining.register(registration=factories.registration(), logo=logo, address=f"visitor {number}")
        joining.approve(hospital=hospital, by=usha, now=now())
    cedar = Hospital.objects.get(slug="cedar")
    with schema_context(cedar.schema_name), logos[1].open("rb") as file:
        logo = pictures.judge(File(file, name="logo.png"))
        settings.change_brand(hospital=cedar, name="Cedar Hospital", accent="#8a1c4a", logo=logo, by=hari)
        for number in range(10):
            department = departments.add(
                hospital=cedar, name=f"Ward {number}", description="What you come for.", image=photo(number), by=hari
            )
    return department


def test_pages_full_of_pictures_are_light_too(production_files: None, visitor: Visitor, platform: Platform) -> None:
    department = crowd()
    page = visitor(viewport={"width": 1280, "height": 900})
    scenes.come_in_for("the superadmin", page.context)
    scenes.come_in_for("a hospital's admin", page.context)
    meter = Meter(page)
    heavy = []
    for name, url in {
        "portal": portal_url("home"),
        "hospitals": portal_url("hospital_list"),
        "queue": portal_url("queue") + "?status=approved",
        "hospital": hospital_url("cedar", "home"),
        "departments": hospital_url("cedar", "department_list"),
        "department": hospital_url("cedar", "department_detail", department.slug),
        "office departments": hospital_url("cedar", "department_admin"),
    }.items():
        meter.open(url)
        measured = f"{name}: {meter.requests} requests, {meter.kilobytes:.1f} KB"
        print(measured)
        if meter.requests > MOST_REQUESTS or meter.kilobytes > _most(name, url):
            heavy += [measured, *meter.addresses]
    assert not heavy, "\n".join(heavy)
