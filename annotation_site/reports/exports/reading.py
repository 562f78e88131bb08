"""A study's columns from its export: the second source of every report, which needs no database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from annotation_site.reports.data import (
    CHANGES,
    MISSING,
    OPT_OUTS,
    PRESENT,
    Column,
    Facts,
    ItemPacker,
    Items,
    Judgements,
    Rater,
    StudyData,
    in_order,
    pair_name,
)
from annotation_site.reports.exports.facts import FORMAT
from annotation_site.reports.exports.folders import CHECKSUMS, FolderDamaged, checksums, verify
from annotation_site.reports.exports.registered import DEVIATIONS
from annotation_site.reports.preregistration.standing import Standing

READ = ("study.json", "data/items.parquet", "data/judgements.parquet", "data/raters.parquet")


def load_export(folder: Path) -> StudyData:
    """The study that was exported to ``folder``. Raises FolderDamaged where a file is missing or was changed."""
    if not (folder / CHECKSUMS).is_file():
        raise FolderDamaged(f"{folder} holds no {CHECKSUMS}: name a folder that manage.py export_study has written.")
    verify(folder, *READ)
    facts = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    if facts["format"] != FORMAT:
        raise FolderDamaged(f"{folder} is of format {facts['format']}, this version reads {FORMAT}: export it again.")
    known = facts["facts"]
    known["rules"] = tuple(known["rules"])
    items, raters = _items(folder, known["kind"]), _raters(folder)
    return StudyData(Facts(**known), items, raters, _judgements(folder, items, raters))


def registered_in(folder: Path) -> Standing | None:
    """What stood of the study's preregistration when it was exported; None where there was none."""
    if DEVIATIONS not in checksums(folder):
        return None
    verify(folder, DEVIATIONS)
    return Standing.of_plain(json.loads((folder / DEVIATIONS).read_text(encoding="utf-8")))


def _items(folder: Path, kind: str) -> Items:
    group = {"likert": "tag", "change": "swap_set"}.get(kind, "condition")
    names = ["item", "image", group, "arm", "word", "second_word", "start", "places", "withdrawn"]
    packer, images = ItemPacker(), dict[str, int]()
    for block in pq.ParquetFile(folder / "data/items.parquet").iter_batches(columns=names):
        for row in block.to_pylist():
            packer.add(
                position=row["item"],
                image=images.setdefault(row["image"], len(images)),
                group=row[group],
                arm=row["arm"],
                pair=pair_name(row["word"], row["second_word"]),
                target=row["start"],
                places=row["places"],
                withdrawn=row["withdrawn"],
            )
    return packer.packed()


def _raters(folder: Path) -> tuple[Rater, ...]:
    rows = pq.read_table(folder / "data/raters.parquet").to_pylist()
    return tuple(
        Rater(row["rater"], row["simulated"], row["exclusion_reason"], row["checks_passed"], row["checks_failed"])
        for row in rows
    )


def _judgements(folder: Path, items: Items, raters: tuple[Rater, ...]) -> Judgements:
    names = ["item", "rater", "rating", "opt_out", "first_present", "second_present", "change"]
    names += ["revision", "current", "surplus", "browser_milliseconds", "shown_at", "answered_at"]
    table = pq.read_table(folder / "data/judgements.parquet", columns=names)
    column = {name: table[name].combine_chunks() for name in names}
    place = {rater.pseudonym: number for number, rater in enumerate(raters)}
    rater = column["rater"].dictionary_encode()
    codes = np.array([place[name] for name in rater.dictionary.to_pylist()], dtype=np.int32)
    return in_order(
        Judgements(
            item=np.searchsorted(items.position, _whole(column["item"])).astype(np.int32),
            rater=codes[rater.indices.to_numpy()] if len(codes) else np.zeros(0, np.int32),
            answer=_answers(column),
            revision=_whole(column["revision"]).astype(np.int16),
            current=_truth(column["current"]),
            surplus=_truth(column["surplus"]),
            milliseconds=_whole(column["browser_milliseconds"]).astype(np.int32),
            shown=_whole(column["shown_at"].cast(pa.int64())),
            at=_whole(column["answered_at"].cast(pa.int64())),
        )
    )


def _answers(column: dict[str, Any]) -> Column:
    rating, opt_out = _whole(column["rating"]), column["opt_out"].fill_null("")
    first, second = _truth(column["first_present"]), _truth(column["second_present"])
    seen = np.zeros(len(rating), dtype=np.int8)
    for code, (one, two) in enumerate(PRESENT):
        seen[(first == one) & (second == two)] = code
    answer = np.where(rating == MISSING, seen, rating - 1).astype(np.int8)
    changed = column["change"].fill_null("").to_numpy(zero_copy_only=False)
    for code, name in enumerate(CHANGES):
        answer[changed == name] = code
    names = opt_out.to_numpy(zero_copy_only=False)
    for name, code in OPT_OUTS.items():
        answer[names == name] = code
    return answer


def _whole(values: Any) -> Column:
    return np.asarray(values.fill_null(MISSING).to_numpy(zero_copy_only=False)).astype(np.int64)


def _truth(values: Any) -> Column:
    return np.asarray(values.fill_null(False).to_numpy(zero_copy_only=False)).astype(np.bool_)
