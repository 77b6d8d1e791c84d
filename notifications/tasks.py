"""Delivery, after the commit; and the sweep, for what the broker did not take."""

import logging

from django.db import OperationalError, connection

from core import schemas
from core.queue import task
from core.schemas import Standing, schema_context
from notifications import services
from notifications.models import Notification

logger = logging.getLogger(__name__)


@task("notifications.deliver")
def deliver(*, notification_id: int) -> None:
    """Send one message of the active schema."""
    services.deliver(notification_id=notification_id)


@task("notifications.sweep")
def sweep() -> None:
    """Queue what is due, in public and in every hospital but those that are out of service for a moment."""
    found = set[str]()
    for cell in schemas.cells():
        try:
            with schemas.cell_context(cell), connection.cursor() as cursor:
                # The catalogue knows every outbox, also those of hospitals this room has never heard of.
                cursor.execute("SELECT schemaname FROM pg_tables WHERE tablename = %s", [Notification._meta.db_table])
                found |= {row[0] for row in cursor.fetchall()}
        except OperationalError:  # the messages of the other cells must not wait for its database
            logger.exception("The cell %s does not answer.", cell)
    for schema in sorted(found):
        if schemas.standing(schema) is Standing.OPEN:
            with schema_context(schema):
                services.sweep()
