"""Where the files of an import come from: a folder, a zip, or single files. Nothing leads out of any of them."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

ENTRIES = 50_000
TOTAL_BYTES = 8 << 30
RATIO = 200
# Small files of one colour are packed very tightly, and harm nobody.
RATIO_FROM = 8 << 20
LARGEST_MANIFEST = 64 << 20


class BundleError(Exception):
    """A file, or all of them, cannot be used; the message names it, the reason and the remedy."""


class Bundle(Protocol):
    def read(self, name: str, most: int) -> bytes:
        """The file of that name, of at most that many bytes. Raises BundleError."""


def relative(name: str) -> PurePosixPath:
    """A name as a path within the bundle; raises BundleError where it leads out."""
    path = PurePosixPath(name)
    odd = not name or "\\" in name or "\0" in name or ":" in name or len(name) > 500
    if odd or path.is_absolute() or ".." in path.parts or path == PurePosixPath("."):
        raise BundleError(f"{name[:100]!r} leads out of the bundle or is no path: name files beside the manifest")
    return path


class Folder:
    """The folder that the manifest lies in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def read(self, name: str, most: int) -> bytes:
        path = (self._folder / relative(name)).resolve()
        if not path.is_relative_to(self._folder):
            raise BundleError(f"{name!r} is a link out of the manifest's folder: copy the file there")
        if not path.is_file():
            raise BundleError(f"there is no file {name!r} beside the manifest")
        try:
            with path.open("rb") as file:
                return _bounded(file, name, most)
        except OSError as error:
            raise BundleError(f"{name!r} cannot be read: {error.strerror or error}") from error


class Archive:
    """A zip, every entry of which is looked at before any is unpacked; ``manifest`` is its one ``.jsonl``."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, zlib.error) as error:
            raise BundleError(f"the zip cannot be opened: {error}") from error
        self._entries: dict[str, zipfile.ZipInfo] = {}
        infos = self._zip.infolist()
        if len(infos) > ENTRIES or sum(info.file_size for info in infos) > TOTAL_BYTES:
            raise BundleError(f"the zip holds more than {ENTRIES} files or {TOTAL_BYTES >> 30} GiB: split it")
        for info in infos:
            self._admit(info)
        manifests = [name for name in self._entries if name.endswith(".jsonl") and not name.startswith("__MACOSX/")]
        if len(manifests) != 1:
            raise BundleError(f"the zip holds {len(manifests)} files that end with .jsonl: one is the manifest")
        self.manifest = manifests[0]
        self._beside = PurePosixPath(self.manifest).parent

    def _admit(self, info: zipfile.ZipInfo) -> None:
        name = str(relative(info.filename.rstrip("/")))
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise BundleError(f"{name!r} in the zip is a link or no plain file: pack the files themselves")
        if info.is_dir():
            return
        if name in self._entries:
            raise BundleError(f"{name!r} is in the zip twice: pack it anew")
        if info.flag_bits & 1:
            raise BundleError(f"{name!r} in the zip is encrypted: pack it without a password")
        if info.file_size > RATIO_FROM and info.file_size > RATIO * max(1, info.compress_size):
            raise BundleError(f"{name!r} in the zip unpacks to more than {RATIO} times its size: pack it anew")
        self._entries[name] = info

    def text(self) -> bytes:
        return self._content(self.manifest, LARGEST_MANIFEST)

    def read(self, name: str, most: int) -> bytes:
        return self._content(str(self._beside / relative(name)), most)

    def _content(self, name: str, most: int) -> bytes:
        if name not in self._entries:
            raise BundleError(f"there is no file {name!r} in the zip")
        try:
            with self._zip.open(self._entries[name]) as file:
                return _bounded(file, name, most)
        except (
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ) as error:
            raise BundleError(f"{name!r} in the zip is damaged: {error}") from error


class Files:
    """Single files that were sent together; a manifest's path means the file of its last part."""

    def __init__(self, files: Mapping[str, Any]) -> None:
        self._files = files

    def read(self, name: str, most: int) -> bytes:
        last = relative(name).name
        if last not in self._files:
            raise BundleError(f"there is no file {last!r} among those that were sent")
        file = self._files[last]
        file.seek(0)
        return _bounded(file, last, most)


def _bounded(file: Any, name: str, most: int) -> bytes:
    content = bytes(file.read(most + 1))
    if len(content) > most:
        raise BundleError(f"{name!r} is larger than {most >> 20} MiB: make it smaller")
    return content
