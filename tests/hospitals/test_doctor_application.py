"""A doctor applies: the pages, the documents, and what a doctor sees until the hospital has decided."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver
from django.utils.timezone import now

from accounts.models import User
from accounts.sessions import SUPPORT, SessionStore, Visit
from audit.models import Action, AuditLog
from core import documents
from core.errors import Conflict, NotAllowedNow
from core.schemas import schema_context
from hospitals.models import Department, Doctor, DoctorDocument, Staff
from hospitals.services.doctors import applying, reviewing
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.hospitals.doctors import applied, begun, cardiology, pdf, photo

JOIN = "/join/doctor/"
APPLICATION = "/doctor/application/"
DETAILS = {
    "specialization": "Cardiology",
    "qualifications": "MBBS, MD",
    "licence_number": "mmc/2012/04567",
    "experience_years": "12",
}
LICENCE = {"kind": "licence"}


@pytest.fixture
def cedar_asha(cedar: Hospital, asha: User) -> Client:
    """Asha, who is a doctor, on Cedar's site."""
    return browser("cedar.localhost", asha)


@pytest.fixture
def rao(db: None) -> User:
    """Dr Rao, another doctor."""
    return factories.person("rao@example.com", "Vikram", "Rao")


def mine(cedar: Hospital) -> Doctor:
    with schema_context(cedar.schema_name):
        return Doctor.objects.select_related("user", "department").get(user__email="asha@example.com")


def names(cedar: Hospital) -> list[str]:
    with schema_context(cedar.schema_name):
        return list(DoctorDocument.objects.order_by("pk").values_list("name", flat=True))


def test_the_way_in_leads_a_visitor_through_an_account_and_back(cedar_site: Client) -> None:
    page = cedar_site.get(JOIN).content.decode()
    assert "Work as a doctor at Cedar Hospital" in page
    assert "/sign-up/?next=%2Fdoctor%2Fapplication%2F" in page


def test_the_way_in_leads_somebody_signed_in_to_the_application(cedar_asha: Client) -> None:
    assert f'href="{APPLICATION}"' in cedar_asha.get(JOIN).content.decode()


def test_the_portal_has_no_such_pages(portal: Client) -> None:
    assert portal.get(JOIN).status_code == 404
    assert portal.get(APPLICATION).status_code == 404


def test_a_visitor_is_sent_to_sign_in(cedar_site: Client) -> None:
    assert cedar_site.get(APPLICATION)["Location"] == f"/sign-in/?next={APPLICATION}"


def test_looking_begins_nothing(cedar_asha: Client, cedar: Hospital) -> None:
    assert cedar_asha.get(APPLICATION).status_code == 200
    with schema_context(cedar.schema_name):
        assert not Doctor.objects.exists()


def test_what_is_there_is_saved_without_the_rest(cedar_asha: Client, cedar: Hospital) -> None:
    response = cedar_asha.post(APPLICATION, {"specialization": " Heart\tsurgery ", "save": "1"}, follow=True)
    assert b"Your application is saved." in response.content
    doctor = mine(cedar)
    assert (doctor.specialization, doctor.status, doctor.experience_years) == ("Heart surgery", "incomplete", None)
    assert "Heart surgery" in cedar_asha.get(APPLICATION).content.decode()


def test_a_licence_number_is_kept_in_capitals(cedar_asha: Client, cedar: Hospital) -> None:
    cedar_asha.post(APPLICATION, {**DETAILS, "save": "1"})
    assert mine(cedar).licence_number == "MMC/2012/04567"


def test_a_document_is_added_beside_what_was_typed(cedar_asha: Client, cedar: Hospital) -> None:
    response = cedar_asha.post(APPLICATION, {**DETAILS, **LICENCE, "document": pdf(), "add": "1"}, follow=True)
    assert b"licence.pdf is added." in response.content
    assert mine(cedar).specialization == "Cardiology"
    assert names(cedar) == ["licence.pdf"]


