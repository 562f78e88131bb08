"""Files of generations: where they lie, and how they get there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage

from annotation_site.stimuli.links import keyed
from annotation_site.storage import FileDamaged, StorageFull, StorageUnusable

UNFINISHED = (".part-", "ready-")
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
TRIAL_BYTES = 2**20
"""What an image with its maps takes, about: a disk with less room is full."""


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

    On a local disk: a temporary file in the same folder, synced, read back, then renamed, so that a name always stands
    for a whole file. An object store's put is whole by itself. Raises StorageUnusable, and then nothing has changed.
    """
    storage = storage or default_storage
    try:
        target = Path(storage.path(name))
    except NotImplementedError:
        storage.save(name, ContentFile(content))
        return
    try:
        _put(target, content)
    except StorageUnusable:
        raise
    except OSError as error:
        raise _unusable(target, error) from error


def _put(target: Path, content: bytes) -> None:
    _make_folder(target.parent)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".part-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if sha256(temporary.read_bytes()) != sha256(content):
            raise StorageUnusable(f"{target}: the disk gave back other bytes than were written. Replace it.")
        temporary.chmod(0o644)
        temporary.replace(target)
        _sync_folder(target.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _unusable(target: Path, error: OSError) -> StorageUnusable:
    if error.errno in FULL:
        return StorageFull(f"No space left for {target}: free some, or move ATTEST_DATA to a larger disk.")
    reason = error.strerror or str(error)
    if error.errno in FORBIDDEN:
        return StorageUnusable(f"{target} cannot be written ({reason}): let user {os.geteuid()} write to its folder.")
    return StorageUnusable(f"{target} cannot be written ({reason}): see to the disk; the machine's log says more.")


def try_out() -> None:
    """Write a file as large as an image with its maps, and take it away again. Raises StorageUnusable."""
    name = f"ready-{uuid.uuid4().hex}"
    write(name, bytes(TRIAL_BYTES))
    delete(name)


def _make_folder(folder: Path) -> None:
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in made:
        _sync_folder(each.parent)


def _sync_folder(folder: Path) -> None:
    # Without it a power cut can lose the name of a file, or of a folder, whose content is safe.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(name: str, storage: Storage | None = None) -> bytes:
    with (storage or default_storage).open(name, "rb") as file:
        return bytes(file.read())


def read_whole(name: str, digest: str) -> bytes:
    """A file whose SHA-256 is ``digest``; FileDamaged where it is another."""
    content = read(name)
    if sha256(content) != digest:
        raise FileDamaged(f"{name} is not the file that was written: its hash differs. Restore it from a backup.")
    return content


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
