"""What patients read about a doctor, as the doctor and the office write it."""

from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import User
from audit.models import Action, AuditLog
from core.schemas import schema_context
from directory.models import DoctorListing
from hospitals.models import Doctor, Staff
from hospitals.services.doctors import applying, profile
from hospitals.services.doctors.profile import Profile
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.factories import picture

OWN = "/doctor/profile/"
LIST = "/office/doctors/profiles/"
FILLED = {
    "bio": "Heart and vessels.\r\nEchocardiography.",
    "languages": ["hi", "en"],
    "fee_in_person": "700",
    "fee_video": "499.50",
    "fee_chat": "",
    "is_available": "on",
}
CHECKED = {**FILLED, "specialization": "Cardiology", "qualifications": "MBBS, MD", "experience_years": "12"}


@pytest.fixture
def rao(in_cedar: Hospital, hari: User) -> Doctor:
    """Dr Rao, verified and without a fee. The test works in Cedar's schema."""
    factories.verified_doctor(by=hari)
    return Doctor.objects.with_people().get()


@pytest.fixture
def cedar_rao(rao: Doctor) -> Client:
    """Dr Rao on Cedar's site."""
    return browser("cedar.localhost", rao.user)


def office(doctor: Doctor) -> str:
    return f"/office/doctors/{doctor.code}/profile/"


def now_is(hospital: Hospital, doctor: Doctor) -> Doctor:
    with schema_context(hospital.schema_name):
        return Doctor.objects.with_people().get(pk=doctor.pk)


def photo_address(doctor: Doctor) -> str:
    return f"/doctors/{doctor.code}/photo/{doctor.photo_name}"


def seen_by(client: Client, address: str) -> tuple[int, str]:
    """The status of a photo's address, and for how long it may be kept."""
    answer = client.get(address)
    b"".join(answer)
    return answer.status_code, answer.get("Cache-Control", "")


def test_a_doctor_writes_their_profile_and_is_found(cedar_rao: Client, cedar: Hospital, rao: Doctor) -> None:
    response = cedar_rao.post(OWN, FILLED, follow=True)
    assert response.redirect_chain == [(OWN, 302)]
    assert b"Your profile is saved." in response.content
    doctor = now_is(cedar, rao)
    assert doctor.bio == "Heart and vessels.\nEchocardiography."
    assert doctor.languages == ["en", "hi"]
    assert (doctor.fee_in_person, doctor.fee_video, doctor.fee_chat) == (Decimal(700), Decimal("499.50"), None)
    listing = DoctorListing.objects.published().get(code=rao.code)
    assert (listing.name, listing.lowest_fee) == ("Vikram Rao", Decimal("499.50"))


def test_the_form_shows_what_is_saved(cedar_rao: Client, rao: Doctor) -> None:
    cedar_rao.post(OWN, FILLED)
    form = cedar_rao.get(OWN).context["form"]
    assert [str(form[name].value()) for name in ("fee_in_person", "fee_video")] == ["700", "499.50"]
    assert form["languages"].value() == ["en", "hi"]


def test_the_log_says_what_was_changed_in_words(cedar_rao: Client, cedar: Hospital, hari: User, rao: Doctor) -> None:
    cedar_rao.post(OWN, FILLED)
    with schema_context(cedar.schema_name):
        row = AuditLog.objects.about(rao).get(action=Action.PROFILE_CHANGED)
    assert row.data["languages"] == ["", "en hi"]
    page = browser("cedar.localhost", hari).get("/office/activity/").content.decode()
    for words in ("English, Hindi", "₹700", "₹499.50", "Not offered"):
        assert words in page


def test_saving_it_unchanged_writes_nothing(cedar_rao: Client, cedar: Hospital, rao: Doctor) -> None:
    cedar_rao.post(OWN, FILLED)
    cedar_rao.post(OWN, FILLED)
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.about(rao).filter(action=Action.PROFILE_CHANGED).count() == 1


@pytest.mark.parametrize("fee", ["-1", "seven", "100001", "NaN", "1.999", "₹700"])
def test_what_is_no_fee_is_refused_at_the_fee_and_nothing_typed_is_lost(cedar_rao: Client, fee: str) -> None:
    response = cedar_rao.post(OWN, {**FILLED, "fee_chat": fee})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["fee_chat"]
    assert "Echocardiography" in response.content.decode()


def test_a_fee_of_nothing_is_free_and_no_fee_is_not_offered(cedar_rao: Client, cedar: Hospital, rao: Doctor) -> None:
    cedar_rao.post(OWN, {**FILLED, "fee_video": "0"})
    assert now_is(cedar, rao).kinds == ["in_person", "video"]


def test_an_unknown_language_is_refused(cedar_rao: Client) -> None:
    response = cedar_rao.post(OWN, {**FILLED, "languages": ["en", "tlh"]})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["languages"])


