"""A hospital's status never changes without an audit row."""

from django.db import migrations

from audit.operations import GuardStatus


class Migration(migrations.Migration):
    """The guard on tenants.Hospital."""

    dependencies = [("tenants", "0001_initial"), ("audit", "0002_guards")]

    operations = [GuardStatus("tenants.Hospital")]
