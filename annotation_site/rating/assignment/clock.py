"""One clock for every process."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction


def database_now() -> datetime:
    """The database's clock: the only one that every web process and worker shares."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT statement_timestamp()")
        else:
            cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')")
        value = cursor.fetchone()[0]
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


# A transaction that began this instant may not be listed yet.
SLACK = timedelta(seconds=10)
OLDEST = """
    SELECT least(statement_timestamp(), min(xact_start)) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
"""


def settled_until() -> datetime:
    """A moment before which nothing will appear any more among what the database itself stamps as it writes it.

    Transactions end in another order than they began: a row may appear after others with later stamps. But a stamp is
    never older than its transaction, so none that is still to come is older than the oldest transaction now open.
    """
    if connection.vendor != "postgresql":
        # SQLite has one writer: while this one holds the lock, no other transaction has anything left to show.
        with transaction.atomic():
            return database_now() - SLACK
    with connection.cursor() as cursor:
        cursor.execute(OLDEST)
        oldest: datetime = cursor.fetchone()[0]
    return oldest - SLACK
