"""A site in a folder and back: ``database.jsonl``, ``files/``, and ``manifest.json`` with the hash of every one.

The rows are JSON lines and belong to no database: what PostgreSQL gave, SQLite takes, and the reverse.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from auditlog.context import disable_auditlog
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core import serializers
from django.core.management.color import no_style
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from annotation_site import guards
from annotation_site.stimuli import files

FORMAT = 1
# migrate makes the first two from the code; a session is begun anew by logging in.
LEFT_OUT = {ContentType, Permission, Session}


class BackupError(Exception):
    """A backup cannot be made or used; the message says why and what to do."""


class Exact(DjangoJSONEncoder):
    """Django's own encoder drops a time's microseconds."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


def back_up(folder: Path, *, now: datetime) -> dict[str, Any]:
    """Write the whole site to ``folder``, which must not exist and appears complete or not at all; its manifest.

    The rows are those of one moment. Their files are copied after them: a file is there before its row says so.
    """
    if folder.exists():
        raise BackupError(f"{folder} exists: name a new folder, for a backup never replaces another.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    # It holds raters' links: nobody else may look in.
    unfinished.mkdir(mode=0o700)
    try:
        rows = _dump(unfinished / "database.jsonl")
        manifest = {
            "format": FORMAT,
            "made_at": now.isoformat(),
            "migrations": _applied(),
            "rows": rows,
            "database": _sha256(unfinished / "database.jsonl"),
            "files": {name: _copy(name, unfinished / "files" / name) for name in sorted(files.every())},
        }
        (unfinished / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return manifest


def restore(folder: Path, *, replace: bool = False) -> dict[str, Any]:
    """Put back what ``back_up`` wrote; the manifest. A site with rows is refused, or emptied first with ``replace``.

    Everything is checked before anything is changed, and the rows come in one transaction. Raises BackupError.
    """
    manifest = _checked(folder)
    if not replace:
        _require_empty()
    for name in manifest["files"]:
        files.write(name, (folder / "files" / name).read_bytes())
    with transaction.atomic(), guards.lifted():
        _empty()
        _load(folder / "database.jsonl")
    if replace:
        for name in set(files.every()) - set(manifest["files"]):
            files.delete(name)
    return manifest


def kept_models() -> list[type[models.Model]]:
    """The models whose rows a backup holds."""
    return [model for model in apps.get_models() if model._meta.managed and model not in LEFT_OUT]


@transaction.atomic
def _dump(path: Path) -> dict[str, int]:
    """Every row as it was at one moment; how many there are of each model."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    counted: dict[str, int] = {}
    with path.open("w", encoding="utf-8") as stream:
        serializers.serialize(
            "jsonl", _rows(counted), stream=stream, use_natural_foreign_keys=True, cls=Exact, ensure_ascii=False
        )
    return counted


def _rows(counted: dict[str, int]) -> Iterator[models.Model]:
    for model in kept_models():
        counted[model._meta.label] = 0
        for row in model._default_manager.order_by("pk").iterator(chunk_size=2000):
            counted[model._meta.label] += 1
            yield row


def _checked(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupError(f"{folder} is no backup: its manifest.json cannot be read ({error}).") from error
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{folder} has format {manifest.get('format')!r}, and this version reads format {FORMAT}.")
    if manifest["migrations"] != _applied():
        other = sorted(set(manifest["migrations"]) ^ set(_applied()))
        raise BackupError(
            f"{folder} and this database have other migrations ({', '.join(other[:5])}): restore with the version of "
            "Attest that made the backup, migrated, and upgrade afterwards."
        )
    expected = {f"files/{name}": digest for name, digest in manifest["files"].items()}
    for name, digest in (expected | {"database.jsonl": manifest["database"]}).items():
        _check_file(folder, name, digest)
    return manifest


def _check_file(folder: Path, name: str, digest: str) -> None:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BackupError(f"{folder}: {name} leads out of the backup.")
    if not path.is_file() or _sha256(path) != digest:
        raise BackupError(f"{path} is missing or damaged, and nothing was restored: use another backup.")


def _require_empty() -> None:
    full = [model._meta.label for model in kept_models() if model._default_manager.exists()]
    if full:
        raise BackupError(
            f"This site is not empty ({', '.join(full[:5])}): restore into a fresh one, or say --replace, "
            "which deletes what is here."
        )


def _empty() -> None:
    tables = list(dict.fromkeys(table for model in kept_models() for table in _tables(model)))
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables))


def _tables(model: type[models.Model]) -> Iterator[str]:
    """The model's table and those of its many-to-many relations."""
    yield model._meta.db_table
    for field in model._meta.local_many_to_many:
        if field.remote_field.through is not None:
            yield field.remote_field.through._meta.db_table


def _load(path: Path) -> None:
    """Insert the rows under their old keys; foreign keys are checked at the transaction's end."""
    # The backup has its own audit log.
    with path.open(encoding="utf-8") as stream, disable_auditlog():
        for row in serializers.deserialize("jsonl", stream):
            row.save(force_insert=True)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), kept_models()):
            cursor.execute(statement)


def _applied() -> list[str]:
    """The migrations that the database has had."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def _copy(name: str, target: Path) -> str:
    """Copy a file out of the storage; its hash."""
    target.parent.mkdir(parents=True, exist_ok=True)
    content = files.read(name)
    target.write_bytes(content)
    return files.sha256(content)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
