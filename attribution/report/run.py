"""Runs an analysis over a folder: one generation in memory at a time, progress, and going on where a run stopped.

Each image is measured once, into a line of ``records.jsonl`` in the output folder; a later run adds those lines up and
measures only what is new. The first line holds the settings, and other settings are refused.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from attribution.errors import AnalysisError, GenerationError, MapFileError, SegmentationError, WordError
from attribution.generations import Reader, StoredGeneration, Unreadable
from attribution.report.page import Report

RECORDS = "records.jsonl"
FORMAT = 1
NAMED = 200
"""Skipped generations that a report names; more are only counted."""

# What is wrong with one image; a missing segmenter or parser is wrong with all and stops the run.
_OF_ONE_IMAGE = (AnalysisError, GenerationError, MapFileError, SegmentationError, WordError)


class Job(Protocol):
    """An analysis: measures an image, adds measurements up, and says what came out."""

    kind: str

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides what is measured of an image."""
        ...

    def measure(self, generation: StoredGeneration) -> dict[str, Any]:
        """What one image adds, as JSON can hold it; raises an error of the image where it cannot be measured."""
        ...

    def add(self, name: str, prompt: str, record: dict[str, Any]) -> None:
        """Add what :meth:`measure` returned."""
        ...

    def report(self, reader: Reader) -> Report:
        """What came out; ``reader`` gives examples."""
        ...


@dataclass
class Tally:
    """What a run read: images measured now and before, and the names and reasons of those skipped."""

    measured: int = 0
    resumed: int = 0
    skipped: int = 0
    named: list[Unreadable] = field(default_factory=list)


def analyse(job: Job, reader: Reader, out: Path, *, progress: bool = True, again: bool = False) -> tuple[Report, Tally]:
    """Measure every generation of the reader that ``out`` has no record of; returns the report of all.

    ``again`` forgets the records. Raises AnalysisError when they were made with other settings.
    """
    out.mkdir(parents=True, exist_ok=True)
    path, tally, header = out / RECORDS, Tally(), _header(job, reader)
    if again:
        path.unlink(missing_ok=True)
    known = set()
    for name, prompt, record in _recorded(path, header):
        # Two runs at once may both have measured an image.
        if name not in known:
            job.add(name, prompt, record)
            known.add(name)
    tally.resumed = len(known)
    fresh = (name for name in reader.names() if name not in known)
    with path.open("a", encoding="utf-8") as file:
        if not path.stat().st_size:
            _write(file, header)
        for generation in tqdm(reader.stream(fresh), unit="image", disable=not (progress and sys.stderr.isatty())):
            _measure(job, generation, file, tally)
    return job.report(reader), tally


def _measure(job: Job, generation: StoredGeneration | Unreadable, file: Any, tally: Tally) -> None:
    if isinstance(generation, Unreadable):
        _skip(generation, tally)
        return
    try:
        record = job.measure(generation)
    except _OF_ONE_IMAGE as error:
        _skip(Unreadable(generation.name, str(error)), tally)
        return
    job.add(generation.name, generation.prompt.text, record)
    _write(file, {"name": generation.name, "prompt": generation.prompt.text, "record": record})
    tally.measured += 1


def _skip(broken: Unreadable, tally: Tally) -> None:
    tally.skipped += 1
    if len(tally.named) < NAMED:
        tally.named.append(broken)


def _header(job: Job, reader: Reader) -> dict[str, Any]:
    settings = job.settings | {"parser": reader.parser}
    return {"format": FORMAT, "kind": job.kind, "settings": json.loads(json.dumps(settings))}


def _write(file: Any, line: dict[str, Any]) -> None:
    file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    file.flush()


def _recorded(path: Path, header: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The records in ``path``; a last line that a killed run left unfinished is cut off."""
    if not path.is_file():
        return
    good = 0
    with path.open("rb") as file:
        for line in file:
            parsed = _parsed(line, path, good)
            if parsed is None:
                break
            if good == 0 and parsed != header:
                raise AnalysisError(
                    f"{path} was made with other settings: {_differing(parsed, header)}; "
                    "give another --out, or --again to measure anew"
                )
            if good:
                yield parsed["name"], parsed["prompt"], parsed["record"]
            good += len(line)
    with path.open("rb+") as file:
        file.truncate(good)


def _parsed(line: bytes, path: Path, place: int) -> dict[str, Any] | None:
    """A whole line; None for one without its end, which only a killed run leaves."""
    if not line.endswith(b"\n"):
        return None
    try:
        found: dict[str, Any] = json.loads(line)
        if place and not {"name", "prompt", "record"} <= found.keys():
            raise ValueError("a field is missing")
    except (ValueError, AttributeError) as error:
        raise AnalysisError(f"{path}, byte {place}: no record of ours ({error}); measure anew with --again") from error
    return found


def _differing(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """What differs, as ``tau 0.3, not 0.4``."""
    one = {"kind": found.get("kind"), "format": found.get("format"), **(found.get("settings") or {})}
    two = {"kind": wanted["kind"], "format": wanted["format"], **wanted["settings"]}
    keys = [key for key in {**one, **two} if one.get(key) != two.get(key)]
    return ", ".join(f"{key} {one.get(key)!r}, not {two.get(key)!r}" for key in keys)
