"""Reading captions from COCO's annotation files, plain text and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attribution.errors import CaptionError

CAPTION_COLUMN, ID_COLUMN = "caption", "id"


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption. ``source_id`` is its id in a COCO or CSV file, else the number of its line."""

    text: str
    source_id: str


def load_captions(path: Path | str) -> list[Caption]:
    """The distinct captions of a file in file order.

    ``.json`` is COCO's ``captions_*.json``, ``.txt`` has one caption a line, ``.csv`` has a column ``caption`` and
    perhaps ``id``. Runs of white space become one space, empty captions are dropped, and of captions with the same
    text the first one stays. Raises :class:`CaptionError` naming the file, the place and the remedy.
    """
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise CaptionError(f"{path}: cannot read captions from {path.suffix or 'a file without suffix'!r}; "
                           f"give one of {', '.join(sorted(READERS))}")  # fmt: skip
    captions = _distinct(reader(_text(path), path))
    if not captions:
        raise CaptionError(f"{path}: holds no caption; give a file with at least one that is not empty")
    return captions


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CaptionError(f"cannot read the captions in {path}: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise CaptionError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error


def _distinct(captions: Iterable[Caption]) -> list[Caption]:
    first: dict[str, Caption] = {}
    for caption in captions:
        text = " ".join(caption.text.split())
        if text:
            first.setdefault(text, Caption(text, caption.source_id))
    return list(first.values())


def _from_coco(text: str, path: Path) -> Iterator[Caption]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise CaptionError(f"{path}, line {error.lineno}: not JSON ({error.msg}); give COCO's own file") from error
    annotations = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(annotations, list):
        raise CaptionError(f"{path}: no list 'annotations'; give one of COCO's captions_*.json files")
    for index, annotation in enumerate(annotations):
        yield _from_annotation(annotation, index, path)


def _from_annotation(annotation: Any, index: int, path: Path) -> Caption:
    text = annotation.get("caption") if isinstance(annotation, dict) else None
    if not isinstance(text, str):
        raise CaptionError(
            f"{path}: annotations[{index}] has no text 'caption'; "
            "give a captions_*.json file, not the instances or keypoints of the same images"
        )
    return Caption(text, str(annotation.get("id", index)))


def _from_lines(text: str, path: Path) -> Iterator[Caption]:
    return (Caption(line, str(number)) for number, line in enumerate(text.splitlines(), start=1))


def _from_csv(text: str, path: Path) -> Iterator[Caption]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if CAPTION_COLUMN not in (rows.fieldnames or ()):
            found = ", ".join(rows.fieldnames or ()) or "none"
            raise CaptionError(f"{path}, line 1: no column 'caption' among: {found}; name the captions' column so")
        for row in rows:
            yield _from_row(row, rows.line_num, path)
    except csv.Error as error:
        raise CaptionError(
            f"{path}, near line {rows.line_num + 1}: not CSV ({error}); quote texts with commas"
        ) from error


def _from_row(row: dict[str, str], line: int, path: Path) -> Caption:
    if None in row or row[CAPTION_COLUMN] is None:
        raise CaptionError(f"{path}, line {line}: not as many fields as the heading has; quote texts with commas")
    return Caption(row[CAPTION_COLUMN], row.get(ID_COLUMN) or str(line))


READERS: dict[str, Callable[[str, Path], Iterator[Caption]]] = {
    ".json": _from_coco,
    ".txt": _from_lines,
    ".csv": _from_csv,
}
