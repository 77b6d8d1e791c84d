"""A list of doctors from a file: looked at first, then all of them or none."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from core.errors import Invalid
from core.schemas import schema_context
from hospitals.models import Department, Doctor, Staff
from hospitals.services.doctors import importing
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.hospitals.doctors import applied, begun, cardiology

IMPORT = "/office/doctors/import/"
HEADING = "email,name,specialization,qualifications,licence_number,experience_years,department,phone"


@pytest.fixture(autouse=True)
def department(in_cedar: Hospital, hari: User) -> Department:
    """Cedar's first department."""
    return cardiology(in_cedar, hari)


def row(number: int = 1, **cells: str) -> str:
    known = {
        "email": f"doctor{number}@example.com",
        "name": f"Doctor {number}",
        "specialization": "Heart",
        "qualifications": '"MBBS, MD"',
        "licence_number": f"MMC/{number:05}",
        "experience_years": "7",
        "department": "cardiology",
        "phone": "98450 12345",
    }
    return ",".join({**known, **cells}.values())


def text(*rows: str, heading: str = HEADING) -> str:
    return "\r\n".join([heading, *rows, ""])


def file(content: str | bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("doctors.csv", content if isinstance(content, bytes) else content.encode())


def faults(content: str) -> list[tuple[int, str]]:
    return [(fault.row, fault.field) for fault in importing.look(text=content).faults]


def counts(cedar: Hospital) -> tuple[int, int, int]:
    with schema_context(cedar.schema_name):
        mails = Notification.objects.filter(template="doctor_invited").count()
        return Doctor.objects.count(), Staff.objects.filter(role="doctor").count(), mails


def test_the_template_is_a_file_with_the_right_heading(cedar_hari: Client) -> None:
    response = cedar_hari.get(f"{IMPORT}template/")
    assert response["Content-Disposition"] == 'attachment; filename="doctors.csv"'
    assert response.content.startswith("\ufeffemail,name,".encode())
    with pytest.raises(Invalid, match="no doctor in this file"):
        importing.look(text=response.content.decode())


def test_a_file_is_looked_at_and_nothing_happens(cedar_hari: Client, cedar: Hospital) -> None:
    response = cedar_hari.post(IMPORT, {"csv": file(text(row(1), row(2)))})
    assert response.status_code == 200
    page = response.content.decode()
    assert "2 doctors, no fault" in page
    assert "doctor2@example.com" in page
    assert counts(cedar) == (0, 0, 0)


def test_the_second_press_invites_all_without_the_file(cedar_hari: Client, cedar: Hospital) -> None:
    looked = cedar_hari.post(IMPORT, {"csv": file(text(row(1), row(2, name="D’Souza “Bob”")))})
    assert 'name="text" value="email,' in looked.content.decode()
    kept = looked.context["text"]
    response = cedar_hari.post(IMPORT, {"text": kept, "confirm": "1"}, follow=True)
    assert b"2 doctors are invited by e-mail." in response.content
    assert counts(cedar) == (2, 2, 2)
    with schema_context(cedar.schema_name):
        doctor = Doctor.objects.select_related("user", "department").get(licence_number="MMC/00002")
        assert (str(doctor.user), str(doctor.user.phone)) == ("D’Souza “Bob”", "+919845012345")
        assert (doctor.qualifications, doctor.experience_years, doctor.status) == ("MBBS, MD", 7, "approved")
        assert str(doctor.department) == "Cardiology"
        assert AuditLog.objects.get(action=Action.DOCTORS_IMPORTED).data == {"doctors": 2}


def test_every_fault_is_told_with_its_row_and_column(cedar_hari: Client, cedar: Hospital) -> None:
    content = text(row(1, experience_years="many"), row(2), row(3, email="nobody", department="Surgery"))
    response = cedar_hari.post(IMPORT, {"csv": file(content)})
    assert response.status_code == 422
    found = [(fault.row, fault.field) for fault in response.context["found"].faults]
    assert found == [(2, "experience_years"), (4, "email"), (4, "department")]
    page = response.content.decode()
    assert "3 faults in the file" in page
    assert "There is no department “Surgery”." in page
    assert "confirm" not in page.split("<main", 1)[1]
    assert counts(cedar) == (0, 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        text(row(1)),
        "\ufeff" + text(row(1)),
        text(row(1)).replace("\r\n", "\n"),
        text(row(1).replace('"MBBS, MD"', "MBBS")).replace(",", ";"),
        text(row(1).replace('"MBBS, MD"', "MBBS")).replace(",", "\t"),
        "sep=;\r\n" + text(row(1).replace('"MBBS, MD"', "MBBS")).replace(",", ";"),
        text(row(1), "", ",,,,,,,"),
        text(row(1), heading=HEADING.replace("licence_number", "Licence number").upper()),
        text(row(1) + ",a note", heading=HEADING + ",Remarks"),
        text(row(1).rsplit(",", 1)[0], heading=HEADING.rsplit(",", 1)[0]),
    ],
    ids=["plain", "BOM", "unix", "semicolons", "tabs", "sep", "empty rows", "headings", "more columns", "no phone"],
)
def test_files_are_read_as_spreadsheets_write_them(content: str) -> None:
    found = importing.look(text=content)
    assert found.faults == []
    assert [one.email for one in found.invited] == ["doctor1@example.com"]


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"email": ""}, "email"),
        ({"email": "rao@"}, "email"),
        ({"name": ""}, "name"),
        ({"name": "N" * 121}, "name"),
        ({"name": "=HYPERLINK(1)"}, "name"),
        ({"specialization": "@SUM(1)"}, "specialization"),
        ({"qualifications": "+1"}, "qualifications"),
        ({"licence_number": "-2"}, "licence_number"),
        ({"name": "A\u202eB"}, "name"),
        ({"licence_number": ""}, "licence_number"),
        ({"experience_years": "-1"}, "experience_years"),
        ({"experience_years": "81"}, "experience_years"),
        ({"experience_years": "٧"}, "experience_years"),
        ({"department": ""}, "department"),
        ({"phone": "12"}, "phone"),
        ({"phone": "=1+1"}, "phone"),
    ],
)
def test_what_is_wrong_in_a_cell_is_told(cells: dict[str, str], field: str) -> None:
    assert faults(text(row(1, **cells))) == [(2, field)]


