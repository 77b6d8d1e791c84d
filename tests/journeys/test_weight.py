"""What the first view of a page costs somebody on a slow phone, served as in production: compressed and hashed."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile, File
from django.core.management import call_command
from django.utils.timezone import now
from django_tenants.utils import schema_context
from PIL import Image, ImageFilter
from playwright.sync_api import Page

from accounts.models import User
from core import pictures
from core.hosts import hospital_url, portal_url
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
from tests.journeys.stops import Stop

MOST_REQUESTS = 10
MOST_KILOBYTES = 75
MOST_FOR_STAFF = 80  # who come every day and have the files already
MOST_FOR_PROGRAMMERS = 120  # the description of the whole API on one page


@pytest.fixture
def production_files(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Static files as a deployment collects them. (Those of /admin/ stay out.)"""
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = False
    call_command("collectstatic", interactive=False, verbosity=0)
    _forget_addresses()
    yield
    _forget_addresses()


def _forget_addresses() -> None:
    """What was drawn with other addresses of the same files: a page would load the sprite twice."""
    for remembered in (ui._sprite, ui.icon, ui._drawn):
        remembered.cache_clear()


class Meter:
    """Counts what a page asks for and what comes over the wire, headers included."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._asked: dict[str, str] = {}
        self._came: dict[str, int] = {}
        self._session.on("Network.requestWillBeSent", self._ask)
        self._session.on("Network.loadingFinished", self._come)
        self._session.send("Network.enable")

    def open(self, url: str) -> None:
        """Open a page as somebody who comes for the first time, and wait until all of it is there."""
        self._page.goto("about:blank")
        self._session.send("Network.clearBrowserCache")
        self._asked, self._came = {}, {}
        self._page.goto(url)
        for _try in range(60):
            # The favicon is what a browser asks for last.
            if self._asked.keys() == self._came.keys() and any("favicon" in url for url in self._asked.values()):
                return
            self._page.wait_for_timeout(50)
        pytest.fail(f"{url} does not come to rest: {set(self._asked) - set(self._came)} of {self._asked}")

    @property
    def requests(self) -> int:
        """How many."""
        return len(self._asked)

    @property
    def kilobytes(self) -> float:
        """Of all of them."""
        return sum(self._came.values()) / 1024

    def _ask(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith("data:"):
            self._asked[event["requestId"]] = event["request"]["url"]

    def _come(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._asked:
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
        if meter.requests > MOST_REQUESTS or meter.kilobytes > _most(stop):
            heavy.append(measured)
    assert not heavy, "\n".join(heavy)


def _most(stop: Stop) -> int:
    """How heavy a page may be."""
    if stop.name.endswith("API"):
        return MOST_FOR_PROGRAMMERS
    return MOST_FOR_STAFF if "/office/" in stop.url else MOST_KILOBYTES


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
        if meter.requests > MOST_REQUESTS or meter.kilobytes > MOST_KILOBYTES:
            heavy.append(measured)
    assert not heavy, "\n".join(heavy)
