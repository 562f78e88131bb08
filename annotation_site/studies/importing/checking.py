"""Each row's files, decoded and made our own in a temporary folder, so that nothing is stored before all is known."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from annotation_site.stimuli import files
from annotation_site.studies.importing.bundles import Bundle, BundleError
from annotation_site.studies.importing.manifest import ROWS, Row, RowRefused, lines, parsed
from attribution.errors import MapFileError
from attribution.maps.foreign import LARGEST_IMAGE_BYTES, LARGEST_MAP_BYTES, read_map, read_picture


@dataclass(frozen=True)
class Refusal:
    """A line of the manifest that is not imported, and why; line 0 is the manifest itself."""

    line: int
    reason: str


@dataclass(frozen=True)
class Picture:
    """An image as it will be stored: the hash of its PNG, and its size."""

    sha256: str
    width: int
    height: int


@dataclass(frozen=True)
class Checked:
    """A row whose files are good; ``maps`` are hashes by method."""

    row: Row
    picture: Picture
    maps: dict[str, str]


@dataclass
class Checks:
    """What came of a manifest's rows; ``notes`` are things that were accepted and should be known."""

    folder: Path
    rows: list[Checked] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _pictures: dict[str, Picture] = field(default_factory=dict)
    _maps: dict[str, str] = field(default_factory=dict)
    _seen: dict[tuple[object, ...], int] = field(default_factory=dict)

    def content(self, sha256: str) -> bytes:
        return (self.folder / sha256).read_bytes()

    def add(self, line: int, content: bytes, kind: str, bundle: Bundle) -> None:
        try:
            row = parsed(line, content, kind)
            picture = self._picture(row, bundle)
            maps = {method: self._map(row.line, path, bundle) for method, path in row.maps.items()}
            self._once(row, picture)
        except (RowRefused, BundleError, MapFileError) as error:
            self.refused.append(Refusal(line, str(error)))
        else:
            self.rows.append(Checked(row, picture, maps))

    def _picture(self, row: Row, bundle: Bundle) -> Picture:
        if row.image not in self._pictures:
            image = read_picture(bundle.read(row.image, LARGEST_IMAGE_BYTES), row.image)
            buffer = io.BytesIO()
            image.save(buffer, "PNG")
            self._pictures[row.image] = Picture(self._keep(buffer.getvalue()), image.width, image.height)
        return self._pictures[row.image]

    def _map(self, line: int, path: str, bundle: Bundle) -> str:
        if path not in self._maps:
            name, _, member = path.partition("#")
            values = read_map(bundle.read(name, LARGEST_MAP_BYTES), name, member)
            if values.min() == values.max():
                self.notes.append(
                    f"line {line}: {path[:100]} is the same everywhere ({values.max():g}); it is shown so"
                )
            buffer = io.BytesIO()
            np.save(buffer, values, allow_pickle=False)
            self._maps[path] = self._keep(buffer.getvalue())
        return self._maps[path]

    def _keep(self, content: bytes) -> str:
        digest = files.sha256(content)
        (self.folder / digest).write_bytes(content)
        return digest

    def _once(self, row: Row, picture: Picture) -> None:
        """Refuse a word of an image under a method that an earlier row has."""
        start, end = row.target.start, row.target.end
        shown = (picture.sha256, row.prompt, row.model, row.seed, start, end, row.second and row.second.start)
        for method in row.maps or ("",):
            earlier = self._seen.setdefault((*shown, method), row.line)
            if earlier != row.line:
                raise RowRefused(
                    f"line {earlier} has the same word of the same image{f' by {method!r}' if method else ''} already: "
                    "leave one out, or tell their images apart by 'seed'"
                )


def check(
    content: bytes, bundle: Bundle, kind: str, folder: Path, *, most: int = ROWS, on_row: Callable[[], None]
) -> Checks:
    """Every row of a manifest with its files; ``folder`` keeps what is to be stored."""
    found = Checks(folder)
    rows = list(lines(content))
    if len(rows) > most:
        found.refused.append(Refusal(0, f"the manifest has {len(rows)} rows: at most {most} are imported at once here"))
        return found
    if not rows:
        found.refused.append(Refusal(0, "the manifest is empty: write one JSON object a line"))
    for line, text in rows:
        found.add(line, text, kind, bundle)
        on_row()
    return found


def workspace() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="attest-import-")
