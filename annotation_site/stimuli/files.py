"""Files of generations: where they lie, and how they get there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage


def names(identity: str) -> tuple[str, str, str]:
    """Storage names of a generation's image, maps and the maps' description."""
    folder = f"generations/{identity[:2]}/{identity}"
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
        storage.delete(name)
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
