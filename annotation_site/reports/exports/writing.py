"""A study as a folder for a paper: tables, pictures and texts; whole or not at all, equal bytes for equal data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from annotation_site.reports.exports import texts
from annotation_site.reports.exports.as_shown import write_as_shown
from annotation_site.reports.exports.columns import ITEMS, JUDGEMENTS, RATERS
from annotation_site.reports.exports.counts import Tally
from annotation_site.reports.exports.croissant import croissant
from annotation_site.reports.exports.facts import study_facts
from annotation_site.reports.exports.folders import new_folder
from annotation_site.reports.exports.pictures import NO_FILES, Pictures
from annotation_site.reports.exports.registered import write_registered
from annotation_site.reports.exports.rows import ItemRow, item_rows, judgement_row, rater_rows
from annotation_site.reports.exports.tables import Table, as_text
from annotation_site.reports.loading import rated_items, raters_of, snapshot
from annotation_site.studies.models import Study

Progress = Callable[[], None]


def export_study(
    study: Study,
    target: Path,
    *,
    images: bool = True,
    licence: str = "",
    url: str = "",
    on_item: Progress = lambda: None,
) -> Tally:
    """Write the study to ``target``, which must not exist or be empty; what was written, in numbers.

    Rows stream from the database through blocks to the files, so that memory stays flat. ``licence`` is the data's
    (an SPDX name or an address) and ``url`` the page where it is published; empty: unstated. ``on_item`` is called
    after each item. Raises FolderTaken, FileDamaged.
    """
    with new_folder(target) as folder:
        with snapshot():
            facts = study_facts(study)
            tally = _tables(study, folder, images=images, on_item=on_item)
            write_as_shown(study, folder, facts["texts"], images=images)
            write_registered(study, folder)
        _json(folder / "study.json", facts)
        for name, content in texts.documents(facts, tally, licence=licence, url=url, images=images).items():
            (folder / name).write_text(content, encoding="utf-8", newline="\n")
        described = texts.description(facts, tally)
        metadata = croissant(folder, facts, description=described, licence=licence, url=url)
        _json(folder / "croissant.json", metadata)
    return tally


def _tables(study: Study, folder: Path, *, images: bool, on_item: Progress) -> Tally:
    raters, tally, pictures = raters_of(study), Tally(), Pictures(folder)
    tally.images = rated_items(study).order_by().values("generation").distinct().count()
    tally.excluded.update(rater.reason for rater in raters.values() if rater.reason)
    with (
        Table(folder, "items", ITEMS) as items,
        Table(folder, "judgements", JUDGEMENTS) as judgements,
        (folder / "items.jsonl").open("w", encoding="utf-8", newline="\n") as lines,
    ):
        for row in item_rows(study, raters):
            row.values |= pictures.add(row) if images else NO_FILES
            items.add([row.values[field.name] for field in ITEMS])
            for judgement in row.judgements:
                judgements.add(judgement_row(judgement))
            lines.write(_line(row))
            tally.add(row)
            on_item()
    with Table(folder, "raters", RATERS) as table:
        for values in rater_rows(study, raters, tally.given, tally.counted):
            table.add(values)
    return tally


OWN = tuple(field.name for field in JUDGEMENTS if field.name not in {each.name for each in ITEMS})


def _line(row: ItemRow) -> str:
    """One item as a line of JSON, its answers within it."""
    answers = [{name: _plain(judgement[name]) for name in OWN} for judgement in row.judgements]
    for answer in answers:
        answer["views"] = json.loads(answer["views"] or "[]")
    return json.dumps(row.values | {"judgements": answers}, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    return as_text(value) if hasattr(value, "isoformat") else value


def _json(path: Path, value: Any) -> None:
    content = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, sort_keys=False)
    path.write_text(content + "\n", encoding="utf-8", newline="\n")
