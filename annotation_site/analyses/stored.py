"""The result of an analysis's last run, in the storage, where web processes read it: they never compute one.

Under ``analyses/SLUG/KIND/`` lie the library's files, the examples' pictures and ``result.json``, which is written last
and holds what the page shows and the SHA-256 of each file.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotation_site.stimuli import files
from annotation_site.storage import StorageUnavailable
from annotation_site.studies.models import Study

if TYPE_CHECKING:
    from attribution.report.page import Report
    from attribution.report.run import Tally
    from attribution.report.tables import Table

logger = logging.getLogger(__name__)

KINDS = {
    "syntax": "Heads and dependents: what their maps share, relation by relation",
    "objects": "Nouns against segmentations of the image",
    "cohyponyms": "Overlap of two nouns' maps, and people's answers",
    "adjectives": "What changes with an adjective, and how much of it lies outside its noun",
    "intensity": "How much of the image words mark, by part of speech",
}
RESULT, FORMAT = "result.json", 1


class FileChanged(Exception):
    """A stored file is missing or is not the one that its result names."""


def publish(study: Study, kind: str, report: Report, tally: Tally, paths: list[Path], *, now: datetime) -> None:
    """Store a run's files for the pages, in place of the last run's."""
    before = result(study, kind)
    contents = {path.name: path.read_bytes() for path in paths} | dict(_pictures(report))
    for name, content in contents.items():
        files.write(_name(study, kind, name), content)
    shown = _shown(report, tally) | {"format": FORMAT, "study": study.slug, "kind": kind, "made_at": now.isoformat()}
    shown["files"] = {name: files.sha256(content) for name, content in contents.items()}
    files.write(_name(study, kind, RESULT), json.dumps(shown, ensure_ascii=False, allow_nan=False).encode())
    for name in set(before["files"] if before else ()) - set(contents):
        files.delete(_name(study, kind, name))


def result(study: Study, kind: str) -> dict[str, Any] | None:
    """What the page shows of the last run; None where there is none, or none that can be read (the log says why)."""
    name = _name(study, kind, RESULT)
    try:
        found = json.loads(files.read(name))
        if found["format"] != FORMAT or not isinstance(found["files"], dict):
            raise ValueError(f"format {found['format']!r} is not {FORMAT}")
    except FileNotFoundError:
        return None
    except StorageUnavailable:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.error("stored analysis %s cannot be read: %s", name, error)
        return None
    return dict(found)


def content(study: Study, kind: str, name: str, digest: str) -> bytes:
    """One file of a result; raises FileChanged where it is not the one with this SHA-256."""
    path = _name(study, kind, name)
    try:
        found = files.read(path)
    except OSError as error:
        raise FileChanged(f"{path} cannot be read: {error}") from error
    if files.sha256(found) != digest:
        raise FileChanged(f"{path} is not the file that its result names")
    return found


def _name(study: Study, kind: str, name: str) -> str:
    return f"analyses/{study.slug}/{kind}/{name}"


def _shown(report: Report, tally: Tally) -> dict[str, Any]:
    numbers = iter(range(1, 10_000))
    galleries = [
        {
            "title": gallery.title,
            "pictures": [
                {"file": f"example-{next(numbers)}.png", "caption": picture.caption} for picture in gallery.pictures
            ],
        }
        for gallery in report.galleries
    ]
    return {
        "title": report.title,
        "facts": report.facts,
        "text": list(report.text),
        "figure": report.drawing.alternative,
        "tables": [_table(table) for table in report.tables],
        "galleries": [gallery for gallery in galleries if gallery["pictures"]],
        "images": tally.measured + tally.resumed,
        "skipped": tally.skipped,
        "skipped_names": {broken.name: broken.reason for broken in tally.named},
    }


def _table(table: Table) -> dict[str, Any]:
    """A table as its page shows it: each cell written out, as in the library's own page."""
    from attribution.report.tables import written

    cells = [
        [
            {"text": written(row.get(column.key), column.kind), "number": column.kind != "text"}
            for column in table.columns
        ]
        for row in table.rows
    ]
    heads = [{"text": column.heading, "number": column.kind != "text"} for column in table.columns]
    return {"key": table.key, "title": table.title, "note": table.note, "heads": heads, "cells": cells}


def _pictures(report: Report) -> Iterator[tuple[str, bytes]]:
    """The examples in the order in which :func:`_shown` numbers them."""
    every = [picture for gallery in report.galleries for picture in gallery.pictures]
    for number, picture in enumerate(every, start=1):
        buffer = io.BytesIO()
        picture.image.save(buffer, "PNG")
        yield f"example-{number}.png", buffer.getvalue()
