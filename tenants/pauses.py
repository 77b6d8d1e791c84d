"""A hospital that is out of service for a moment: what whoever comes meanwhile reads."""

from django.utils.translation import gettext as _

from core.errors import BackSoon
from tenants.models import Hospital


def require_in_service(hospital: Hospital) -> None:
    """Raise BackSoon, with the hospital's telephone number, while it is out of service."""
    if hospital.pause:
        raise back_soon(hospital)


def back_soon(hospital: Hospital) -> BackSoon:
    """The refusal that whoever comes to a paused hospital reads."""
    return BackSoon(
        _(
            "%(hospital)s is back soon. Its records are being looked after and nothing is lost. Try again in a few "
            "minutes. If it is urgent, call the hospital: %(phone)s."
        )
        % {"hospital": hospital.name, "phone": hospital.phone_number.as_international}
    )
