"""Folders and texts as zip archives: equal contents give equal bytes."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

# A zip's earliest time.
MOMENT = (1980, 1, 1, 0, 0, 0)
IN_MEMORY = 16 * 2**20


def zipped(files: Mapping[str, str | Path]) -> IO[bytes]:
    """An open file, at its beginning, with each text or the content of each path under its name; large ones on disk."""
    archive_file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the caller closes it
    with zipfile.ZipFile(archive_file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            with archive.open(_entry(name), "w", force_zip64=True) as target, _opened(content) as source:
                shutil.copyfileobj(source, target)
    archive_file.seek(0)
    return archive_file


def of_folder(folder: Path) -> dict[str, Path]:
    """The files below ``folder`` by their names from it on, in order."""
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, MOMENT)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return entry


def _opened(content: str | Path) -> IO[bytes]:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content.encode())
