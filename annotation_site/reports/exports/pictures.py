"""Images and maps of an export: each stored file once, its hash compared with its row on the way."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from annotation_site.reports.exports.rows import ItemRow
from annotation_site.stimuli import files


class FileDamaged(Exception):
    """A stored file is missing or is not the one that its row describes."""


class Pictures:
    """Copies items' files into ``images/`` and ``maps/`` of a folder, in sub-folders of at most some thousands."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._copied = folder, set[str]()

    def add(self, row: ItemRow) -> dict[str, str]:
        """Copy what the item shows; the columns that name the files, empty where there is none."""
        identity, values = str(row.values["image"]), row.values
        image = self._copy(row.files["image"], f"images/{identity[:2]}/{identity}.png", values["image_sha256"])
        maps = self._copy(row.files["maps"], f"maps/{identity[:2]}/{identity}.npz", values["maps_sha256"])
        if maps:
            described = str(PurePosixPath(row.files["maps"]).with_suffix(".json"))
            self._copy(described, f"maps/{identity[:2]}/{identity}.json", "")
        digest = row.files["map_sha256"]
        shown = self._copy(row.files["map"], f"maps/shown/{digest[:2]}/{digest}.npy", digest)
        return {"image_file": image, "second_image_file": self._second(row), "maps_file": maps, "map_file": shown}

    def _second(self, row: ItemRow) -> str:
        identity = str(row.values["second_image"])
        name = f"images/{identity[:2]}/{identity}.png"
        return self._copy(row.files["second_image"], name, row.values["second_image_sha256"])

    def _copy(self, stored: str, name: str, sha256: str) -> str:
        if not stored or name in self._copied:
            return name if stored else ""
        try:
            content = files.read(stored)
        except OSError as error:
            raise FileDamaged(f"{stored} cannot be read ({error}): restore it, or export --no-images.") from error
        if sha256 and files.sha256(content) != sha256:
            raise FileDamaged(f"{stored} is not the file of its row: restore it from a backup, or export --no-images.")
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._copied.add(name)
        return name


NO_FILES = {"image_file": "", "second_image_file": "", "maps_file": "", "map_file": ""}
