"""The HTTP server: it hands each request on inside one transaction, and can answer with silence."""

import socket
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from sandbox import calls, checkout, control, developer
from sandbox.store import Store
from sandbox.web import Answer, Request, as_json
from sandbox.webhooks import Courier

HOSTS = {"localhost", "127.0.0.1", "[::1]"}
LARGEST = 1 << 20


class Sandbox:
    """Everything behind the address."""

    def __init__(self, path: Path | str) -> None:
        self.store = Store(path)
        self.courier = Courier(self.store, lambda action, thing_id: control.on_timer(self.store, action, thing_id))
        self.ending = threading.Event()

    def answer(self, request: Request) -> Answer:
        """To the gateway's clients, to payers, to developers."""
        host = request.headers.get("host", "")
        origin = request.headers.get("origin", "")
        if host.rpartition(":")[0] not in HOSTS:
            return as_json({"error": f"Nothing is known of {host or 'a request without a host'}."}, status=403)
        with self.store.transaction():
            if request.path.startswith("/v1/checkout"):
                return checkout.answer(self.store, request)
            if request.path.startswith("/v1/"):
                return calls.answer(self.store, request)
            if origin and origin != f"http://{host}":  # another site's page must not turn our switches
                return as_json({"error": "Only this page's own buttons work."}, status=403)
            if request.path.startswith("/_sandbox/"):
                return control.answer(self.store, request)
            return developer.answer(self.store, request)

    def serve(self, port: int) -> list[threading.Thread]:
        """Listen on both loopbacks; a machine may have no IPv6."""
        servers = [_Server(("127.0.0.1", port), self)]
        with suppress(OSError):
            servers.append(_SixServer(("::1", port), self))
        threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
            for server in servers
        ]
        for thread in [*threads, self.courier]:
            thread.start()
        return threads

    def end(self) -> None:
        """Stop sending and close the file."""
        self.ending.set()
        self.courier.end()
        self.store.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def _serve(self) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST:
            self.close_connection = True
            return
        request = Request(
            method=self.command,
            path=address.path,
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        answer = self.server.sandbox.answer(request)
        self.server.sandbox.courier.wake()
        if answer.silence is not None:
            self.server.sandbox.ending.wait(answer.silence)
            self.close_connection = True
            return
        self.send_response(answer.status)
        headers = {"Content-Type": answer.kind, "Content-Length": str(len(answer.body)), "Cache-Control": "no-store"}
        for name, value in {**headers, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PATCH = _serve  # noqa: N815 (the names that http.server looks for)

    def log_message(self, *_args: object) -> None:
        """Nothing: a line for each request would push the sign-ins off a developer's screen."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        super().__init__(address, _Handler)
        self.sandbox = sandbox

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error worth a traceback; anything else is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _SixServer(_Server):
    address_family = socket.AF_INET6
