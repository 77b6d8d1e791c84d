"""The WSGI application: `gunicorn rhms.wsgi`."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rhms.settings")

_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request."""
    return _django(environ, start_response)


# Python keeps the calls that are under way in blocks of 16 KB, and gives a block back to the system as soon as no call
# stands in it. A loop in a template that happens to begin at the end of a block asks for a new one with every call: 500 to
# 2,400 times for a page of search results, a fifth to a third of its work. A call that is said to be large, 128 KB here, gets
# a block with room for all that follow from it.
application.__code__ = application.__code__.replace(co_stacksize=16_000)