def test_what_stands_twice_in_the_file_is_told_with_the_earlier_row() -> None:
    content = text(row(1), row(2, email="DOCTOR1@example.com"), row(3, licence_number="mmc/00001"))
    found = importing.look(text=content).faults
    assert [(one.row, one.field, one.sentence) for one in found] == [
        (3, "email", "The same stands in row 2."),
        (4, "licence_number", "The same stands in row 2."),
    ]


def test_who_and_what_is_here_already_is_told(in_cedar: Hospital, hari: User) -> None:
    applied(in_cedar, factories.person("rao@example.com", "Vikram", "Rao"), licence_number="MMC/77777")
    taken = {"licence_number": "mmc/77777"}
    assert faults(text(row(1, email=hari.email), row(2, **taken))) == [(2, "email"), (3, "licence_number")]


def test_who_began_an_application_may_be_in_the_list(in_cedar: Hospital, asha: User) -> None:
    begun(in_cedar, asha, licence_number="MMC/77777")
    assert faults(text(row(1, email=asha.email, licence_number="mmc/77777"))) == []


def test_a_file_is_looked_at_with_the_same_number_of_queries(django_assert_num_queries: Any) -> None:
    factories.person("doctor0@example.com")
    for rows in (1, 60):
        content = text(*(row(number) for number in range(rows)))
        with django_assert_num_queries(5):  # people, staff, doctors, licences, departments
            importing.look(text=content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Choose the file"),
        (b"\n", "must name the columns"),
        (b"PK\x03\x04\x00\x00", "not a CSV file"),
        (text(row(1, name="Zoë")).encode("cp1252"), "not in Unicode"),
        (text(row(1)).encode("utf-16"), "not in Unicode"),
        (b"name,email\r\n", "missing: specialization"),
        (text().encode(), "no doctor in this file"),
        (b"x" * (importing.MAX_BYTES + 1), "larger than 256 KB"),
        (text(*(row(number) for number in range(501))).encode(), "More than 500 rows"),
        (f'{HEADING}\r\n"a{"b" * 140_000}'.encode(), "cannot be read"),
    ],
    ids=["empty", "blank", "zip", "cp1252", "utf-16", "columns", "heading only", "large", "long", "quote"],
)
def test_what_is_no_list_of_doctors_is_refused_at_the_file(
    cedar_hari: Client, cedar: Hospital, content: bytes, words: str
) -> None:
    response = cedar_hari.post(IMPORT, {"csv": file(content) if content else ""})
    assert response.status_code == 422
    assert words in str(response.context["form"].errors["csv"])
    assert counts(cedar) == (0, 0, 0)


def test_the_file_is_checked_anew_before_anybody_is_invited(
    cedar_hari: Client, cedar: Hospital, department: Department
) -> None:
    content = text(row(1), row(2))
    assert cedar_hari.post(IMPORT, {"csv": file(content)}).status_code == 200
    with schema_context(cedar.schema_name):
        Department.objects.filter(pk=department.pk).update(name="Heart")
    response = cedar_hari.post(IMPORT, {"text": content, "confirm": "1"})
    assert response.status_code == 422
    assert "Nobody was invited" in str(response.context["form"].errors["csv"])
    assert counts(cedar) == (0, 0, 0)


def test_one_refusal_takes_all_back(
    in_cedar: Hospital, hari: User, monkeypatch: pytest.MonkeyPatch, django_user_model: type[User]
) -> None:
    found = importing.look(text=text(row(1), row(2)))
    monkeypatch.setattr(importing, "look", lambda **_: found)
    applied(in_cedar, factories.person("rao@example.com"), licence_number="MMC/00002")
    with pytest.raises(Invalid, match="Doctor 2: .*licence number"):
        importing.run(hospital=in_cedar, text="", by=hari, now=now())
    assert counts(in_cedar) == (1, 0, 0)
    assert not django_user_model.objects.filter(email="doctor1@example.com").exists()


def test_the_stranger_imports_nothing(cedar_kiran: Client, cedar_site: Client, cedar: Hospital) -> None:
    assert cedar_kiran.get(IMPORT).status_code == 403
    assert cedar_kiran.get(f"{IMPORT}template/").status_code == 403
    assert cedar_kiran.post(IMPORT, {"text": text(row(1)), "confirm": "1"}).status_code == 403
    assert cedar_site.post(IMPORT, {"text": text(row(1)), "confirm": "1"}).status_code == 302
    assert counts(cedar) == (0, 0, 0)
