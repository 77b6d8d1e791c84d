"""Two people add departments at the same moment: the portal shows both."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections

from accounts.models import User
from core.schemas import schema_context
from directory.models import DepartmentListing, HospitalListing
from hospitals.models import Department
from hospitals.services import departments
from tenants.models import Hospital


def test_none_of_many_departments_added_at_once_is_lost_on_the_portal(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    hari = User.objects.get(email="hari@cedar.example")
    names = [f"Ward {number}" for number in range(8)]
    gate = Barrier(len(names))

    def add(name: str) -> None:
        try:
            with schema_context(cedar.schema_name):
                Department.objects.exists()  # the connection is open before the start
                gate.wait(10)
                departments.add(hospital=cedar, name=name, description="", image=None, by=hari)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(add, names))

    listed = DepartmentListing.objects.filter(listing__hospital=cedar).order_by("name").values_list("name", flat=True)
    assert list(listed) == names
    assert all(name.lower() in HospitalListing.objects.get(hospital=cedar).search_text for name in names)
