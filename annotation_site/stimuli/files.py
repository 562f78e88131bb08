"""Files of generations: where they lie, and how they get there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage

from annotation_site.stimuli.links import keyed

UNFINISHED = (".part-", "ready-")


def names(identity: str) -> tuple[str, str, str]:
    """Storage names of a generation's image, maps and the maps' description, which nobody can guess.

    A row keeps the names it was made with: another NAMES_KEY is no reason to move files.
    """
    name = keyed("file", identity)
    folder = f"generations/{name[:2]}/{name}"
    return f"{folder}/image.png", f"{folder}/maps.npz", f"{folder}/maps.json"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write(name: str, content: bytes, storage: Storage | None = None) -> None:
    """Put a file into the storage under exactly this name, replacing what a killed process may have left there.

    On a local disk: a temporary file in the same folder, synced, then renamed, so that a name always stands for a
    whole file. An object store's put is whole by itself.
    """
    storage = storage or default_storage
    try:
        target = Path(storage.path(name))
    except NotImplementedError:
        storage.save(name, ContentFile(content))
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
        _sync_folder(target.parent)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    # Without it a power cut can lose the rename of a file whose bytes are safe.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(name: str, storage: Storage | None = None) -> bytes:
    with (storage or default_storage).open(name, "rb") as file:
        return bytes(file.read())


def delete(name: str) -> None:
    """Take a file away; one that is not there is no error."""
    default_storage.delete(name)


def every() -> Iterator[str]:
    """The names of all whole files: not those that are being written, nor what the health check writes."""
    listed = default_storage.every() if hasattr(default_storage, "every") else _below("")
    return (name for name in listed if not name.rpartition("/")[2].startswith(UNFINISHED))


def _below(folder: str) -> Iterator[str]:
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    prefix = f"{folder}/" if folder else ""
    yield from (prefix + name for name in names)
    for name in folders:
        yield from _below(prefix + name)