def test_a_document_is_kept_though_something_typed_is_refused(cedar_asha: Client, cedar: Hospital) -> None:
    wrong = {**DETAILS, "experience_years": "many", **LICENCE, "document": pdf(), "add": "1"}
    response = cedar_asha.post(APPLICATION, wrong)
    assert response.status_code == 422
    assert response.context["form"].errors["experience_years"] == ["Enter the years as a whole number, like 12."]
    page = response.content.decode()
    assert "licence.pdf" in page
    assert "MBBS, MD" in page  # what was typed is still there
    assert names(cedar) == ["licence.pdf"]


def test_what_was_typed_is_kept_though_the_document_is_refused(cedar_asha: Client, cedar: Hospital) -> None:
    page = SimpleUploadedFile("licence.pdf", b"<html><script>alert(1)</script>", content_type="application/pdf")
    response = cedar_asha.post(APPLICATION, {**DETAILS, **LICENCE, "document": page, "add": "1"})
    assert response.status_code == 422
    assert "neither a PDF nor a picture" in str(response.context["form"].errors["document"])
    assert mine(cedar).qualifications == "MBBS, MD"
    assert names(cedar) == []


def test_a_document_needs_what_it_shows(cedar_asha: Client, cedar: Hospital) -> None:
    response = cedar_asha.post(APPLICATION, {"document": pdf(), "add": "1"})
    assert "kind" in response.context["form"].errors
    response = cedar_asha.post(APPLICATION, {"kind": "degree", "add": "1"})
    assert response.context["form"].errors["document"] == ["Choose the file."]


def test_adding_nothing_is_refused_and_what_was_typed_is_kept(cedar_asha: Client, cedar: Hospital) -> None:
    response = cedar_asha.post(APPLICATION, {**DETAILS, "add": "1"})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"kind", "document"}
    assert mine(cedar).specialization == "Cardiology"


def test_a_document_is_stored_below_its_hospital_and_doctor(in_cedar: Hospital, asha: User) -> None:
    doctor = begun(in_cedar, asha)
    document = doctor.documents.get()
    assert document.path.startswith(f"{in_cedar.code}/doctors/{doctor.code}/")
    assert default_storage.exists(document.path)


def test_the_same_document_twice_is_refused(in_cedar: Hospital, asha: User) -> None:
    begun(in_cedar, asha)
    with pytest.raises(Conflict, match="in your list already"):
        applying.add_document(hospital=in_cedar, user=asha, document=documents.judge(pdf()), kind="other")


def test_twelve_documents_are_the_most(in_cedar: Hospital, asha: User) -> None:
    for width in range(1, 13):
        applying.add_document(hospital=in_cedar, user=asha, document=documents.judge(pdf(width=width)), kind="degree")
    with pytest.raises(NotAllowedNow, match="Twelve"):
        applying.add_document(hospital=in_cedar, user=asha, document=documents.judge(pdf(width=13)), kind="degree")


def test_a_removed_document_is_gone_from_the_storage_too(
    cedar_asha: Client, in_cedar: Hospital, asha: User, django_capture_on_commit_callbacks: Any
) -> None:
    document = begun(in_cedar, asha).documents.get()
    with django_capture_on_commit_callbacks(execute=True):
        response = cedar_asha.post(APPLICATION, {**DETAILS, "remove": document.code}, follow=True)
    assert b"licence.pdf is removed." in response.content
    assert names(in_cedar) == []
    assert not default_storage.exists(document.path)


def test_nobody_removes_anothers_document(cedar_asha: Client, in_cedar: Hospital, rao: User) -> None:
    document = begun(in_cedar, rao).documents.get()
    cedar_asha.post(APPLICATION, {"remove": document.code})
    assert names(in_cedar) == ["licence.pdf"]


