"""What beat asks for in every hospital, one after another."""

import logging
from collections.abc import Callable

from django.core.cache import cache
from django_tenants.utils import schema_context

from tenants.models import Hospital

logger = logging.getLogger(__name__)

_LONGEST = 15 * 60  # seconds after which a round is believed dead


def everywhere(work: Callable[[Hospital], object], *, alone: str = "") -> None:
    """Do `work` in the schema of every open hospital. What fails in one does not keep the others waiting.

    A round that may take long has a name in `alone`: no second one of that name begins beside it.
    """
    if not alone:
        _go_round(work)
    elif cache.add(f"round:{alone}", "on its way", _LONGEST):
        try:
            _go_round(work)
        finally:
            cache.delete(f"round:{alone}")


def _go_round(work: Callable[[Hospital], object]) -> None:
    with schema_context("public"):
        hospitals = list(Hospital.objects.open().order_by("pk"))
    for hospital in hospitals:
        try:
            with schema_context(hospital.schema_name):
                work(hospital)
        except Exception:  # whatever it is, the next hospital's patients must not wait for it
            logger.exception("A round of the clock failed at %s.", hospital.slug)
