"""The office's doctors: the queue, deciding, departments, inviting."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from core.errors import Conflict, NotAllowedNow
from core.schemas import schema_context
from hospitals.models import Department, Doctor, Invitation, Staff
from hospitals.services.doctors import inviting, reviewing
from hospitals.services.doctors.inviting import Invited
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.hospitals.doctors import applied, begun, cardiology, details

INDEX = "/office/doctors/"
INVITE = f"{INDEX}invite/"
STEPS = ("approve/", "ask/", "reject/", "department/")


@pytest.fixture
def department(in_cedar: Hospital, hari: User) -> Department:
    """Cedar's first department."""
    return cardiology(in_cedar, hari)


@pytest.fixture
def doctor(in_cedar: Hospital, asha: User, department: Department) -> Doctor:
    """Asha's application at Cedar."""
    return applied(in_cedar, asha, department=department)


def address(doctor: Doctor, step: str = "") -> str:
    return f"{INDEX}{doctor.code}/{step}"


def again(cedar: Hospital, doctor: Doctor) -> Doctor:
    with schema_context(cedar.schema_name):
        return Doctor.objects.with_people().get(pk=doctor.pk)


def staff_of(cedar: Hospital, user: User) -> list[tuple[str, bool, bool]]:
    with schema_context(cedar.schema_name):
        return [(row.role, row.is_active, bool(row.joined_at)) for row in Staff.objects.filter(user=user)]


def last_mail(cedar: Hospital, template: str) -> Notification:
    with schema_context(cedar.schema_name):
        return Notification.objects.filter(template=template).latest("pk")


def test_with_nobody_waiting_the_page_says_so(cedar_hari: Client) -> None:
    page = cedar_hari.get(INDEX).content.decode()
    assert "Nobody is waiting" in page
    assert f'href="{INVITE}"' in page


def test_the_menu_leads_there(cedar_hari: Client) -> None:
    page = cedar_hari.get("/start/").content.decode()
    assert f'href="{INDEX}"' in page
    assert "await your approval" not in page


def test_the_start_page_says_who_waits(cedar_hari: Client, doctor: Doctor) -> None:
    assert "await your approval" in cedar_hari.get("/start/").content.decode()


def test_the_public_site_leads_doctors_in(cedar_site: Client) -> None:
    assert 'href="/join/doctor/"' in cedar_site.get("/").content.decode()


def test_who_waits_stands_in_the_list(cedar_hari: Client, doctor: Doctor) -> None:
    page = cedar_hari.get(INDEX).content.decode()
    assert "Asha Patel" in page
    assert "MMC/2012/04567" in page
    assert "Awaiting approval" in page


def test_what_is_not_sent_is_nobodys_business(cedar_hari: Client, in_cedar: Hospital, asha: User) -> None:
    doctor = begun(in_cedar, asha)
    assert "Asha" not in cedar_hari.get(f"{INDEX}?status=all").content.decode()
    assert cedar_hari.get(address(doctor)).status_code == 404


def test_tabs_and_search_narrow_the_list(cedar_hari: Client, doctor: Doctor) -> None:
    assert b"Asha Patel" in cedar_hari.get(f"{INDEX}?q=MMC/2012").content
    assert b"Asha Patel" in cedar_hari.get(f"{INDEX}?status=all&q=asha").content
    assert "Nothing here matches “surgery”" in cedar_hari.get(f"{INDEX}?q=surgery").content.decode()
    for status, words in (
        ("approved", "No doctor yet"),
        ("more_asked", "Nothing is asked of anybody"),
        ("rejected", "No application was rejected"),
    ):
        page = cedar_hari.get(f"{INDEX}?status={status}").content.decode()
        assert words in page
        assert "Asha Patel" not in page


def test_htmx_gets_only_the_rows(cedar_hari: Client, doctor: Doctor) -> None:
    response = cedar_hari.get(INDEX, headers={"HX-Request": "true"})
    assert b"Asha Patel" in response.content
    assert b"<html" not in response.content