def test_a_complete_application_is_sent_and_everybody_is_told(cedar_asha: Client, cedar: Hospital, hari: User) -> None:
    data = {**DETAILS, **LICENCE, "document": pdf(), "send": "1"}
    response = cedar_asha.post(APPLICATION, data, follow=True)
    page = response.content.decode()
    assert "Your application is sent." in page
    assert "Awaiting approval" in page
    assert 'name="specialization"' not in page
    doctor = mine(cedar)
    assert (doctor.status, bool(doctor.sent_at)) == ("pending", True)
    with schema_context(cedar.schema_name):
        told = dict(Notification.objects.values_list("to_address", "template"))
        assert told == {"asha@example.com": "doctor_application_sent", hari.email: "doctor_applied"}
        mail = Notification.objects.get(template="doctor_applied")
        assert f"cedar.localhost:8000/office/doctors/{doctor.code}/" in mail.text or str(doctor.code) in mail.text


def test_what_is_missing_is_named_at_every_field(cedar_asha: Client, cedar: Hospital) -> None:
    response = cedar_asha.post(APPLICATION, {"specialization": "Cardiology", "send": "1"})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"qualifications", "licence_number", "experience_years"}
    assert mine(cedar).specialization == "Cardiology"


def test_without_a_licence_nothing_is_sent_but_all_is_kept(cedar_asha: Client, cedar: Hospital) -> None:
    data = {**DETAILS, "kind": "degree", "document": photo(), "send": "1"}
    response = cedar_asha.post(APPLICATION, data)
    assert response.context["form"].errors["document"] == ["Add your licence to practise to the documents first."]
    assert mine(cedar).status == "incomplete"
    assert names(cedar) == ["degree.webp"]


def test_sending_twice_does_not_double(cedar_asha: Client, in_cedar: Hospital, asha: User) -> None:
    applied(in_cedar, asha)
    response = cedar_asha.post(APPLICATION, {**DETAILS, "send": "1"})
    assert response.status_code == 422
    assert "sent by Asha Patel" in response.content.decode()
    with schema_context(in_cedar.schema_name):
        assert Notification.objects.filter(template="doctor_applied").count() == 1
        assert AuditLog.objects.filter(action=Action.DOCTOR_SENT).count() == 1


def test_while_it_waits_only_documents_are_added(cedar_asha: Client, in_cedar: Hospital, asha: User) -> None:
    document = applied(in_cedar, asha).documents.get()
    cedar_asha.post(APPLICATION, {**DETAILS, "specialization": "Surgery", "save": "1"})
    assert mine(in_cedar).specialization == "Cardiology"
    response = cedar_asha.post(APPLICATION, {"remove": document.code})
    assert response.status_code == 422
    cedar_asha.post(APPLICATION, {"kind": "degree", "document": photo(), "add": "1"})
    assert names(in_cedar) == ["licence.pdf", "degree.webp"]


def test_what_the_hospital_asks_for_stands_above_the_form_and_it_is_sent_again(
    cedar_asha: Client, in_cedar: Hospital, asha: User, hari: User
) -> None:
    doctor = applied(in_cedar, asha)
    reviewing.ask(hospital=in_cedar, doctor=doctor, answer="Send the back of the licence.", by=hari)
    page = cedar_asha.get(APPLICATION).content.decode()
    assert "Send the back of the licence." in page
    assert "Send again" in page
    cedar_asha.post(APPLICATION, {**DETAILS, "kind": "licence", "document": photo(), "send": "1"})
    assert mine(in_cedar).status == "pending"


def test_a_rejected_doctor_reads_why_and_may_apply_again(
    cedar_asha: Client, in_cedar: Hospital, asha: User, hari: User
) -> None:
    doctor = applied(in_cedar, asha)
    reviewing.reject(hospital=in_cedar, doctor=doctor, reason="The licence has run out.", by=hari)
    assert "The licence has run out." in cedar_asha.get(APPLICATION).content.decode()
    cedar_asha.post(APPLICATION, {**DETAILS, "send": "1"})
    assert mine(in_cedar).status == "pending"


