"""People who work with Cedar's register, and patients in it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from hospitals.models import Doctor, Staff
from patients.models import Patient
from patients.services import register
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

Register = Callable[..., Patient]


@pytest.fixture
def meena(cedar: Hospital, join_cedar: Callable[[User, str], Staff]) -> User:
    """Cedar's front desk."""
    return join_cedar(factories.person("meena@cedar.example", "Meena", "Shah"), "front_desk").user


@pytest.fixture
def nila(cedar: Hospital, join_cedar: Callable[[User, str], Staff]) -> User:
    """A nurse of Cedar."""
    return join_cedar(factories.person("nila@cedar.example", "Nila", "Iyer"), "nurse").user


@pytest.fixture
def rao(in_cedar: Hospital, hari: User) -> Doctor:
    """Dr Rao of Cedar."""
    return factories.bookable_doctor(in_cedar, hari)


@pytest.fixture
def at_desk(in_cedar: Hospital, hari: User) -> Register:
    """Register somebody at Cedar's desk, without an account. The test works in Cedar's schema."""

    def make(name: str = "Ravi Kumar", **details: Any) -> Patient:
        said = {"name": name, "birth_date": date(1984, 3, 27), "sex": "male", **details}
        return register.register(details=said, by=hari, is_new=True)

    return make


@pytest.fixture
def ravi(at_desk: Register) -> Patient:
    """Somebody who was registered at the desk."""
    return at_desk(phone="+919845012345", email="ravi@example.com")


@pytest.fixture
def cedar_meena(meena: User) -> Client:
    """Meena on Cedar's site."""
    return browser("cedar.localhost", meena)


@pytest.fixture
def cedar_nila(nila: User) -> Client:
    """Nila on Cedar's site."""
    return browser("cedar.localhost", nila)


@pytest.fixture
def cedar_asha(cedar: Hospital, asha: User) -> Client:
    """Asha on Cedar's site."""
    return browser("cedar.localhost", asha)