def test_the_list_has_ten_on_a_page_and_the_same_number_of_queries(
    cedar_hari: Client, in_cedar: Hospital, department: Department, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        user = factories.person(f"doctor{number}@example.com", f"Doctor{number:02}", "Sen")
        applied(in_cedar, user, licence_number=f"MMC/{number}", department=department)
    page = cedar_hari.get(INDEX).content.decode()
    assert "Doctor09" in page
    assert "Doctor10" not in page
    with django_assert_num_queries(6):  # session, person, staff row, tabs, count, rows
        cedar_hari.get(INDEX)


def test_the_documents_stand_beside_the_profile(cedar_hari: Client, doctor: Doctor) -> None:
    page = cedar_hari.get(address(doctor)).content.decode()
    with schema_context(doctor_schema(cedar_hari)):
        document = doctor.documents.get()
    assert f'href="/doctor/documents/{document.code}/"' in page
    assert "Licence to practise" in page
    assert "MBBS, MD" in page
    assert f'<option value="{doctor.department.code}" selected' in page  # type: ignore[union-attr]


def doctor_schema(client: Client) -> str:
    return Hospital.objects.get(slug=client.defaults["HTTP_HOST"].split(".")[0]).schema_name


def test_approving_lets_the_doctor_in_and_tells_them(
    cedar_hari: Client, cedar: Hospital, doctor: Doctor, department: Department, asha: User, hari: User
) -> None:
    response = cedar_hari.post(address(doctor, "approve/"), {"department": department.code}, follow=True)
    page = response.content.decode()
    assert "Asha Patel is verified and is told so." in page
    assert "Verified" in page
    now_is = again(cedar, doctor)
    assert (now_is.status, now_is.verified_by, now_is.department) == ("approved", hari, department)
    assert staff_of(cedar, asha) == [("doctor", True, True)]
    assert "Cardiology" in last_mail(cedar, "doctor_approved").text
    assert browser("cedar.localhost", asha).get("/start/", follow=True).status_code == 200
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.DOCTOR_APPROVED, user=hari).count() == 1


def test_a_doctor_is_not_approved_without_a_department(cedar_hari: Client, cedar: Hospital, doctor: Doctor) -> None:
    response = cedar_hari.post(address(doctor, "approve/"), {"department": ""})
    assert response.status_code == 422
    assert response.context["form"].errors["department"] == ["Choose a department."]
    assert again(cedar, doctor).status == "pending"


def test_a_department_of_another_hospital_is_none_of_ours(
    cedar_hari: Client, cedar: Hospital, lotus: Hospital, kiran: User, doctor: Doctor
) -> None:
    with schema_context(lotus.schema_name):
        theirs = cardiology(lotus, kiran)
    for code in (theirs.code, uuid4(), "x"):
        assert cedar_hari.post(address(doctor, "approve/"), {"department": code}).status_code == 422
    assert again(cedar, doctor).status == "pending"


def test_asking_for_more_hands_it_back_with_the_words(cedar_hari: Client, cedar: Hospital, doctor: Doctor) -> None:
    words = "Send the back\nof the licence."
    response = cedar_hari.post(address(doctor, "ask/"), {"answer": words}, follow=True)
    assert b"Asha Patel is told what is missing." in response.content
    assert (again(cedar, doctor).status, again(cedar, doctor).answer) == ("more_asked", words)
    assert words in last_mail(cedar, "doctor_more_asked").text


def test_rejecting_says_why(cedar_hari: Client, cedar: Hospital, doctor: Doctor, asha: User) -> None:
    cedar_hari.post(address(doctor, "reject/"), {"reason": "The licence has run out."})
    assert again(cedar, doctor).status == "rejected"
    assert staff_of(cedar, asha) == []
    assert "The licence has run out." in last_mail(cedar, "doctor_rejected").text


@pytest.mark.parametrize(("step", "field"), [("ask/", "answer"), ("reject/", "reason")])
def test_a_step_with_words_needs_them(
    cedar_hari: Client, cedar: Hospital, doctor: Doctor, step: str, field: str
) -> None:
    response = cedar_hari.post(address(doctor, step), {field: "ab"})
    assert response.status_code == 422
    assert ">ab</textarea>" in response.content.decode()
    assert again(cedar, doctor).status == "pending"


