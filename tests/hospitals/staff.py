"""What the tests of the office's staff look at."""

from core.schemas import schema_context
from hospitals.models import Staff
from notifications.models import Notification
from tenants.models import Hospital

INDEX = "/office/staff/"


def address(staff: Staff, step: str = "") -> str:
    return f"{INDEX}{staff.code}/{step}"


def as_it_is(staff: Staff, hospital: Hospital) -> Staff:
    with schema_context(hospital.schema_name):
        return Staff.objects.select_related("user").get(pk=staff.pk)


def letters(hospital: Hospital, template: str) -> list[Notification]:
    with schema_context(hospital.schema_name):
        return list(Notification.objects.filter(template=template).order_by("pk"))


def link_in(letter: Notification) -> str:
    start = letter.text.index("/invitation/")
    return letter.text[start:].split()[0]
