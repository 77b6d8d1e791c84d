"""A mail server on loopback that speaks SMTP and keeps what it receives."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailServer:
    """`mails` are the messages received; `refuse` an SMTP answer to give instead of taking the next ones."""

    host: str = "127.0.0.1"
    port: int = 0
    refuse: str = ""
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """What aiosmtpd calls for each message."""
        if self.refuse:
            return self.refuse
        content = cast(bytes, envelope.content)
        self.mails.append(message_from_bytes(content, policy=policy.default))
        return "250 Taken"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A running mail server on a free port."""
    server = MailServer()
    with socket.socket() as probe:
        probe.bind((server.host, 0))
        server.port = probe.getsockname()[1]
    controller: Any = Controller(server, hostname=server.host, port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
