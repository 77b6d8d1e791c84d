"""Colleagues at Cedar, beside Hari."""

from collections.abc import Callable

import pytest
from django.utils.timezone import now

from accounts.models import User
from hospitals.models import Staff
from hospitals.services import staff as services
from tenants.models import Hospital
from tests import factories

Join = Callable[[User, str], Staff]


@pytest.fixture
def meena(cedar: Hospital, join_cedar: Join) -> Staff:
    """Cedar's front desk."""
    return join_cedar(factories.person("meena@cedar.example", "Meena", "Shah"), "front_desk")


@pytest.fixture
def nila(in_cedar: Hospital, hari: User) -> Staff:
    """A nurse who has not come in yet."""
    return services.invite(
        hospital=in_cedar, name="Nila Iyer", email="nila@cedar.example", role="nurse", by=hari, now=now()
    )


@pytest.fixture
def rao(in_cedar: Hospital, hari: User) -> Staff:
    """A doctor whose documents Cedar has checked."""
    return factories.verified_doctor(by=hari)


@pytest.fixture
def second_admin(join_cedar: Join) -> Staff:
    """Another admin beside Hari."""
    return join_cedar(factories.person("bina@cedar.example", "Bina", "Roy"), "hospital_admin")
