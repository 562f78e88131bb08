"""An export's rows from the database: items by position, each with its judgements, streamed side by side."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from annotation_site.raters.models import Enrolment
from annotation_site.rating.models import ANSWER_FIELDS, Judgement
from annotation_site.reports.data import CODES, Rater, code_of
from annotation_site.reports.exports.columns import COUNTS, JUDGEMENTS, RATERS, RECIPE, SUBJECT
from annotation_site.reports.exports.fates import fate_of
from annotation_site.reports.loading import places_of, rated_items
from annotation_site.reports.outcomes import scored_as
from annotation_site.reports.stored import CHUNK
from annotation_site.studies.models import Item, Study

# Where the database keeps what a column of an item shows; the rest follows from these.
STORED = {
    "item": "position",
    "image": "generation__identity",
    "prompt": "generation__prompt__text",
    "word": "word__text",
    "second_word": "second_word__text",
    "second_image": "second_generation__identity",
    "second_prompt": "second_generation__prompt__text",
    "swap_set": "swap_set",
    "tag": "word__tag",
    "condition": "condition",
    "arm": "arm",
    "prompt_source": "generation__prompt__source",
    "prompt_id": "generation__prompt__source_id",
    "parser": "generation__prompt__parser",
    "start": "word__start",
    "end": "word__end",
    "lemma": "word__lemma",
    "relation": "word__relation",
    "map_source": "map_source",
    "map_word": "map_word__text",
    "seed": "generation__seed",
    **{field.name: f"generation__recipe__{field.name}" for field in RECIPE if field.name != "seed"},
    "image_sha256": "generation__image_sha256",
    "maps_sha256": "generation__maps_sha256",
    "second_image_sha256": "second_generation__image_sha256",
    "made_with": "generation__made_with",
}
FILES = {"pk": "pk", "image_name": "generation__image", "maps_name": "generation__maps"}
FILES |= {"second_image_name": "second_generation__image"}
FILES |= {"map_name": "map_file", "map_sha256": "map_sha256", "withdrawn_at": "withdrawn_at"}
ANSWERED = ("revision", "current", "surplus", "rating", "opt_out", "first_present", "second_present", "change")
SEEN = ("shown_at", "answered_at", "browser_milliseconds", "locale", "viewport", "renderer", "views")


@dataclass
class ItemRow:
    """An item's columns (see ``columns.ITEMS``), the names of its stored files, and its judgements' columns."""

    values: dict[str, Any]
    files: dict[str, str]
    judgements: list[dict[str, Any]]


def item_rows(study: Study, raters: dict[int, Rater]) -> Iterator[ItemRow]:
    """The study's rated items by position, withdrawn ones too, with every stored judgement on them."""
    names = STORED | FILES
    items = rated_items(study).values_list(*names.values()).iterator(chunk_size=CHUNK)
    answers = groupby(_judgements(study), key=itemgetter(0))
    position, group = next(answers, (None, iter(())))
    places = places_of(study)
    for row in items:
        stored = dict(zip(names, row, strict=True))
        mine: list[tuple[Any, ...]] = []
        if position == stored["item"]:
            mine = list(group)
            position, group = next(answers, (None, iter(())))
        yield _item(study, stored, mine, raters, places.get(stored["pk"], study.seats_per_item))


def _judgements(study: Study) -> Iterator[tuple[Any, ...]]:
    stored = Judgement.objects.filter(seat__study=study, seat__item__purpose=Item.Purpose.RATED)
    rows = stored.order_by("seat__item__position", "id")
    return rows.values_list("seat__item__position", "enrolment_id", *ANSWERED, *SEEN).iterator(chunk_size=CHUNK)


def _item(
    study: Study, stored: dict[str, Any], answers: list[tuple[Any, ...]], raters: dict[int, Rater], places: int
) -> ItemRow:
    values: dict[str, Any] = {name: "" if stored[name] is None else stored[name] for name in STORED}
    values |= {"places": places, "withdrawn": stored["withdrawn_at"] is not None}
    values["made_with"] = _made_with(stored["made_with"])
    subject = {field.name: values[field.name] for field in SUBJECT}
    judgements = [subject | _judgement(row, raters, withdrawn=values["withdrawn"]) for row in answers]
    judgements.sort(key=lambda row: (row["rater"], row["revision"], row["answered_at"]))
    values |= _aggregates(study.kind, judgements, places, withdrawn=values["withdrawn"])
    files = {name: str(stored[f"{name}_name"] or "") for name in ("image", "second_image", "maps", "map")}
    return ItemRow(values, files | {"map_sha256": stored["map_sha256"]}, judgements)


def _made_with(stored: dict[str, Any] | None) -> str:
    """As JSON, and without the machine's name, which concerns nobody else."""
    kept = {name: value for name, value in sorted((stored or {}).items()) if name != "host"}
    return json.dumps(kept, sort_keys=True) if kept else ""


def _judgement(row: tuple[Any, ...], raters: dict[int, Rater], *, withdrawn: bool) -> dict[str, Any]:
    _, enrolment, *rest = row
    values = dict(zip((*ANSWERED, *SEEN), rest, strict=True))
    rater = raters[enrolment]
    values["views"] = json.dumps(values["views"], separators=(",", ":")) if values["views"] else ""
    fate = fate_of(values["current"], values["surplus"], rater, withdrawn=withdrawn)
    return values | {
        "rater": rater.pseudonym,
        "simulated": rater.simulated,
        "counted": fate == "counted",
        "fate": fate,
    }


def _aggregates(kind: str, judgements: list[dict[str, Any]], places: int, *, withdrawn: bool) -> dict[str, Any]:
    counts = [0] * CODES
    for row in judgements:
        if row["counted"]:
            counts[code_of(*(row[name] for name in ANSWER_FIELDS))] += 1
    answered = sum(row["current"] and not row["surplus"] for row in judgements)
    status, score = ("", math.nan) if withdrawn else scored_as(kind, answered, places, *counts)
    names = [field.name for field in COUNTS]
    value = None if math.isnan(score) else score
    return dict(zip(names, (answered, *counts, str(status), value), strict=True))


def rater_rows(study: Study, raters: dict[int, Rater], given: Counter[str], counted: Counter[str]) -> list[list[Any]]:
    """The raters by pseudonym, with how many judgements each gave."""
    locales = dict(Enrolment.objects.filter(study=study).values_list("pk", "locale"))
    rows = []
    for pk, rater in sorted(raters.items(), key=lambda pair: pair[1].pseudonym):
        values = {
            "rater": rater.pseudonym,
            "simulated": rater.simulated,
            "excluded": bool(rater.reason),
            "exclusion_reason": rater.reason,
            "judgements": given[rater.pseudonym],
            "counted": counted[rater.pseudonym],
            "checks_passed": rater.passed,
            "checks_failed": rater.failed,
            "locale": locales.get(pk, ""),
        }
        rows.append([values[field.name] for field in RATERS])
    return rows


def judgement_row(values: dict[str, Any]) -> list[Any]:
    """A judgement's columns in their order; empty texts of studies without them stay empty."""
    return [values[field.name] for field in JUDGEMENTS]
