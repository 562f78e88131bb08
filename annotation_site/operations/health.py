"""Whether the site can serve: each part is tried, and named when it fails."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

logger = logging.getLogger(__name__)


class NotReady(Exception):
    """A part does not serve; the message may be shown to anyone."""


def database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def unapplied_migrations() -> list[str]:
    """The migrations that this version has and the database has not, as ``app.name`` in their order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def migrations() -> None:
    missing = unapplied_migrations()
    if missing:
        raise NotReady(f"{len(missing)} migrations are not applied: run manage.py migrate")


def storage() -> None:
    name = default_storage.save(f"ready-{uuid.uuid4().hex}", ContentFile(b"ready"))
    default_storage.delete(name)


PARTS: dict[str, Callable[[], None]] = {"database": database, "migrations": migrations, "storage": storage}


def failures() -> dict[str, str]:
    """The parts that do not serve, with what may be said of it in public; the log has the rest."""
    found = {}
    for name, attempt in PARTS.items():
        try:
            attempt()
        except NotReady as reason:
            found[name] = str(reason)
        except Exception:
            logger.exception("The %s is not ready", name)
            found[name] = "does not answer; the log says why"
    return found
