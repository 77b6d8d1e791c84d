"""The measurements, each of which runs in a process of its own: `measure` yields its figures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A measurement. `on_fleet`: it needs the database with many hospitals, otherwise it gets one with none.

    `has_cell`: there is a further database, the cell "north".
    """

    name: str
    title: str
    on_fleet: bool = False
    has_cell: bool = False


# In this order; the last ones change the fleet.
ROWS = (
    Row("requests", "A request: one schema, django-tenants, RHMS", on_fleet=True),
    Row("places", "Taking a hospital's role", on_fleet=True),
    Row("domains", "Whose host is it?", on_fleet=True),
    Row("memory", "Memory of one database session", on_fleet=True),
    Row("moving", "Moving a hospital to another database", on_fleet=True, has_cell=True),
    Row("provisioning", "Opening a hospital", on_fleet=True),
    Row("migrations", "One more column for every hospital", on_fleet=True),
    Row("search", "Finding a doctor"),
    Row("booking", "Booking a visit"),
    Row("webhooks", "What the payment gateway tells"),
    Row("sign_in", "Signing in"),
)
