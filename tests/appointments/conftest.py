"""A doctor of Cedar whom patients can book."""

import pytest

from accounts.models import User
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories


@pytest.fixture
def rao(in_cedar: Hospital, hari: User) -> Doctor:
    """Dr Rao of Cedar, every day from 9 to 17. The test works in Cedar's schema."""
    return factories.bookable_doctor(in_cedar, hari)
