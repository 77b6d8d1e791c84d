"""Who is told by webhooks: a server on loopback that keeps what it gets and answers what a test wants."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    body: bytes
    headers: dict[str, str]


class Receiver(ThreadingHTTPServer):
    """`answers` are given to the next requests, one each; then 200 to all."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}/webhooks/razorpay/"

    def names(self) -> list[str]:
        """Which events came, in the order they came."""
        return [received.headers["x-test-event"] for received in self.received]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = body.decode().partition('"event":"')[2].partition('"')[0]
        headers = {**{key.lower(): value for key, value in self.headers.items()}, "x-test-event": name}
        self.server.received.append(Received(body, headers))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A running receiver."""
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()
