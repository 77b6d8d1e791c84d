"""What beat asks for in every hospital, one after another."""

import logging
from collections.abc import Callable

from django_tenants.utils import schema_context

from tenants.models import Hospital

logger = logging.getLogger(__name__)


def everywhere(work: Callable[[Hospital], object]) -> None:
    """Do `work` in the schema of every open hospital. What fails in one does not keep the others waiting."""
    with schema_context("public"):
        hospitals = list(Hospital.objects.open().order_by("pk"))
    for hospital in hospitals:
        try:
            with schema_context(hospital.schema_name):
                work(hospital)
        except Exception:  # whatever it is, the next hospital's patients must not wait for it
            logger.exception("A round of the clock failed at %s.", hospital.slug)
