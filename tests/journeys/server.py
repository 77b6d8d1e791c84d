"""The real application on a free port of this process, so that tests and pictures can change its settings."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.test import override_settings

from core.hosts import hospital_url, portal_url


class _Handler(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing: what a test needs to know, the browser tells it."""


class _Server(ThreadedWSGIServer):
    daemon_threads = False  # so that `server_close` waits for them: no thread keeps a connection to a dropped database

    def __init__(self) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)

    def stop(self) -> None:
        """End every conversation, those that browsers keep open included."""
        self.shutdown()
        for conversation in list(self._open):
            with suppress(OSError):
                conversation.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Platform:
    """Where the running application answers."""

    def portal(self, name: str, *args: object) -> str:
        """The address of a page of the portal."""
        return portal_url(name, *args)

    def hospital(self, slug: str, name: str, *args: object) -> str:
        """The address of a page of a hospital's site."""
        return hospital_url(slug, name, *args)


@contextmanager
def serving() -> Iterator[Platform]:
    """Serve with the settings that are in force now, at an address that SITE_URL names."""
    server = _Server()
    with override_settings(SITE_URL=f"http://localhost:{server.server_port}"):
        server.set_app(WSGIHandler())
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="web")
        thread.start()
        try:
            yield Platform()
        finally:
            server.stop()
            thread.join()
