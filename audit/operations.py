"""Migration operations that make Postgres the second witness of every status change."""

from django.db import migrations


class GuardStatus(migrations.RunSQL):
    """Refuse, at commit, any new or changed `status` of the model `label` that has no audit row beside it.

    The audit row must come from the same transaction, stand in the same schema and name the same row, old and new
    status. Raw SQL and `QuerySet.update` meet the same guard as a service.
    """

    def __init__(self, label: str) -> None:
        table = label.lower().replace(".", "_")
        self.label = label
        super().__init__(
            sql=[
                f"""CREATE CONSTRAINT TRIGGER {table}_status_audited
AFTER INSERT OR UPDATE OF status ON {table}
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION audit_require_row('{label.lower()}')"""
            ],
            reverse_sql=[f"DROP TRIGGER {table}_status_audited ON {table}"],
        )

    def deconstruct(self) -> tuple[str, tuple[object, ...], dict[str, object]]:
        """How the autodetector and squashing write the operation down."""
        return self.__class__.__name__, (self.label,), {}
