"""The stage for the tests that knock at every door."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import override_settings

from core import schemas
from tests.fakes.dns import name_server
from tests.house.cast import Stage


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """Both hospitals with everybody in them, for the whole module."""
    [templates] = django_settings.TEMPLATES
    loaders = templates["OPTIONS"]["loaders"]
    cached = [("template_partials.loader.Loader", [("django.template.loaders.cached.Loader", loaders[0][1])])]
    options = {**templates["OPTIONS"], "loaders": cached}
    refusals = logging.getLogger("django.request")
    level = refusals.level
    refusals.setLevel(logging.ERROR)  # thousands are meant
    with django_db_blocker.unblock(), name_server() as server, transaction.atomic():
        with override_settings(TEMPLATES=[{**templates, "OPTIONS": options}], DNS_SERVERS=[server.address]):
            yield Stage()
        schemas.enter_public()
        transaction.set_rollback(True)
    refusals.setLevel(level)
