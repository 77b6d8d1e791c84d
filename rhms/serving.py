"""How gunicorn serves in production: `gunicorn rhms.wsgi --config python:rhms.serving`.

Its access log names who asked for what, without the tokens of one-time links: whoever reads a log could use them.
"""

import re
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

_LINKS = re.compile(r"/(invitation|arrive|v|waitlist|register/status|password/new/[^/\s]+)/[^/\s]+")

access_log_format = '%(h)s %({host}i)s "%(r)s" %(s)s %(B)s %(M)sms [%({x-request-id}o)s] "%(f)s" "%(a)s"'


def without_tokens(text: str) -> str:
    """A path, or a line that holds one, with the token of a one-time link replaced."""
    return _LINKS.sub(r"/\1/***", text)


class AccessLog(Logger):  # type: ignore[misc]
    """Gunicorn's own, with addresses that are safe to keep."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """The parts of a line."""
        parts: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return parts | {name: without_tokens(parts[name]) for name in ("r", "U", "f") if parts[name]}


logger_class = AccessLog