def test_turning_bookings_off_takes_the_doctor_out_of_the_search(cedar_rao: Client, rao: Doctor) -> None:
    cedar_rao.post(OWN, FILLED)
    response = cedar_rao.post(OWN, {**FILLED, "is_available": ""}, follow=True)
    assert b"Bookings are turned off." in response.content
    assert not DoctorListing.objects.published().filter(code=rao.code).exists()


def test_the_page_says_what_keeps_patients_from_booking(cedar_rao: Client, rao: Doctor) -> None:
    assert b"No kind of visit has a fee." in cedar_rao.get(OWN).content
    page = cedar_rao.post(OWN, FILLED, follow=True).content.decode()
    assert "No free time is known. Check the hours." in page
    assert f'href="/doctors/{rao.code}/"' in page


def test_what_the_hospital_has_checked_a_doctor_only_reads(cedar_rao: Client, cedar: Hospital, rao: Doctor) -> None:
    page = cedar_rao.get(OWN).content.decode()
    assert "only the hospital corrects them" in " ".join(page.split())
    assert 'name="specialization"' not in page
    cedar_rao.post(OWN, {**CHECKED, "licence_number": "X-1"})
    doctor = now_is(cedar, rao)
    assert (doctor.specialization, doctor.experience_years, doctor.licence_number) == ("", None, rao.licence_number)


def test_the_office_corrects_what_it_has_checked(cedar_hari: Client, cedar: Hospital, rao: Doctor) -> None:
    response = cedar_hari.post(office(rao), CHECKED, follow=True)
    assert b"The profile of Vikram Rao is saved." in response.content
    doctor = now_is(cedar, rao)
    assert (doctor.specialization, doctor.qualifications, doctor.experience_years) == ("Cardiology", "MBBS, MD", 12)
    assert doctor.fee_in_person == 700


def test_a_checked_fact_cannot_be_emptied(cedar_hari: Client, rao: Doctor) -> None:
    response = cedar_hari.post(office(rao), {**CHECKED, "qualifications": ""})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["qualifications"])


# --- Photos ----------------------------------------------------------------------------------------------------------


def test_a_photo_is_cut_square_and_everybody_sees_it(
    cedar_rao: Client, cedar_site: Client, cedar: Hospital, rao: Doctor
) -> None:
    cedar_rao.post(OWN, {**FILLED, "photo": picture(size=(300, 200))})
    doctor = now_is(cedar, rao)
    answer = cedar_site.get(photo_address(doctor))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert "immutable" in answer["Cache-Control"]
    with Image.open(BytesIO(b"".join(answer.streaming_content))) as photo:  # type: ignore[attr-defined]
        assert photo.size == (200, 200)
    assert doctor.photo_thumb.startswith("data:image/webp;base64,")
    assert DoctorListing.objects.get(code=rao.code).photo_thumb == doctor.photo_thumb


def test_without_a_new_photo_the_present_one_stays_until_it_is_removed(
    cedar_rao: Client, cedar: Hospital, rao: Doctor
) -> None:
    assert "Remove the present photo" not in cedar_rao.get(OWN).content.decode()
    cedar_rao.post(OWN, {**FILLED, "photo": picture()})
    cedar_rao.post(OWN, FILLED)
    assert now_is(cedar, rao).photo
    assert "Remove the present photo" in cedar_rao.get(OWN).content.decode()
    cedar_rao.post(OWN, {**FILLED, "without_photo": "on"})
    assert (now_is(cedar, rao).photo, now_is(cedar, rao).photo_thumb) == ("", "")


def test_a_chosen_photo_survives_a_fault_in_another_field(cedar_rao: Client, cedar: Hospital, rao: Doctor) -> None:
    refused = cedar_rao.post(OWN, {**FILLED, "fee_chat": "x", "photo": picture("me.png")})
    assert (refused.status_code, b"me.png" in refused.content) == (422, True)
    _picture, token = refused.context["form"].fields["photo"].widget.kept
    cedar_rao.post(OWN, {**FILLED, "photo_kept": token})
    assert now_is(cedar, rao).photo


def test_what_is_not_a_picture_is_refused_at_the_photo(cedar_rao: Client) -> None:
    page = SimpleUploadedFile("me.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", content_type="image/png")
    response = cedar_rao.post(OWN, {**FILLED, "photo": page})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["photo"])


def test_the_photo_of_a_hidden_doctor_only_they_and_the_office_see(
    cedar_rao: Client, cedar_site: Client, cedar_hari: Client, cedar_kiran: Client, cedar: Hospital, rao: Doctor
) -> None:
    cedar_rao.post(OWN, {**FILLED, "is_available": "", "photo": picture()})
    address = photo_address(now_is(cedar, rao))
    assert [seen_by(client, address)[0] for client in (cedar_site, cedar_kiran)] == [404, 404]
    assert [seen_by(client, address) for client in (cedar_rao, cedar_hari)] == [(200, "private, max-age=300")] * 2


