"""Links between the portal and the hospitals carry the sign-in of who has one."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import User
from tenants.models import Domain, Hospital
from tests.tenants.traveller import Person


@pytest.fixture
def person(db: None, cedar: Hospital, lotus: Hospital) -> Person:
    return Person()


def test_the_portal_links_plainly_for_a_visitor(portal: Client, cedar: Hospital) -> None:
    page = portal.get(f"/hospitals/{cedar.code}/").content.decode()
    assert 'href="http://cedar.localhost:8000/"' in page
    assert "/continue/" not in page


def test_the_portals_links_carry_the_sign_in_of_who_has_one(person: Person, cedar: Hospital, asha: User) -> None:
    person.signs_in("localhost", asha)
    page = person.at("localhost").get(f"/hospitals/{cedar.code}/").content.decode()
    assert 'href="http://cedar.localhost:8000/continue/?from=localhost&amp;next=%2F"' in page


def test_a_hospitals_page_links_back_to_the_portal(person: Person, asha: User) -> None:
    page = person.at("cedar.localhost").get("/").content.decode()
    assert 'href="http://localhost:8000/hospitals/"' in page
    person.signs_in("cedar.localhost", asha)
    page = person.at("cedar.localhost").get("/").content.decode()
    assert 'href="http://localhost:8000/continue/?from=cedar.localhost&amp;next=%2Fhospitals%2F"' in page


def test_the_portal_does_not_link_to_itself(portal: Client) -> None:
    assert "All hospitals on RHMS" not in portal.get("/").content.decode()


def test_the_link_names_the_host_it_stands_on(person: Person, asha: User, cedar: Hospital) -> None:
    Domain.objects.create(tenant=cedar, domain="www.cedar.example", is_primary=False)
    person.signs_in("www.cedar.example", asha)
    page = person.at("www.cedar.example").get("/").content.decode()
    address = next(part for part in page.split('"') if "/continue/" in part).replace("&amp;", "&")
    assert parse_qs(urlsplit(address).query)["from"] == ["www.cedar.example"]