def test_an_approved_doctor_goes_to_work(cedar_asha: Client, in_cedar: Hospital, asha: User, hari: User) -> None:
    doctor = applied(in_cedar, asha)
    department = cardiology(in_cedar, hari)
    reviewing.approve(hospital=in_cedar, doctor=doctor, department=department, by=hari, now=now())
    assert cedar_asha.get(APPLICATION)["Location"] == "/start/"
    assert cedar_asha.get("/start/", follow=True).status_code == 200


def test_a_licence_number_that_another_doctor_has_is_refused_at_its_field(
    cedar_asha: Client, in_cedar: Hospital, rao: User
) -> None:
    applied(in_cedar, rao)
    response = cedar_asha.post(APPLICATION, {**DETAILS, "save": "1"})
    assert response.status_code == 422
    assert "licence_number" in response.context["form"].errors


def test_a_licence_number_that_somebody_only_typed_blocks_nobody(
    in_cedar: Hospital, asha: User, rao: User, hari: User
) -> None:
    begun(in_cedar, rao)
    doctor = applied(in_cedar, asha)
    with pytest.raises(Conflict, match="licence number") as refused:
        applying.send(hospital=in_cedar, user=rao, now=now())
    assert refused.value.field == "licence_number"
    reviewing.reject(hospital=in_cedar, doctor=doctor, reason="This is not their number.", by=hari)
    applying.send(hospital=in_cedar, user=rao, now=now())
    assert Doctor.objects.get(user=rao).status == "pending"


def test_the_department_is_a_wish_among_those_patients_see(cedar_asha: Client, in_cedar: Hospital, hari: User) -> None:
    department = cardiology(in_cedar, hari)
    closed = cardiology(in_cedar, hari, name="Old wing")
    with schema_context(in_cedar.schema_name):
        Department.objects.filter(pk=closed.pk).update(is_active=False)
    assert "Old wing" not in cedar_asha.get(APPLICATION).content.decode()
    cedar_asha.post(APPLICATION, {"department": department.code, "save": "1"})
    assert mine(in_cedar).department == department


@pytest.mark.parametrize("role", ["nurse", "front_desk", "pharmacist", "billing_clerk"])
def test_staff_in_another_role_cannot_apply(
    cedar_asha: Client, asha: User, cedar: Hospital, join_cedar: Callable[[User, str], Staff], role: str
) -> None:
    join_cedar(asha, role)
    page = cedar_asha.get(APPLICATION).content.decode()
    assert "You work here already, as" in page
    assert "<form" not in page.split("<main", 1)[1].split("</main", 1)[0]
    assert cedar_asha.post(APPLICATION, {**DETAILS, "save": "1"}).status_code == 422
    with schema_context(cedar.schema_name):
        assert not Doctor.objects.exists()


def test_the_admin_may_be_a_doctor(cedar_hari: Client, cedar: Hospital) -> None:
    cedar_hari.post(APPLICATION, {**DETAILS, **LICENCE, "document": pdf(), "send": "1"})
    with schema_context(cedar.schema_name):
        assert Doctor.objects.get().status == "pending"
        assert not Notification.objects.filter(template="doctor_applied").exists()  # nobody is told of themselves


def test_signing_in_leads_an_applicant_to_the_application(cedar_asha: Client, in_cedar: Hospital, asha: User) -> None:
    assert cedar_asha.get("/start/")["Location"] == "/"
    with schema_context(in_cedar.schema_name):
        begun(in_cedar, asha)
    assert cedar_asha.get("/start/")["Location"] == APPLICATION