def test_an_old_address_of_a_photo_is_not_found(cedar_rao: Client, cedar_site: Client, rao: Doctor) -> None:
    cedar_rao.post(OWN, {**FILLED, "photo": picture()})
    assert cedar_site.get(f"/doctors/{rao.code}/photo/0123456789ab.webp").status_code == 404


# --- The office's list -----------------------------------------------------------------------------------------------


def test_the_office_sees_whom_patients_do_not_find_first(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    factories.bookable_doctor(in_cedar, hari)
    factories.verified_doctor(hari, "zubin@cedar.example", "Zubin")
    page = cedar_hari.get(LIST)
    assert [card.doctor.name for card in page.context["cards"]] == ["Zubin Rao", "Vikram Rao"]
    assert b"Hidden" in page.content
    assert "₹500" in page.content.decode()


def test_the_offices_list_is_searched_and_says_when_nothing_matches(cedar_hari: Client, rao: Doctor) -> None:
    assert b"Vikram" in cedar_hari.get(f"{LIST}?q=rao").content
    assert "Nothing here matches “zzz”" in cedar_hari.get(f"{LIST}?q=zzz").content.decode()


def test_without_doctors_the_list_says_where_they_come_from(cedar_hari: Client) -> None:
    assert b"No verified doctor yet" in cedar_hari.get(LIST).content


def test_the_offices_list_asks_the_same_number_of_queries(
    cedar_hari: Client, in_cedar: Hospital, hari: User, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        factories.verified_doctor(hari, f"doctor{number}@cedar.example", f"Doctor{number:02}")
    cedar_hari.get(LIST)
    with django_assert_num_queries(6):  # session, person, staff row, count, rows, free times
        assert b"Doctor10" not in cedar_hari.get(LIST).content


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_visitors_are_sent_to_sign_in(cedar_site: Client, rao: Doctor) -> None:
    for address in (OWN, LIST, office(rao)):
        assert cedar_site.get(address)["Location"] == f"/sign-in/?next={address}"


def test_the_stranger_may_not(cedar_kiran: Client, cedar: Hospital, rao: Doctor) -> None:
    for address in (OWN, LIST, office(rao)):
        assert cedar_kiran.get(address).status_code == 403
    assert cedar_kiran.post(office(rao), CHECKED).status_code == 403
    assert now_is(cedar, rao).specialization == ""


def test_a_doctor_of_another_hospital_cannot_be_reached(rao: Doctor, kiran: User) -> None:
    assert browser("lotus.localhost", kiran).post(office(rao), CHECKED).status_code == 404


def test_an_admin_who_is_no_doctor_has_no_profile_of_their_own(cedar_hari: Client) -> None:
    assert cedar_hari.get(OWN).status_code == 404


def test_a_doctor_does_not_edit_others(cedar_rao: Client, rao: Doctor) -> None:
    assert [cedar_rao.get(address).status_code for address in (LIST, office(rao))] == [403, 403]


def test_a_content_manager_edits_profiles_and_the_front_desk_does_not(
    asha: User, join_cedar: Callable[[User, str], Staff], cedar: Hospital, rao: Doctor
) -> None:
    staff = join_cedar(asha, "content_manager")
    client = browser("cedar.localhost", asha)
    assert [client.get(address).status_code for address in (LIST, office(rao))] == [200, 200]
    with schema_context(cedar.schema_name):
        Staff.objects.filter(pk=staff.pk).update(role="front_desk")
    assert [client.get(address).status_code for address in (LIST, office(rao))] == [403, 403]


def test_an_applicant_has_no_profile_yet(cedar_hari: Client, in_cedar: Hospital, asha: User) -> None:
    applicant = applying.begin(user=asha)
    assert cedar_hari.get(office(applicant)).status_code == 404
    assert cedar_hari.get(f"/office/doctors/{uuid4()}/profile/").status_code == 404


def test_two_people_who_change_different_things_do_not_undo_each_other(
    in_cedar: Hospital, hari: User, rao: Doctor
) -> None:
    seen_by_hari = Doctor.objects.with_people().get(pk=rao.pk)
    profile.change(hospital=in_cedar, doctor=rao, profile=Profile(bio="Heart."), by=rao.user)
    profile.change(hospital=in_cedar, doctor=seen_by_hari, profile=Profile(fee_chat=Decimal(300)), by=hari)
    now_there = Doctor.objects.get(pk=rao.pk)
    assert (now_there.bio, now_there.fee_chat) == ("Heart.", Decimal(300))
