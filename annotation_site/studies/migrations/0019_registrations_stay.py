"""Triggers: a registration is neither changed nor deleted.

SQLite loses a table's triggers when a later migration rebuilds the table: such a migration must make them again. A test
counts them.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = "studies_registration"
TEXT = "A registration stays as it was made: make another version."
EVENTS = ("UPDATE", "DELETE")


def make(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    statements = sqlite if schema_editor.connection.vendor == "sqlite" else postgresql
    for event in EVENTS:
        for sql in statements(f"{TABLE}_refuses_{event.lower()}", event):
            schema_editor.execute(sql, params=None)


def sqlite(name: str, event: str) -> list[str]:
    return [f"CREATE TRIGGER {name} BEFORE {event} ON {TABLE} BEGIN SELECT RAISE(ABORT, '{TEXT}'); END"]


def postgresql(name: str, event: str) -> list[str]:
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN"
        f" RAISE EXCEPTION '{TEXT}' USING ERRCODE = 'integrity_constraint_violation'; END $body$",
        f"CREATE TRIGGER {name} BEFORE {event} ON {TABLE} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]


def unmake(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for event in EVENTS:
        name = f"{TABLE}_refuses_{event.lower()}"
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"DROP TRIGGER {name}")
        else:
            schema_editor.execute(f"DROP TRIGGER {name} ON {TABLE}")
            schema_editor.execute(f"DROP FUNCTION {name}()")


class Migration(migrations.Migration):
    dependencies = [("studies", "0018_registrations")]
    operations = [migrations.RunPython(make, unmake)]