def test_a_waiting_doctor_sees_nothing_of_the_office(cedar_asha: Client, in_cedar: Hospital, asha: User) -> None:
    applied(in_cedar, asha)
    office = [
        f"/{pattern.pattern}"
        for resolver in get_resolver("rhms.urls_hospital").url_patterns
        for pattern in getattr(resolver, "url_patterns", [])
        if str(pattern.pattern).startswith("office/") and "<" not in str(pattern.pattern)
    ]
    assert len(office) > 8
    answers = {path: cedar_asha.get(path).status_code for path in office}
    only_posted_to = [path for path, status in answers.items() if status == 405]
    answers |= {path: cedar_asha.post(path).status_code for path in only_posted_to}
    assert answers == dict.fromkeys(office, 403)


def test_the_doctor_looks_at_a_document_and_nothing_in_it_runs(
    cedar_asha: Client, in_cedar: Hospital, asha: User
) -> None:
    document = begun(in_cedar, asha).documents.get()
    response = cedar_asha.get(f"/doctor/documents/{document.code}/")
    assert b"".join(response).startswith(b"%PDF-")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'inline; filename="licence.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "private, no-store"


def test_the_admin_sees_documents_once_they_are_sent(cedar_hari: Client, in_cedar: Hospital, asha: User) -> None:
    document = begun(in_cedar, asha).documents.get()
    address = f"/doctor/documents/{document.code}/"
    assert cedar_hari.get(address).status_code == 404
    with schema_context(in_cedar.schema_name):
        applying.send(hospital=in_cedar, user=asha, now=now())
    response = cedar_hari.get(address)
    assert response.status_code == 200
    response.close()


def test_documents_are_for_nobody_else(
    cedar_site: Client,
    cedar_kiran: Client,
    in_cedar: Hospital,
    asha: User,
    rao: User,
    kiran: User,
    usha: User,
    join_cedar: Callable[[User, str], Staff],
) -> None:
    document = applied(in_cedar, asha).documents.get()
    address = f"/doctor/documents/{document.code}/"
    meena = factories.person("meena@cedar.example", "Meena", "Iyer")
    join_cedar(meena, "front_desk")
    assert cedar_site.get(address)["Location"] == f"/sign-in/?next={address}"
    assert cedar_kiran.get(address).status_code == 404
    for stranger in (rao, meena, usha):
        assert browser("cedar.localhost", stranger).get(address).status_code == 404
    assert browser("lotus.localhost", kiran).get(address).status_code == 404
    assert browser("lotus.localhost", asha).get(address).status_code == 404
    assert browser("localhost", usha).get(address).status_code == 404
    assert cedar_kiran.get(f"/doctor/documents/{uuid4()}/").status_code == 404


def test_who_acts_as_support_sees_no_documents(
    cedar_hari: Client, in_cedar: Hospital, asha: User, hari: User, usha: User
) -> None:
    document = applied(in_cedar, asha).documents.get()
    session = SessionStore(cedar_hari.cookies["sessionid"].value)
    session.visit = Visit(place=str(in_cedar.code), host="cedar.localhost")
    session[SUPPORT] = {"by": usha.pk, "name": str(usha)}
    session.save()
    assert cedar_hari.get("/office/departments/").status_code == 200
    for path in ("/doctor/documents/", "/api/doctors/documents/", "/office/doctors/", "/api/doctors/applications/"):
        assert cedar_hari.get(f"{path}{document.code}/").status_code == 403
    assert cedar_hari.get(APPLICATION).status_code == 403


def test_a_document_whose_file_is_lost_is_not_found(cedar_asha: Client, in_cedar: Hospital, asha: User) -> None:
    document = begun(in_cedar, asha).documents.get()
    documents.delete(document.path)
    assert cedar_asha.get(f"/doctor/documents/{document.code}/").status_code == 404


def test_the_log_says_which_fields_changed_not_what_they_hold(in_cedar: Hospital, asha: User) -> None:
    begun(in_cedar, asha)
    row = AuditLog.objects.get(action=Action.DOCTOR_CHANGED)
    assert "licence_number" in row.data["fields"]
    assert "04567" not in str(row.data)