def test_the_second_admin_reads_who_was_first_and_keeps_the_words(
    cedar_hari: Client, in_cedar: Hospital, doctor: Doctor, department: Department, hari: User
) -> None:
    reviewing.approve(hospital=in_cedar, doctor=doctor, department=department, by=hari, now=now())
    response = cedar_hari.post(address(doctor, "reject/"), {"reason": "Looks forged to me"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "Doctor approved by Hari Rao" in page
    assert "Looks forged to me" in page
    assert again(in_cedar, doctor).status == "approved"


def test_a_step_read_before_somebody_else_took_one_loses(
    in_cedar: Hospital, doctor: Doctor, department: Department, hari: User
) -> None:
    stale = Doctor.objects.with_people().get(pk=doctor.pk)
    reviewing.reject(hospital=in_cedar, doctor=doctor, reason="No", by=hari)
    with pytest.raises(Conflict, match="Doctor rejected by Hari Rao"):
        reviewing.approve(hospital=in_cedar, doctor=stale, department=department, by=hari, now=now())
    assert not Staff.objects.filter(user=doctor.user).exists()


def test_an_application_that_was_not_sent_cannot_be_decided(
    in_cedar: Hospital, asha: User, department: Department, hari: User
) -> None:
    with pytest.raises(NotAllowedNow):
        reviewing.approve(hospital=in_cedar, doctor=begun(in_cedar, asha), department=department, by=hari, now=now())


def test_an_admin_who_is_a_doctor_stays_the_admin(in_cedar: Hospital, hari: User, department: Department) -> None:
    doctor = applied(in_cedar, hari)
    reviewing.approve(hospital=in_cedar, doctor=doctor, department=department, by=hari, now=now())
    assert staff_of(in_cedar, hari) == [("hospital_admin", True, True)]
    assert Doctor.objects.get(user=hari).is_verified


@pytest.mark.parametrize(
    ("role", "is_active", "is_in"), [("nurse", False, True), ("doctor", False, True), ("nurse", True, False)]
)
def test_a_role_that_does_not_count_becomes_the_doctors(
    in_cedar: Hospital, doctor: Doctor, department: Department, hari: User, role: str, is_active: bool, is_in: bool
) -> None:
    Staff.objects.create(user=doctor.user, role=role, is_active=is_active, joined_at=now() if is_in else None)
    reviewing.approve(hospital=in_cedar, doctor=doctor, department=department, by=hari, now=now())
    assert staff_of(in_cedar, doctor.user) == [("doctor", True, True)]


def test_somebody_who_became_a_nurse_meanwhile_is_not_approved(
    in_cedar: Hospital, doctor: Doctor, department: Department, hari: User
) -> None:
    Staff.objects.create(user=doctor.user, role="nurse", joined_at=now())
    with pytest.raises(Conflict, match="works here as Nurse now"):
        reviewing.approve(hospital=in_cedar, doctor=doctor, department=department, by=hari, now=now())
    assert again(in_cedar, doctor).status == "pending"


def test_a_verified_doctor_moves_to_another_department(
    cedar_hari: Client, in_cedar: Hospital, doctor: Doctor, department: Department, hari: User
) -> None:
    reviewing.approve(hospital=in_cedar, doctor=doctor, department=department, by=hari, now=now())
    other = cardiology(in_cedar, hari, name="Radiology")
    response = cedar_hari.post(address(doctor, "department/"), {"department": other.code}, follow=True)
    assert b"The department of Asha Patel is saved." in response.content
    assert again(in_cedar, doctor).department == other
    with schema_context(in_cedar.schema_name):
        assert AuditLog.objects.about(doctor).newest_first()[0].data == {"department": ["Cardiology", "Radiology"]}


def test_only_a_verified_doctor_moves(cedar_hari: Client, in_cedar: Hospital, doctor: Doctor, hari: User) -> None:
    other = cardiology(in_cedar, hari, name="Radiology")
    assert cedar_hari.post(address(doctor, "department/"), {"department": other.code}).status_code == 422
    assert again(in_cedar, doctor).department != other


def test_a_department_with_doctors_is_not_deleted(cedar_hari: Client, doctor: Doctor, department: Department) -> None:
    response = cedar_hari.post(f"/office/departments/{department.code}/delete/")
    assert response.status_code == 409


@pytest.mark.parametrize("step", STEPS)
def test_steps_are_not_links_and_need_a_doctor(cedar_hari: Client, doctor: Doctor, step: str) -> None:
    assert cedar_hari.get(address(doctor, step)).status_code == 405
    assert cedar_hari.post(f"{INDEX}{uuid4()}/{step}").status_code == 404


def test_nobody_but_the_admin_decides(
    cedar_site: Client,
    cedar_kiran: Client,
    cedar: Hospital,
    doctor: Doctor,
    kiran: User,
    usha: User,
    asha: User,
    join_cedar: Callable[[User, str], Staff],
) -> None:
    meena = factories.person("meena@cedar.example", "Meena", "Iyer")
    join_cedar(meena, "front_desk")
    for client in (cedar_kiran, *(browser("cedar.localhost", one) for one in (usha, asha, meena))):
        for page in (INDEX, INVITE, address(doctor)):
            assert client.get(page).status_code == 403
        for step in STEPS:
            assert client.post(address(doctor, step)).status_code == 403
    lotus_kiran = browser("lotus.localhost", kiran)
    assert lotus_kiran.get(address(doctor)).status_code == 404
    assert lotus_kiran.post(address(doctor, "reject/"), {"reason": "Because"}).status_code == 404
    assert cedar_site.get(INDEX)["Location"] == f"/sign-in/?next={INDEX}"
    assert again(cedar, doctor).status == "pending"


def invitation(department: Department, **fields: str) -> dict[str, Any]:
    return {
        "name": "Vikram Rao",
        "email": "rao@example.com",
        "phone": "98450 12345",
        "specialization": "Cardiology",
        "qualifications": "MBBS, MD",
        "licence_number": "mmc/2001/00001",
        "experience_years": "24",
        "department": department.code,
        **fields,
    }


def test_an_invited_doctor_is_verified_and_comes_in_by_the_link(
    cedar_hari: Client, cedar_site: Client, cedar: Hospital, department: Department, hari: User
) -> None:
    response = cedar_hari.post(INVITE, invitation(department), follow=True)
    assert b"Vikram Rao is invited by e-mail." in response.content
    rao = User.objects.get(email="rao@example.com")
    assert staff_of(cedar, rao) == [("doctor", True, False)]
    with schema_context(cedar.schema_name):
        doctor = Doctor.objects.get(user=rao)
        assert (doctor.status, doctor.verified_by, doctor.licence_number) == ("approved", hari, "MMC/2001/00001")
        mail = last_mail(cedar, "doctor_invited")
    assert mail.is_secret
    link = next(word for word in mail.text.split() if "/invitation/" in word)
    path = "/invitation/" + link.split("/invitation/")[1]
    response = cedar_site.post(path, {"password": "correct-horse-9"})
    assert response.status_code == 302
    assert staff_of(cedar, rao) == [("doctor", True, True)]
    assert cedar_site.get("/start/", follow=True).status_code == 200


def test_every_field_of_an_invitation_is_needed_but_the_telephone(cedar_hari: Client, department: Department) -> None:
    response = cedar_hari.post(INVITE, {})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == set(invitation(department)) - {"phone"}


def test_somebody_who_is_here_already_is_not_invited(
    cedar_hari: Client,
    in_cedar: Hospital,
    department: Department,
    doctor: Doctor,
    hari: User,
    join_cedar: Callable[[User, str], Staff],
) -> None:
    meena = factories.person("meena@cedar.example", "Meena", "Iyer")
    join_cedar(meena, "front_desk")
    gone = factories.person("gone@cedar.example", "Gita", "Nair")
    Staff.objects.create(user=gone, role="nurse", is_active=False, joined_at=now())
    closed = factories.person("closed@example.com", "Carla", "Pinto")
    User.objects.filter(pk=closed.pk).update(is_active=False)
    for email, sentence in (
        (meena.email, "works here already"),
        (gone.email, "was deactivated here"),
        (hari.email, "is an admin here"),
        (doctor.user.email.upper(), "has applied"),
        (closed.email, "has closed the account"),
    ):
        response = cedar_hari.post(INVITE, invitation(department, email=email))
        assert response.status_code == 422
        assert sentence in str(response.context["form"].errors["email"])


def test_inviting_twice_is_refused_and_a_taken_licence_at_its_field(cedar_hari: Client, department: Department) -> None:
    cedar_hari.post(INVITE, invitation(department))
    response = cedar_hari.post(INVITE, invitation(department))
    assert "is invited already" in str(response.context["form"].errors["email"])
    response = cedar_hari.post(INVITE, invitation(department, email="sen@example.com"))
    assert list(response.context["form"].errors) == ["licence_number"]
    assert not User.objects.filter(email="sen@example.com").exists()


def test_who_began_an_application_may_be_invited(
    in_cedar: Hospital, asha: User, department: Department, hari: User
) -> None:
    begun(in_cedar, asha)
    known = Invited(asha.email, "Somebody Else", details=details(department=department))
    doctor = inviting.invite(hospital=in_cedar, invited=known, by=hari, now=now())
    assert (doctor.status, str(doctor.user)) == ("approved", "Asha Patel")
    assert Invitation.objects.filter(staff__user=asha).count() == 1
