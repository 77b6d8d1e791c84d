"""The room of visits listens to the room of money."""

from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    """Visits are told when they are paid, and when money went back."""

    name = "appointments"

    def ready(self) -> None:
        """Begin to listen."""
        from appointments.services import gate
        from billing.signals import paid, refunded

        paid.connect(gate.note_paid, dispatch_uid="appointments.paid")
        refunded.connect(gate.note_refunded, dispatch_uid="appointments.refunded")
