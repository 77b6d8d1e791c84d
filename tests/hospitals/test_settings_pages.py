"""What the office says of its hospital: brand, contact, home page, own domains."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_django
from django.test import Client

from accounts.models import User
from audit.models import Action, AuditLog
from core.schemas import schema_context
from hospitals.models import Settings
from hospitals.services import settings as services
from tenants import services as tenants
from tenants.models import Domain, DomainClaim, Hospital
from tests.conftest import browser
from tests.factories import picture
from tests.fakes.dns import NameServer, name_server

OVERVIEW = "/office/settings/"
BRAND, CONTACT, WELCOME, DOMAINS = (f"{OVERVIEW}{name}/" for name in ("brand", "contact", "welcome", "domains"))
CONTACT_FIELDS = {
    "email": "office@cedar.example",
    "phone_number": "020 2612 3456",
    "address": "1 Hill Road\r\nBaner",
    "city": "Pune",
    "state": "MH",
    "time_zone": "Asia/Dubai",
}
EVERY_PAGE = [OVERVIEW, BRAND, f"{BRAND}preview/", CONTACT, WELCOME, DOMAINS]


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_only_the_hospitals_admin_opens_the_settings(
    cedar_site: Client, cedar_hari: Client, cedar_kiran: Client, usha: User, address: str
) -> None:
    assert cedar_site.get(address)["Location"] == f"/sign-in/?next={address}"
    assert cedar_kiran.get(address).status_code == 403
    assert browser("cedar.localhost", usha).get(address).status_code == 403
    assert cedar_hari.get(address).status_code == 200


def test_the_overview_says_how_far_each_section_is(cedar_hari: Client) -> None:
    page = cedar_hari.get(OVERVIEW).content.decode()
    for words in ("No logo yet", "To check", "No welcome text yet", "Optional"):
        assert words in page


# --- Brand -----------------------------------------------------------------------------------------------------------


def test_saving_the_brand_changes_name_colour_and_logo(cedar_hari: Client, cedar: Hospital) -> None:
    response = cedar_hari.post(BRAND, {"name": "Cedar Heart", "accent": "7A3FF2", "logo": picture()}, follow=True)
    assert response.redirect_chain == [(BRAND, 302)]
    assert b"Your brand is saved." in response.content
    cedar.refresh_from_db()
    assert (cedar.name, cedar.accent) == ("Cedar Heart", "#7a3ff2")
    assert cedar.logo


def test_the_new_brand_is_on_the_next_page(
    cedar_hari: Client, cedar_site: Client, django_capture_on_commit_callbacks: Any
) -> None:
    cedar_site.get("/")
    with django_capture_on_commit_callbacks(execute=True):
        cedar_hari.post(BRAND, {"name": "Cedar Heart", "accent": "#7a3ff2"})
    page = cedar_site.get("/").content.decode()
    assert "Cedar Heart" in page
    assert "/theme/7a3ff2-" in page


def test_without_a_new_logo_the_present_one_stays(cedar_hari: Client, cedar: Hospital) -> None:
    cedar_hari.post(BRAND, {"name": "Cedar Hospital", "accent": "#7a3ff2", "logo": picture()})
    cedar_hari.post(BRAND, {"name": "Cedar Heart", "accent": "#7a3ff2"})
    cedar.refresh_from_db()
    assert cedar.logo


def test_a_chosen_logo_survives_a_fault_in_another_field(cedar_hari: Client, cedar: Hospital) -> None:
    refused = cedar_hari.post(BRAND, {"name": "", "accent": "#7a3ff2", "logo": picture("ours.png")})
    assert refused.status_code == 422
    assert b"ours.png" in refused.content
    _picture, token = refused.context["form"].fields["logo"].widget.kept
    cedar_hari.post(BRAND, {"name": "Cedar", "accent": "#7a3ff2", "logo_kept": token})
    cedar.refresh_from_db()
    assert cedar.logo


@pytest.mark.parametrize("colour", ["red", "#12345", "#gggggg", "url(x)", "#1234567"])
def test_what_is_not_a_colour_is_refused_at_the_colour(cedar_hari: Client, colour: str) -> None:
    response = cedar_hari.post(BRAND, {"name": "Cedar", "accent": colour})
    assert response.status_code == 422
    assert "accent" in response.context["form"].errors
    assert response.context["form"]["name"].value() == "Cedar"


@pytest.mark.parametrize("colour", ["#ffffff", "#000000", "#ffd43b", "#fd3"])
def test_no_colour_is_rejected(cedar_hari: Client, colour: str) -> None:
    assert cedar_hari.post(BRAND, {"name": "Cedar", "accent": colour}).status_code == 302


def test_the_preview_shows_both_themes_and_says_what_became_of_the_colour(cedar_hari: Client) -> None:
    response = cedar_hari.get(f"{BRAND}preview/", {"accent": "#FFD43B"}, headers={"HX-Request": "true"})
    page = response.content.decode()
    assert "<html" not in page
    assert '<link rel="stylesheet" href="/theme/preview/ffd43b.css">' in page
    assert "preview-light" in page
    assert "preview-dark" in page
    assert "In the light theme your colour is darker" in page


def test_the_previews_stylesheet_exists(cedar_hari: Client) -> None:
    response = cedar_hari.get("/theme/preview/ffd43b.css")
    assert response["Content-Type"].startswith("text/css")
    assert b".preview-dark" in response.content


def test_a_colour_half_typed_previews_the_present_one(cedar_hari: Client, cedar: Hospital) -> None:
    response = cedar_hari.get(f"{BRAND}preview/", {"accent": "#7a"}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert f"/theme/preview/{cedar.accent[1:]}.css" in response.content.decode()


def test_without_javascript_the_preview_button_saves_nothing_and_keeps_the_logo(
    cedar_hari: Client, cedar: Hospital
) -> None:
    response = cedar_hari.post(
        BRAND, {"name": "Cedar Heart", "accent": "#7a3ff2", "logo": picture("ours.png"), "preview": "1"}
    )
    page = response.content.decode()
    assert response.status_code == 200
    assert "/theme/preview/7a3ff2.css" in page
    assert "ours.png" in page
    assert 'value="Cedar Heart"' in page
    cedar.refresh_from_db()
    assert (cedar.name, cedar.logo) == ("Cedar Hospital", "")


# --- Contact and home page -------------------------------------------------------------------------------------------


def test_contact_details_are_saved_and_recorded(cedar_hari: Client, in_cedar: Hospital) -> None:
    response = cedar_hari.post(CONTACT, CONTACT_FIELDS, follow=True)
    assert b"Your contact details are saved." in response.content
    in_cedar.refresh_from_db()
    assert str(in_cedar.phone_number) == "+912026123456"
    assert in_cedar.address == "1 Hill Road\nBaner"
    assert in_cedar.time_zone == "Asia/Dubai"
    with schema_context(in_cedar.schema_name):
        row = AuditLog.objects.filter(action=Action.SETTINGS_CHANGED).get()
        assert row.data["time_zone"] == ["Asia/Kolkata", "Asia/Dubai"]


def test_saving_unchanged_contact_details_is_recorded_as_a_check(cedar_hari: Client, in_cedar: Hospital) -> None:
    shown = cedar_hari.get(CONTACT).context["form"]
    cedar_hari.post(CONTACT, {name: shown[name].value() for name in CONTACT_FIELDS})
    with schema_context(in_cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.CONTACT_CHECKED).count() == 1


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("phone_number", "12"),
        ("email", "office"),
        ("address", ""),
        ("city", ""),
        ("state", "XX"),
        ("time_zone", "Mars"),
    ],
)
def test_a_fault_in_the_contact_is_said_at_its_field_and_the_rest_is_kept(
    cedar_hari: Client, field: str, typed: str
) -> None:
    response = cedar_hari.post(CONTACT, CONTACT_FIELDS | {field: typed})
    assert response.status_code == 422
    form = response.context["form"]
    assert list(form.errors) == [field]
    assert all(form[name].value() == value for name, value in CONTACT_FIELDS.items() if name != field)


def test_indias_time_zone_comes_first(cedar_hari: Client) -> None:
    page = cedar_hari.get(CONTACT).content.decode()
    options = re.findall(r'<option value="([^"]+/[^"]+)"', page)
    assert options[0] == "Asia/Kolkata"
    assert "Europe/London" in options


def test_the_home_pages_words_are_saved(cedar_hari: Client, in_cedar: Hospital) -> None:
    response = cedar_hari.post(
        WELCOME,
        {"welcome": "Hello\r\nthere", "opening_hours": "Day and night", "emergency_phone": "020 2612 3456"},
        follow=True,
    )
    assert b"Your home page is saved." in response.content
    with schema_context(in_cedar.schema_name):
        saved = Settings.objects.get()
        assert (saved.welcome, saved.opening_hours, saved.emergency_phone) == (
            "Hello\nthere",
            "Day and night",
            "020 2612 3456",
        )


def test_an_emergency_number_is_a_number(cedar_hari: Client) -> None:
    response = cedar_hari.post(WELCOME, {"welcome": "Hello", "emergency_phone": "call us"})
    assert response.status_code == 422
    assert "emergency_phone" in response.context["form"].errors
    assert response.context["form"]["welcome"].value() == "Hello"


# --- Own domains -----------------------------------------------------------------------------------------------------


@pytest.fixture
def dns(settings: pytest_django.Settings) -> Iterator[NameServer]:
    """The domain name system, as far as this test is concerned."""
    with name_server() as server:
        settings.DNS_SERVERS = [server.address]
        yield server


@pytest.fixture
def claim(in_cedar: Hospital, hari: User) -> DomainClaim:
    """Cedar says that www.cedar.example is its own."""
    return tenants.claim_domain(hospital=in_cedar, domain="www.cedar.example", by=hari)


@pytest.mark.parametrize(
    "typed",
    ["www.cedar.example", " WWW.Cedar.Example. ", "https://www.cedar.example/contact?x=1", "www.cedar.example:443"],
)
def test_a_domain_is_added_however_it_is_pasted(cedar_hari: Client, cedar: Hospital, typed: str) -> None:
    response = cedar_hari.post(DOMAINS, {"domain": typed}, follow=True)
    claim = cedar.domain_claims.get()
    assert claim.domain == "www.cedar.example"
    page = response.content.decode()
    assert "_rhms-verify.www.cedar.example" in page
    assert claim.record_value in page


def test_a_domain_in_another_script_is_kept_as_the_dns_writes_it(cedar_hari: Client, cedar: Hospital) -> None:
    cedar_hari.post(DOMAINS, {"domain": "अस्पताल.example"})
    assert cedar.domain_claims.get().domain.startswith("xn--")


@pytest.mark.parametrize(
    "typed",
    ["", "cedar", "my hospital.in", "-x.in", "localhost", "lotus.localhost", "127.0.0.1", "a..in", "x" * 64 + ".in"],
)
def test_what_is_not_a_domain_of_ones_own_is_refused(cedar_hari: Client, cedar: Hospital, typed: str) -> None:
    response = cedar_hari.post(DOMAINS, {"domain": typed})
    assert response.status_code == 422
    assert "domain" in response.context["form"].errors
    assert not cedar.domain_claims.exists()


def test_adding_a_domain_twice_is_refused_at_the_field(cedar_hari: Client, claim: DomainClaim) -> None:
    response = cedar_hari.post(DOMAINS, {"domain": claim.domain})
    assert response.status_code == 422
    assert b"You have added this domain already." in response.content


def test_a_domain_in_use_elsewhere_is_refused_at_the_field(cedar_hari: Client, lotus: Hospital) -> None:
    Domain.objects.create(tenant=lotus, domain="www.lotus.example", is_primary=False)
    response = cedar_hari.post(DOMAINS, {"domain": "www.lotus.example"})
    assert b"This domain is already in use on the platform." in response.content


def test_a_proved_domain_serves_the_site(
    cedar_hari: Client, claim: DomainClaim, dns: NameServer, django_capture_on_commit_callbacks: Any
) -> None:
    dns.txt["_rhms-verify.www.cedar.example"] = [claim.record_value]
    assert browser("www.cedar.example").get("/").status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        response = cedar_hari.post(f"{DOMAINS}{claim.code}/verify/", follow=True)
    assert b"Your site answers on www.cedar.example now." in response.content
    assert dns.asked == ["_rhms-verify.www.cedar.example"]
    assert b"Cedar Hospital" in browser("www.cedar.example").get("/").content


def test_without_the_record_the_page_says_so_at_the_domain(
    cedar_hari: Client, claim: DomainClaim, dns: NameServer
) -> None:
    response = cedar_hari.post(f"{DOMAINS}{claim.code}/verify/")
    assert response.status_code == 422
    assert "There is no TXT record at _rhms-verify.www.cedar.example yet." in response.content.decode()
    assert DomainClaim.objects.filter(pk=claim.pk).exists()


def test_a_wrong_record_is_shown_beside_the_right_one(cedar_hari: Client, claim: DomainClaim, dns: NameServer) -> None:
    dns.txt["_rhms-verify.www.cedar.example"] = ["rhms-verify=old"]
    page = cedar_hari.post(f"{DOMAINS}{claim.code}/verify/").content.decode()
    assert "says “rhms-verify=old”" in page
    assert claim.record_value in page


def test_a_claim_of_another_hospital_cannot_be_touched(kiran: User, claim: DomainClaim, dns: NameServer) -> None:
    client = browser("lotus.localhost", kiran)
    for step in ("verify", "drop"):
        assert client.post(f"{DOMAINS}{claim.code}/{step}/").status_code == 404
    assert DomainClaim.objects.filter(pk=claim.pk).exists()


def test_the_stranger_cannot_verify_drop_or_remove(cedar_kiran: Client, claim: DomainClaim) -> None:
    for address in (f"{claim.code}/verify/", f"{claim.code}/drop/", "remove/cedar.localhost/"):
        assert cedar_kiran.post(f"{DOMAINS}{address}").status_code == 403


def test_a_claim_is_dropped(cedar_hari: Client, claim: DomainClaim) -> None:
    response = cedar_hari.post(f"{DOMAINS}{claim.code}/drop/", follow=True)
    assert b"www.cedar.example is removed from the list." in response.content
    assert not DomainClaim.objects.exists()


def test_a_removed_domain_answers_no_more(
    cedar_hari: Client, cedar: Hospital, django_capture_on_commit_callbacks: Any
) -> None:
    Domain.objects.create(tenant=cedar, domain="www.cedar.example", is_primary=False)
    assert browser("www.cedar.example").get("/").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        response = cedar_hari.post(f"{DOMAINS}remove/www.cedar.example/", follow=True)
    assert b"Your site no longer answers on www.cedar.example." in response.content
    assert browser("www.cedar.example").get("/").status_code == 404


def test_the_subdomain_cannot_be_removed(cedar_hari: Client, cedar: Hospital) -> None:
    assert cedar_hari.post(f"{DOMAINS}remove/cedar.localhost/").status_code == 422
    assert Domain.objects.filter(domain="cedar.localhost").exists()


def test_a_domain_of_another_hospital_cannot_be_removed(cedar_hari: Client, lotus: Hospital) -> None:
    assert cedar_hari.post(f"{DOMAINS}remove/lotus.localhost/").status_code == 404
    assert cedar_hari.post(f"{DOMAINS}{uuid4()}/drop/").status_code == 404


@pytest.mark.parametrize("step", ["verify", "drop"])
def test_steps_are_not_links(cedar_hari: Client, claim: DomainClaim, step: str) -> None:
    assert cedar_hari.get(f"{DOMAINS}{claim.code}/{step}/").status_code == 405


def test_the_list_of_domains_costs_the_same_however_long(
    cedar_hari: Client, cedar: Hospital, hari: User, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        tenants.claim_domain(hospital=cedar, domain=f"www{number}.cedar.example", by=hari)
        Domain.objects.create(tenant=cedar, domain=f"{number}.cedar.example", is_primary=False)
    cedar_hari.get(DOMAINS)
    with django_assert_num_queries(5):  # session, person, staff row, domains, claims
        cedar_hari.get(DOMAINS)


def test_own_domains_appear_in_the_overview(cedar_hari: Client, claim: DomainClaim) -> None:
    assert b"1 to verify" in cedar_hari.get(OVERVIEW).content


def test_the_unchanged_welcome_is_no_change(in_cedar: Hospital, hari: User) -> None:
    services.change_welcome(
        settings=Settings.objects.get(), welcome="", emergency_phone="112", opening_hours="", by=hari
    )
    assert not AuditLog.objects.filter(action=Action.SETTINGS_CHANGED).exists()
