"""Triggers: rows of the ledger, of batches and of used schemes are neither changed nor deleted, and reversals fit.

SQLite loses a table's triggers when a later migration rebuilds the table: such a migration must make them again. A test
counts them.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

REFUSALS = [
    # Table, when it is refused, and what the database says.
    ("payments_entry", "", "The ledger only grows: write an entry that reverses this one."),
    ("payments_batch", "", "A confirmed batch stays as it is."),
    (
        "payments_payscheme",
        "EXISTS (SELECT 1 FROM payments_entry WHERE scheme_id = OLD.id)",
        "Raters were paid by this version of the scheme: make a new version.",
    ),
]
FITS = [
    (
        "a_study_pays_in_one_currency",
        "payments_payscheme",
        "EXISTS (SELECT 1 FROM payments_payscheme WHERE study_id = NEW.study_id AND currency <> NEW.currency)",
        "A study pays in one currency.",
    ),
    (
        "a_reversal_takes_back_what_was_written",
        "payments_entry",
        "NEW.reverses_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payments_entry WHERE id = NEW.reverses_id"
        " AND reverses_id IS NULL AND kind = NEW.kind AND amount = -NEW.amount AND currency = NEW.currency"
        " AND enrolment_id = NEW.enrolment_id AND study_id = NEW.study_id)",
        "A reversal takes back exactly one earlier entry of the same rater.",
    ),
    (
        "a_payment_pays_what_was_approved",
        "payments_entry",
        "NEW.settles_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payments_entry AS approved"
        " WHERE approved.id = NEW.settles_id AND approved.kind = 'approval' AND approved.reverses_id IS NULL"
        " AND approved.amount = NEW.amount AND approved.currency = NEW.currency"
        " AND approved.enrolment_id = NEW.enrolment_id AND NOT EXISTS"
        " (SELECT 1 FROM payments_entry AS taken_back WHERE taken_back.reverses_id = approved.id))",
        "A payment pays exactly one approval that stands.",
    ),
    (
        "an_entry_is_of_its_raters_study",
        "payments_entry",
        "NOT EXISTS (SELECT 1 FROM raters_enrolment WHERE id = NEW.enrolment_id AND study_id = NEW.study_id)",
        "An entry names the study that its rater is enrolled in.",
    ),
]


def make(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    statement = sqlite if schema_editor.connection.vendor == "sqlite" else postgresql
    for table, when, text in REFUSALS:
        for event in ("UPDATE", "DELETE"):
            name = f"{table}_refuses_{event.lower()}"
            for sql in statement(name, table, event, when, text):
                schema_editor.execute(sql, params=None)
    for name, table, when, text in FITS:
        for sql in statement(name, table, "INSERT", when, text):
            schema_editor.execute(sql, params=None)


def sqlite(name: str, table: str, event: str, when: str, text: str) -> list[str]:
    condition = f" WHEN {when}" if when else ""
    return [f"CREATE TRIGGER {name} BEFORE {event} ON {table}{condition} BEGIN SELECT RAISE(ABORT, '{text}'); END"]


def postgresql(name: str, table: str, event: str, when: str, text: str) -> list[str]:
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN"
        f" IF {when or 'true'} THEN RAISE EXCEPTION '{text}' USING ERRCODE = 'integrity_constraint_violation'; END IF;"
        f" RETURN {'OLD' if event == 'DELETE' else 'NEW'}; END $body$",
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]


def unmake(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    names = [(f"{table}_refuses_{event}", table) for table, _, _ in REFUSALS for event in ("update", "delete")]
    for name, table in [*names, *((name, table) for name, table, _, _ in FITS)]:
        if schema_editor.connection.vendor == "sqlite":
            schema_editor.execute(f"DROP TRIGGER {name}")
        else:
            schema_editor.execute(f"DROP TRIGGER {name} ON {table}")
            schema_editor.execute(f"DROP FUNCTION {name}()")


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_the_ledger")]
    operations = [migrations.RunPython(make, unmake)]
