"""What beat asks for in every hospital, one after another."""

import logging
from collections.abc import Callable

from django.core.cache import cache
from django.db import InterfaceError, OperationalError, close_old_connections

from core.schemas import PUBLIC, schema_context
from tenants.models import Hospital

logger = logging.getLogger(__name__)

_LONGEST = 15 * 60  # seconds after which a round is believed dead


def everywhere(work: Callable[[Hospital], object], *, alone: str = "") -> None:
    """Do `work` in the schema of every open hospital. What fails in one does not keep the others waiting.

    A hospital that is out of service for a moment is left out: the next round finds what it has missed. A round that
    may take long has a name in `alone`: no second one of that name begins beside it.
    """
    if not alone:
        _go_round(work)
    elif cache.add(f"round:{alone}", "on its way", _LONGEST):
        try:
            _go_round(work)
        finally:
            cache.delete(f"round:{alone}")


def _go_round(work: Callable[[Hospital], object]) -> None:
    with schema_context(PUBLIC):
        schemas = list(Hospital.objects.open().order_by("pk").values_list("schema_name", flat=True))
    left_out = []
    for schema in schemas:
        try:
            with schema_context(schema):
                # Read now, as a thousand hospitals later it may be suspended or paused.
                hospital = Hospital.objects.open().filter(schema_name=schema).first()
                if hospital and hospital.pause:
                    left_out.append(hospital.slug)
                elif hospital:
                    work(hospital)
        except Exception as error:  # whatever it is, the next hospital's patients must not wait for it
            logger.exception("A round of the clock failed at %s.", schema)
            if isinstance(error, OperationalError | InterfaceError):
                close_old_connections()  # the next one may live in the same cell
    if left_out:
        logger.info("A round of the clock left out who is out of service: %s.", ", ".join(left_out))
