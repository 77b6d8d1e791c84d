"""The next release of the platform: one more migration, without a file of it in any room."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path

from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from django.test.utils import override_settings

from tenants import provisioning

# To a table of the hospital, one column: what most releases do.
ONE_COLUMN = 'operations = [migrations.AddField("patient", "nickname", models.CharField(max_length=80, null=True))]'

_TEMPLATE = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{parent!r}]
    {body}
"""
_numbers = count(1)


@contextmanager
def next_release(folder: Path, body: str = ONE_COLUMN, *, room: str = "patients") -> Iterator[str]:
    """Within this block the code is one release further; the answer is its migration's name.

    `body` is the migration's class body, Python. `folder` takes its files. One may stand in another. Hospitals are opened by
    the new text once `roles.grant_shared` has been called.
    """
    [leaf] = MigrationLoader(None).graph.leaf_nodes(room)
    before = import_module(settings.MIGRATION_MODULES.get(room) or f"{room}.migrations")
    number = next(_numbers)
    package = folder / f"release_{number}"
    package.mkdir()
    # One package whose files stand in two folders.
    (package / "__init__.py").write_text(f"__path__ = {[*before.__path__, str(package)]}\n")
    (package / f"9{number:03d}_next.py").write_text(_TEMPLATE.format(parent=leaf, body=body))
    text, usual = folder / f"release_{number}.sql", provisioning.DDL
    sys.path.insert(0, str(folder))
    try:
        with override_settings(MIGRATION_MODULES={**settings.MIGRATION_MODULES, room: package.name}):
            text.write_text(provisioning.generate_ddl())
            _use(text)
            yield f"9{number:03d}_next"
    finally:
        _use(usual)
        sys.path.remove(str(folder))
        for module in [known for known in sys.modules if known.partition(".")[0] == package.name]:
            del sys.modules[module]


def _use(text: Path) -> None:
    provisioning.DDL = text
    provisioning.ddl.cache_clear()
    provisioning.version.cache_clear()
