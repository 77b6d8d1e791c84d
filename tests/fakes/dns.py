"""A name server on loopback that speaks the real protocol over UDP and knows only what a test tells it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer(socketserver.ThreadingUDPServer):
    """Answers TXT questions from `txt`; every other name does not exist. `asked` remembers the questions."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self.txt: dict[str, list[str]] = {}
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        """As settings.DNS_SERVERS wants it."""
        return f"127.0.0.1:{self.server_address[1]}"


class _Question(socketserver.BaseRequestHandler):
    server: NameServer

    def handle(self) -> None:
        sent, link = self.request
        query = dns.message.from_wire(sent)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        self.server.asked.append(name)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        values = self.server.txt.get(name, [])
        if values and question.rdtype == dns.rdatatype.TXT:
            quoted = [f'"{value}"' for value in values]
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "TXT", *quoted))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        link.sendto(answer.to_wire(), self.client_address)


@contextmanager
def name_server() -> Iterator[NameServer]:
    """A running name server."""
    with NameServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
