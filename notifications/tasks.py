"""Delivery, after the commit; and the sweep, for what the broker did not take."""

from django.db import connection
from django_tenants.utils import schema_context

from core.queue import task
from notifications import services
from notifications.models import Notification


@task("notifications.deliver")
def deliver(*, notification_id: int) -> None:
    """Send one message of the active schema."""
    services.deliver(notification_id=notification_id)


@task("notifications.sweep")
def sweep() -> None:
    """Queue what is due, in public and in every hospital."""
    with connection.cursor() as cursor:
        # The catalogue knows every outbox, also those of hospitals this room has never heard of.
        cursor.execute("SELECT schemaname FROM pg_tables WHERE tablename = %s", [Notification._meta.db_table])
        schemas = [row[0] for row in cursor.fetchall()]
    for schema in schemas:
        with schema_context(schema):
            services.sweep()
