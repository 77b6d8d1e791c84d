"""Asking the domain name system, through DNS_SERVERS when they are set."""

import dns.exception
import dns.resolver
from django.conf import settings

_SECONDS = 5.0


def txt_values(name: str) -> list[str]:
    """The TXT values at `name`; empty when there are none or nobody answers within five seconds."""
    resolver = dns.resolver.Resolver(configure=not settings.DNS_SERVERS)
    resolver.lifetime = _SECONDS
    if settings.DNS_SERVERS:
        server, _, port = settings.DNS_SERVERS[0].rpartition(":")
        resolver.nameservers = [server]
        resolver.port = int(port)
    try:
        answer = resolver.resolve(name, "TXT")
    except dns.exception.DNSException:
        return []
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
