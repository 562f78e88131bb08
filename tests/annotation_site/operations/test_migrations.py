"""Migrations run while raters rate: none may lock a table that they write to, or break the code that still runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django_migration_linter.migration_linter import MigrationLinter

# The last migration of each app that made the schema with which 0.1.0 begins: no site was running yet.
BEFORE_ANY_SITE = {
    "accounts": 1,
    "api": 1,
    "payments": 2,
    "raters": 4,
    "rating": 6,
    "recruitment": 1,
    "stimuli": 3,
    "studies": 16,
    "webhooks": 1,
}
OURS = [app.label for app in apps.get_app_configs() if app.name.startswith("annotation_site.")]


@pytest.fixture
def on_postgresql(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("what a migration locks is PostgreSQL's matter")


def earlier() -> list[str]:
    names = MigrationLoader(connection).disk_migrations
    return [name for app, name in names if int(name.split("_")[0]) <= BEFORE_ANY_SITE.get(app, 0)]


def test_migrations_since_the_first_site_lock_nothing_and_break_nothing(on_postgresql, capsys):
    linter = MigrationLinter(
        str(Path(settings.BASE_DIR)),
        include_apps=OURS,
        ignore_name=earlier(),
        # The first of an app makes tables that nobody uses yet.
        ignore_initial_migrations=True,
        analyser_string="postgresql",
        no_cache=True,
        all_warnings_as_errors=True,
    )
    linter.lint_all_migrations()
    assert not linter.has_errors, capsys.readouterr().out


def test_the_linter_finds_what_would_lock(on_postgresql):
    """The baseline is not clean, so the same linter must complain of it: it does look."""
    linter = MigrationLinter(
        str(Path(settings.BASE_DIR)), include_apps=["rating"], include_name=["0002_circumstances"],
        analyser_string="postgresql", no_cache=True, no_output=True,
    )  # fmt: skip
    linter.lint_all_migrations()
    assert linter.has_errors


def test_the_seat_table_is_vacuumed_by_what_is_dead_and_not_by_its_size(on_postgresql):
    with connection.cursor() as cursor:
        cursor.execute("SELECT unnest(reloptions) FROM pg_class WHERE oid = 'rating_seat'::regclass")
        options = dict(option.split("=") for (option,) in cursor.fetchall())
    assert options["autovacuum_vacuum_scale_factor"] == "0"
    assert options["autovacuum_vacuum_threshold"] == "5000"
