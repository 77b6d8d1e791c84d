"""The outbox delivers through a real mail server, retries when it must, and sends nothing twice."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import translation
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from core.errors import NotAllowedNow
from core.schemas import schema_context
from notifications import services, tasks
from notifications.models import Notification, State
from tenants import services as tenants
from tenants.models import Hospital
from tests.broker import broker_down, queued
from tests.fakes.smtp import MailServer, mail_server


@pytest.fixture
def mails(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
        yield server


def write(**fields: Any) -> Notification:
    with transaction.atomic():
        return services.notify(
            **{
                "to_address": "asha@example.com",
                "to_name": "Asha Patel, Pune",
                "template": "invitation",
                "subject": "Cedar is open: your invitation",
                "brand_name": "Cedar Hospital",
                "accent": "#0b6e6e",
                "context": {
                    "hospital_name": "Cedar Hospital",
                    "link": "http://cedar.localhost:8000/invitation/a-secret-token/",
                    "until": "Tuesday 15 June 2027, 10:00",
                    "invited_by": "RHMS",
                },
                **fields,
            }
        )


def test_a_message_arrives_branded_as_text_and_html(db: None, mails: MailServer) -> None:
    message = write()
    services.deliver(notification_id=message.pk)

    [mail] = mails.mails
    assert mail["To"] == '"Asha Patel, Pune" <asha@example.com>'
    assert mail["Subject"] == "Cedar is open: your invitation"
    assert mail["Message-ID"] == f"<{message.code}@localhost>"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    for body in (plain.get_content(), html.get_content()):
        assert "Cedar Hospital" in body
        assert "http://cedar.localhost:8000/invitation/a-secret-token/" in body
    assert "#0b6e6e" in html.get_content()
    message.refresh_from_db()
    assert (message.state, message.attempts, message.last_error) == (State.SENT, 1, "")


def test_a_message_waits_as_what_its_template_is_told_and_is_kept_as_it_was_sent(db: None, mails: MailServer) -> None:
    message = write()
    assert (message.sent_text, message.sent_html) == ("", "")
    assert "until Tuesday 15 June 2027, 10:00" in message.text  # as it would be sent
    before = (message.text, message.html)
    services.deliver(notification_id=message.pk)

    Notification.objects.update(template="no_account")  # another release has changed the template
    message.refresh_from_db()
    assert (message.text, message.html) == before
    assert (message.sent_text, message.sent_html, message.facts) == (*before, {})


def test_a_message_is_sent_in_the_language_in_which_it_was_written(db: None, mails: MailServer) -> None:
    with translation.override("ar"):
        message = write()
    with translation.override("en-gb"):
        services.deliver(notification_id=message.pk)
    message.refresh_from_db()
    assert 'lang="ar" dir="rtl"' in message.html


def test_a_letter_whose_template_is_not_there_is_tried_again(db: None, mails: MailServer) -> None:
    message = write(template="of_a_later_release")
    services.deliver(notification_id=message.pk)
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.WAITING, 1)
    assert "TemplateDoesNotExist: emails/of_a_later_release.txt" in message.last_error
    Notification.objects.filter(pk=message.pk).update(template="invitation")
    services.deliver(notification_id=message.pk, now=message.next_attempt_at)
    assert len(mails.mails) == 1


def test_a_message_that_was_sent_is_not_sent_again(db: None, mails: MailServer) -> None:
    message = write()
    services.deliver(notification_id=message.pk)
    services.deliver(notification_id=message.pk)
    assert len(mails.mails) == 1


def test_eight_workers_at_once_send_one_message(committed: None, mails: MailServer) -> None:
    message = write()

    def deliver(_: int) -> None:
        try:
            services.deliver(notification_id=message.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(deliver, range(8)))
    assert len(mails.mails) == 1


def test_a_one_time_link_is_not_kept_after_delivery(db: None, mails: MailServer) -> None:
    message = write(is_secret=True)
    services.deliver(notification_id=message.pk)
    message.refresh_from_db()
    assert (message.text, message.html, message.facts) == ("", "", {})


def test_the_demo_keeps_the_link_so_that_it_can_be_followed(db: None, mails: MailServer, settings: Any) -> None:
    settings.DEBUG = True
    message = write(is_secret=True)
    services.deliver(notification_id=message.pk)
    message.refresh_from_db()
    assert "a-secret-token" in message.text


def test_a_dead_mail_server_means_a_later_try(db: None, settings: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = unused.getsockname()
        message = write()
        moment = now()
        services.deliver(notification_id=message.pk, now=moment)
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.WAITING, 1)
    assert "ConnectionRefusedError" in message.last_error
    assert message.next_attempt_at == moment + timedelta(minutes=1)


def test_waiting_grows_and_then_a_person_has_to_look(db: None, mails: MailServer) -> None:
    mails.refuse = "451 Try later"
    message = write()
    moment, waits = now(), []
    while message.state == State.WAITING:
        services.deliver(notification_id=message.pk, now=moment)
        message.refresh_from_db()
        waits.append(message.next_attempt_at - moment)
        moment = message.next_attempt_at
    assert waits[: len(services.BACKOFF)] == services.BACKOFF
    assert message.state == State.FAILED
    assert "451" in message.last_error


def test_a_failed_message_can_be_sent_again_and_that_is_recorded(db: None, mails: MailServer, usha: User) -> None:
    message = write()
    Notification.objects.filter(pk=message.pk).update(state=State.FAILED, attempts=7, last_error="no")
    services.retry(message=message, by=usha, now=now())
    services.deliver(notification_id=message.pk)
    assert len(mails.mails) == 1
    assert AuditLog.objects.about(message).get().action == Action.MESSAGE_RETRIED


def test_a_message_that_has_not_failed_is_not_sent_again_by_hand(db: None, usha: User) -> None:
    with pytest.raises(NotAllowedNow, match="Only a failed message"):
        services.retry(message=write(), by=usha, now=now())


def test_a_messenger_that_died_while_sending_is_replaced_after_its_lease(db: None, mails: MailServer) -> None:
    message = write()
    moment = now()
    Notification.objects.filter(pk=message.pk).update(state=State.SENDING, next_attempt_at=moment + services.LEASE)
    services.deliver(notification_id=message.pk, now=moment + timedelta(minutes=1))
    assert not mails.mails
    services.deliver(notification_id=message.pk, now=moment + services.LEASE)
    assert len(mails.mails) == 1


def test_a_message_of_a_change_that_was_rolled_back_never_existed(committed: None) -> None:
    class ChangedMyMindError(Exception):
        pass

    with pytest.raises(ChangedMyMindError), transaction.atomic():
        write()
        raise ChangedMyMindError
    assert not Notification.objects.filter(to_address="asha@example.com").exists()


def test_the_task_is_queued_at_commit_for_the_hospital_that_was_active(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    queued()
    with schema_context(cedar.schema_name):
        message = write()
    expected = {"schema": cedar.schema_name, "notification_id": message.pk}
    assert queued() == [{"task": "notifications.deliver", "arguments": expected}]


def test_with_the_broker_down_the_change_is_kept_and_the_sweep_finds_the_message(
    committed: None, mails: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with broker_down(), schema_context(cedar.schema_name):
        message = write()
    assert "The broker did not take notifications.deliver" in caplog.text
    queued()

    tasks.sweep(schema="public")

    swept = [entry["arguments"] for entry in queued() if entry["arguments"]["schema"] == cedar.schema_name]
    assert swept == [{"schema": cedar.schema_name, "notification_id": message.pk}]
    tasks.deliver(**swept[0])
    assert len(mails.mails) == 1
    with schema_context(cedar.schema_name):
        assert Notification.objects.get(pk=message.pk).state == State.SENT


def test_the_sweep_leaves_a_hospital_that_is_out_of_service_alone(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with schema_context(cedar.schema_name):
        write()
    queued()
    tenants.pause(hospital=cedar, why=Hospital.Pause.MOVE, now=now())
    tasks.sweep(schema="public")
    assert cedar.schema_name not in {entry["arguments"]["schema"] for entry in queued()}
    tenants.unpause(hospital=cedar, why=Hospital.Pause.MOVE)
    tasks.sweep(schema="public")
    assert cedar.schema_name in {entry["arguments"]["schema"] for entry in queued()}


def test_the_sweep_leaves_what_is_not_due(db: None) -> None:
    later: datetime = now() + timedelta(hours=1)
    Notification.objects.update(next_attempt_at=later)
    assert services.sweep() == 0


def test_a_message_that_cannot_be_written_does_not_hold_up_the_messenger(db: None, mails: MailServer) -> None:
    message = write()
    Notification.objects.filter(pk=message.pk).update(subject="Two\nlines")
    services.deliver(notification_id=message.pk)
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.WAITING, 1)
    assert "BadHeaderError" in message.last_error
