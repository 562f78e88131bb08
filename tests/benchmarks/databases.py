"""A PostgreSQL database of a benchmark's own, made empty, migrated, and dropped again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

SERVER = os.environ.get("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")


@contextmanager
def scratch_database(name: str) -> Iterator[str]:
    """The address of an empty database on TEST_POSTGRES; Django is set up on it and its tables are there."""
    address = f"{SERVER.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name}")
        os.environ |= {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "annotation_site.settings"}
        try:
            _migrate()
            yield address
        finally:
            _close()
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _migrate() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _close() -> None:
    from django.db import connection

    connection.close()
    if connection.pool is not None:
        connection.close_pool()
