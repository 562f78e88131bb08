"""Folders that are there whole or not at all, and the hashes of what is in them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKSUMS = "CHECKSUMS"


class FolderTaken(Exception):
    """The folder holds something already; nothing was written."""


class FolderDamaged(Exception):
    """A file of the folder is not the one whose hash was written down."""


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside ``target`` that takes its name when all is written, and vanishes on an error.

    What a killed process leaves is hidden and named ``.part-...``; it never looks finished.
    """
    refuse_filled(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".part-{target.name}-"))
    try:
        yield part
        write_checksums(part)
        part.chmod(0o755)
        # An empty folder of that name gives way; one that was filled meanwhile does not.
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def refuse_filled(target: Path) -> None:
    """Raise FolderTaken unless ``target`` can be made: absent, or an empty folder."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FolderTaken(f"{target} is there already and not empty: choose another folder, or remove that one.")


def write_checksums(folder: Path) -> None:
    """``CHECKSUMS`` of every other file, as ``sha256sum --check CHECKSUMS`` reads it."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with (folder / CHECKSUMS).open("w", encoding="utf-8", newline="\n") as file:
        for name in names:
            file.write(f"{file_sha256(folder / name)}  {name}\n")
        file.flush()
        os.fsync(file.fileno())


def checksums(folder: Path) -> dict[str, str]:
    """The written hashes by file."""
    lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def verify(folder: Path, *names: str) -> None:
    """Raise FolderDamaged where one of these files is missing or is not what was written."""
    written = checksums(folder)
    for name in names:
        path = folder / name
        if name not in written or not path.is_file():
            raise FolderDamaged(f"{path} is missing: export the study again, or copy the whole folder.")
        if file_sha256(path) != written[name]:
            raise FolderDamaged(f"{path} is not the file that was exported (see {CHECKSUMS}): get it again.")


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
