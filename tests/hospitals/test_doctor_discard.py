"""An application that nobody has seen can be thrown away by whose it is; nobody uploads without end."""

from contextlib import suppress

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from accounts.models import User
from audit.models import Action, AuditLog
from core import documents
from core.errors import Conflict, TooMany
from core.schemas import schema_context
from hospitals.models import Doctor
from hospitals.services.doctors import applying
from tenants.models import Hospital
from tests.conftest import browser
from tests.hospitals.doctors import applied, begun, pdf

PAGE = "/doctor/application/"
API = "/api/doctors/application/"


def test_it_is_gone_with_its_documents_and_the_log_says_so(
    in_cedar: Hospital, asha: User, django_capture_on_commit_callbacks: object
) -> None:
    path = begun(in_cedar, asha).documents.get().path
    client = browser("cedar.localhost", asha)
    assert b"Discard it" in client.get(PAGE).content
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        answer = client.post(PAGE, {"discard": "1"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    with schema_context(in_cedar.schema_name):
        assert not Doctor.objects.filter(user=asha).exists()
        assert AuditLog.objects.filter(action=Action.DOCTOR_DISCARDED, user=asha).exists()
    assert not default_storage.exists(path)
    assert client.get("/start/")["Location"] == "/"


def test_one_that_was_sent_stays(in_cedar: Hospital, asha: User) -> None:
    applied(in_cedar, asha)
    client = browser("cedar.localhost", asha)
    assert b"Discard it" not in client.get(PAGE).content
    assert client.post(PAGE, {"discard": "1"}).status_code == 409
    assert client.delete(API).status_code == 409
    with schema_context(in_cedar.schema_name):
        assert Doctor.objects.filter(user=asha).exists()


def test_the_api_discards_too_and_twice_is_no_fault(in_cedar: Hospital, asha: User, cedar_hari: Client) -> None:
    begun(in_cedar, asha)
    assert cedar_hari.delete(API).status_code == 204
    with schema_context(in_cedar.schema_name):
        assert Doctor.objects.filter(user=asha).exists(), "another's application is not touched"
    client = browser("cedar.localhost", asha)
    assert client.delete(API).status_code == 204
    assert client.delete(API).status_code == 204
    assert client.get(API).status_code == 404


def test_uploading_without_end_is_stopped_for_a_while(in_cedar: Hospital, asha: User) -> None:
    for number in range(30):
        kept = applying.add_document(
            hospital=in_cedar, user=asha, document=documents.judge(pdf(width=200 + number)), kind="other"
        )
        applying.remove_document(document=kept, by=asha)
    for _again in range(30):
        with suppress(Conflict):
            applying.add_document(hospital=in_cedar, user=asha, document=documents.judge(pdf()), kind="other")
    with pytest.raises(TooMany):
        applying.add_document(hospital=in_cedar, user=asha, document=documents.judge(pdf(width=999)), kind="other")
