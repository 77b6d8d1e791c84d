"""What the services of departments promise beyond their pages."""

import pytest
from django.db import connection

from accounts.models import User
from core.errors import Conflict
from core.schemas import as_owner, schema_context
from hospitals.models import Department
from hospitals.services import departments
from tenants.models import Hospital


def test_a_department_in_use_is_not_deleted_and_the_sentence_says_what_to_do(
    committed: None,
) -> None:
    cedar, hari = Hospital.objects.get(slug="cedar"), User.objects.get(email="hari@cedar.example")
    with schema_context(cedar.schema_name):
        department = departments.add(hospital=cedar, name="Cardiology", description="", image=None, by=hari)
    with as_owner(), schema_context(cedar.schema_name), connection.cursor() as cursor:  # what a later room will have
        cursor.execute("CREATE TABLE ward (department_id bigint REFERENCES hospitals_department (id))")
        cursor.execute("INSERT INTO ward VALUES (%s)", [department.pk])
    with schema_context(cedar.schema_name):
        with pytest.raises(Conflict, match="in use. Hide it"):
            departments.delete(hospital=cedar, department=department, by=hari)
        assert Department.objects.filter(pk=department.pk).exists()


def test_two_names_with_one_slug_get_two_slugs(in_cedar: Hospital, hari: User) -> None:
    slugs = [
        departments.add(hospital=in_cedar, name=name, description="", image=None, by=hari).slug
        for name in ("Ear, nose & throat", "Ear nose throat", "आँख")
    ]
    assert slugs == ["ear-nose-throat", "ear-nose-throat-2", "department"]
