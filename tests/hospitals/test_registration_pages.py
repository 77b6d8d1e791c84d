"""How a hospital registers, and how it sees where that stands."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from hospitals.services import joining
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories

FRAGMENT = {"HX-Request": "true"}
FORM = {
    "name": "Palm Hospital",
    "registration_number": "kl/2020/17",
    "state": "KL",
    "address": "4 Beach Road",
    "city": "Kochi",
    "contact_person": "Farid Khan",
    "email": "Farid@Palm.example",
    "phone_number": "98450 12345",
    "slug": "",
    "website": "",
}


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def link_in(message: Notification) -> str:
    """The path of the link in a message."""
    found = re.search(r"http://localhost:8000(\S+)", message.text)
    assert found
    return found[1]


@pytest.fixture
def palm(portal: Client) -> Hospital:
    """Registered through the form."""
    portal.post("/register/", FORM)
    return Hospital.objects.get(name="Palm Hospital")


@pytest.fixture
def link(palm: Hospital) -> str:
    """The link Palm was sent."""
    return link_in(Notification.objects.get(to_address=palm.email))


def test_the_form_helps_browsers_and_phones_to_fill_it(portal: Client) -> None:
    page = text(portal.get("/register/"))
    for expected in (
        'autocomplete="organization"',
        'autocomplete="street-address"',
        'autocomplete="address-level2"',
        'autocomplete="email"',
        'autocomplete="tel"',
        'inputmode="tel"',
        "multipart/form-data",
    ):
        assert expected in page


def test_a_registration_becomes_a_pending_hospital(portal: Client) -> None:
    response = portal.post("/register/", FORM)
    hospital = Hospital.objects.get(name="Palm Hospital")
    assert response["Location"] == f"/register/received/{hospital.code}/"
    assert (hospital.status, hospital.registration_number, hospital.slug) == ("pending", "KL/2020/17", "palm")
    assert (hospital.email, str(hospital.phone_number)) == ("farid@palm.example", "+919845012345")


def test_registering_is_recorded_with_the_name_that_was_given(palm: Hospital) -> None:
    assert AuditLog.objects.about(palm).get().actor == "Farid Khan"


def test_the_confirmation_names_reference_address_and_what_comes_next(portal: Client, palm: Hospital) -> None:
    page = text(portal.get(f"/register/received/{palm.code}/"))
    for expected in (palm.reference, "farid@palm.example", "palm.localhost", "What happens next"):
        assert expected in page


def test_the_confirmation_is_gone_once_the_hospital_is_public(portal: Client, cedar: Hospital) -> None:
    response = portal.get(f"/register/received/{cedar.code}/")
    assert response.status_code == 404
    assert cedar.email not in text(response)


def test_an_empty_form_says_what_to_enter_at_each_field(portal: Client) -> None:
    response = portal.post("/register/", {})
    page = text(response)
    assert response.status_code == 422
    assert "<title>Error:" in page
    for sentence in ("Enter the name of the hospital.", "Enter the street address.", "Enter a phone number."):
        assert sentence in page
    assert "slug" not in response.context["form"].errors


@pytest.mark.parametrize("number", ["123", "98450 1234", "not a number", "+1 23"])
def test_a_phone_number_that_cannot_be_is_refused(portal: Client, number: str) -> None:
    response = portal.post("/register/", {**FORM, "phone_number": number})
    assert response.context["form"].errors["phone_number"] == ["Enter a mobile or landline number, like 98450 12345."]
    assert f'value="{number}"' in text(response)


def test_a_number_that_is_registered_in_the_state_is_refused_at_the_field(portal: Client, palm: Hospital) -> None:
    response = portal.post("/register/", {**FORM, "registration_number": " KL/2020/17 ", "slug": "other"})
    assert response.status_code == 422
    assert response.context["form"].errors["registration_number"] == [joining.number_taken()]


def test_the_same_number_in_another_state_is_another_hospital(portal: Client, palm: Hospital) -> None:
    assert portal.post("/register/", {**FORM, "state": "TN", "slug": "other"}).status_code == 302


def test_a_rejected_hospital_can_register_again(portal: Client, palm: Hospital, usha: User) -> None:
    joining.reject(hospital=palm, by=usha, reason="Not in the register")
    assert portal.post("/register/", {**FORM, "slug": "palm"}).status_code == 302


@pytest.mark.parametrize("slug", ["cedar", "admin", "www"])
def test_a_taken_or_reserved_subdomain_is_refused_at_the_field(portal: Client, slug: str) -> None:
    response = portal.post("/register/", {**FORM, "slug": slug})
    assert response.context["form"].errors["slug"] == [joining.slug_taken()]


@pytest.mark.parametrize("slug", ["Palm Hospital", "1palm", "palm--x", "-palm", "palm.x", "p" * 41])
def test_a_subdomain_that_is_no_host_name_is_refused(portal: Client, slug: str) -> None:
    response = portal.post("/register/", {**FORM, "slug": slug})
    assert response.status_code == 422
    assert "slug" in response.context["form"].errors


def test_a_name_that_gives_no_subdomain_asks_for_one(portal: Client) -> None:
    response = portal.post("/register/", {**FORM, "name": "अस्पताल"})
    assert "none can be made from the name" in text(response)


def test_the_service_decides_in_the_end_and_its_refusal_stands_at_the_field(
    portal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        joining, "is_slug_free", lambda slug: True
    )  # somebody takes it between the form and the service
    response = portal.post("/register/", {**FORM, "slug": "cedar"})
    assert response.status_code == 422
    assert response.context["form"].errors["slug"] == [joining.slug_taken()]
    assert 'value="Palm Hospital"' in text(response)


def test_a_logo_is_kept_while_the_form_is_corrected(portal: Client) -> None:
    response = portal.post("/register/", {**FORM, "phone_number": "1", "logo": factories.picture("palm.png")})
    page = text(response)
    token = re.search(r'name="logo_kept" value="([^"]+)"', page)
    assert token
    assert "palm.png" in page
    assert portal.post("/register/", {**FORM, "logo_kept": token[1]}).status_code == 302
    assert Hospital.objects.get(name="Palm Hospital").logo.endswith(".webp")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("logo.png", b"not a picture", "not a picture we can read"),
        ("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a picture we can read"),
        ("logo.png", b"x" * (5 * 1024 * 1024 + 1), "larger than 5 MB"),
    ],
)
def test_what_is_no_picture_is_refused_at_the_field(portal: Client, name: str, content: bytes, sentence: str) -> None:
    response = portal.post("/register/", {**FORM, "logo": SimpleUploadedFile(name, content, content_type="image/png")})
    assert response.status_code == 422
    assert sentence in response.context["form"].errors["logo"][0]
    assert not Hospital.objects.filter(name="Palm Hospital").exists()


def test_a_program_that_fills_every_field_is_stopped(portal: Client) -> None:
    response = portal.post("/register/", {**FORM, "website": "http://spam.example"})
    page = text(response)
    assert response.status_code == 422
    assert "This looks as if a program had filled it in." in page
    assert "spam.example" not in page
    assert not Hospital.objects.filter(name="Palm Hospital").exists()
    assert portal.post("/register/", FORM).status_code == 302


def test_too_many_registrations_from_one_address_have_to_wait(portal: Client) -> None:
    for number in range(10):
        portal.post("/register/", {**FORM, "registration_number": f"N{number}", "slug": f"palm-{number}"})
    response = portal.post("/register/", FORM)
    assert (response.status_code, response["Retry-After"]) == (429, "3600")
    assert "Too many tries. Wait 60 minutes, then try again." in text(response)
    assert 'value="Palm Hospital"' in text(response)


def answer(portal: Client, **given: str) -> str:
    return text(portal.get("/register/subdomain/", given, headers=FRAGMENT))


def test_while_the_name_is_typed_its_address_is_suggested(portal: Client) -> None:
    page = answer(portal, name="Palm Hospital", slug="")
    assert "palm.localhost" in page
    assert "<html" not in page
    assert "cedar-hospital.localhost" in answer(portal, name="Cedar Hospital", slug="")


def test_while_a_subdomain_is_typed_one_reads_whether_it_is_free(portal: Client) -> None:
    assert "This one is free. Your address will be" in answer(portal, name="Palm", slug="rose")
    assert "This one is taken." in answer(portal, name="Palm", slug="cedar")
    assert "This one is taken." in answer(portal, name="Palm", slug="admin")
    assert "Use small letters" in answer(portal, name="Palm", slug="two words")


def test_nothing_typed_yet_says_nothing(portal: Client) -> None:
    assert answer(portal, name="", slug="") == ""
    assert answer(portal) == ""


def test_asked_without_htmx_it_is_the_form(portal: Client) -> None:
    page = text(portal.get("/register/subdomain/", {"name": "Palm Hospital"}))
    assert "<html" in page
    assert 'value="Palm Hospital"' in page


def test_the_message_leads_to_the_status_page(portal: Client, palm: Hospital, link: str) -> None:
    page = text(portal.get(link))
    assert "We are checking your registration" in page
    assert palm.reference in page


def test_looking_does_not_confirm_the_address(portal: Client, palm: Hospital, link: str) -> None:
    portal.get(link)
    portal.head(link)
    palm.refresh_from_db()
    assert palm.email_confirmed_at is None


def test_pressing_the_button_confirms_it_once(portal: Client, palm: Hospital, link: str) -> None:
    assert "Confirm this address" in text(portal.get(link))
    assert portal.post(link)["Location"] == link
    page = text(portal.get(link))
    assert "Your e-mail address is confirmed." in page
    assert "Confirm this address" not in page
    portal.post(link)
    assert AuditLog.objects.about(palm).filter(action=Action.HOSPITAL_EMAIL_CONFIRMED).count() == 1


def test_a_rejected_hospital_reads_why(portal: Client, palm: Hospital, link: str, usha: User) -> None:
    joining.reject(hospital=palm, by=usha, reason="Not in the <state> register")
    page = text(portal.get(link))
    assert "Your registration was not accepted" in page
    assert "Not in the &lt;state&gt; register" in page
    assert "Confirm this address" not in page
    assert "Usha" not in page


def test_an_approved_hospital_is_led_to_its_site(portal: Client, palm: Hospital, link: str, usha: User) -> None:
    joining.approve(hospital=palm, by=usha, now=now())
    page = text(portal.get(link))
    assert "Palm Hospital is open" in page
    assert "http://palm.localhost:8000/" in page


def test_a_suspended_hospital_reads_why_until_it_is_open_again(
    portal: Client, palm: Hospital, link: str, usha: User
) -> None:
    joining.approve(hospital=palm, by=usha, now=now())
    joining.suspend(hospital=palm, by=usha, reason="The certificate expired")
    page = text(portal.get(link))
    assert "Palm Hospital is closed for now" in page
    assert "The certificate expired" in page
    joining.resume(hospital=palm, by=usha, reason="Renewed")
    assert "The certificate expired" not in text(portal.get(link))


@pytest.mark.parametrize("token", ["nonsense", "a:b"])
def test_a_link_that_is_not_ours_says_so(portal: Client, token: str) -> None:
    response = portal.get(f"/register/status/{token}/")
    assert response.status_code == 410
    assert "This link is not complete." in text(response)


def test_every_message_to_a_hospital_has_words_and_html(palm: Hospital, usha: User) -> None:
    joining.approve(hospital=palm, by=usha, now=now())
    joining.suspend(hospital=palm, by=usha, reason="Fire & water")
    joining.resume(hospital=palm, by=usha, reason="All's well")
    other = factories.pending()
    joining.reject(hospital=other, by=usha, reason="Fire & water")
    messages = {row.template: row for row in Notification.objects.filter(to_address__in=[palm.email, other.email])}
    for template in ("registration_received", "registration_rejected", "hospital_suspended", "hospital_resumed"):
        assert "http://" in messages[template].text
        assert "<html" in messages[template].html
        assert "&amp;" not in messages[template].text
    assert "Fire & water" in messages["hospital_suspended"].text
    assert "Fire &amp; water" in messages["registration_rejected"].html
    assert "All's well" in messages["hospital_resumed"].text
