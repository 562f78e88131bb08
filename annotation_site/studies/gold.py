"""Items whose right answer is known: to practise on, and to check raters by.

A gold map is the mask of what a word shows, and is good; its complement is everything else, and is poor. Both are
stored as ``.npy`` of float32 [height, width] in 0..1, named by their hash, and read by
:func:`annotation_site.studies.maps.item_map`.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from numpy.typing import NDArray

from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, Word
from annotation_site.studies.maps import item_map
from annotation_site.studies.models import Item, KnownAnswer, Study
from attribution.errors import AttributionError

Mask = NDArray[np.bool_]
GOOD: dict[str, Any] = {"lowest": 4, "highest": 5}
POOR: dict[str, Any] = {"lowest": 1, "highest": 2}
CHECKS = (Item.Purpose.INSTRUCTED, Item.Purpose.GOLD)


class NotAMask(Exception):
    """The mask marks nothing or everything, so it cannot tell a good map from a poor one."""


class StudyStarted(Exception):
    """The study is open: its raters are to meet the same practice and checks."""


def store_mask(mask: Mask) -> dict[str, Any]:
    """Write a mask [height, width] as a map; the fields of an item that shows it.

    The file is named by what is in it, so storing it twice is storing it once. Raises NotAMask.
    """
    if mask.ndim != 2 or mask.all() or not mask.any():
        raise NotAMask(
            f"A mask of shape {mask.shape} marks {int(mask.sum())} of {mask.size} pixels: "
            "it must mark some, and not all."
        )
    buffer = io.BytesIO()
    np.save(buffer, mask.astype(np.float32), allow_pickle=False)
    content = buffer.getvalue()
    digest = files.sha256(content)
    name = f"masks/{digest[:2]}/{digest}.npy"
    files.write(name, content)
    return {"map_source": Item.MapSource.FILE, "map_file": name, "map_sha256": digest}


@transaction.atomic
def add_known_item(
    study: Study,
    generation: Generation,
    word: Word,
    *,
    purpose: str,
    known: dict[str, Any],
    second_word: Word | None = None,
    **shown: Any,
) -> Item:
    """An item with a known answer, after the study's other items; ``shown`` are the fields that choose its map.

    Not for studies of what changed, where no answer is known: raises ValidationError.

    The same item again is the one that is there; with another answer it is refused by a ValidationError, as is an
    answer that is none, and a word without a map. Raises StudyStarted when the study is no draft any more.
    """
    if study.state != Study.State.DRAFT:
        raise StudyStarted(
            f"Study {study.slug!r} is {study.state}: practice and checks are added before it opens, so that all of "
            "its raters meet the same."
        )
    if study.kind == Study.Kind.CHANGE:
        raise ValidationError(
            "Nobody knows what changed between two images: this kind has neither practice nor checks."
        )
    own = {"map_source": Item.MapSource.OWN, "map_word": None, "map_file": "", "map_sha256": ""}
    fields = {"generation": generation, "word": word, "second_word": second_word, "purpose": purpose, **own, **shown}
    there = study.items.filter(**fields).select_related("known").first()
    if there is not None:
        if any(getattr(there.known, name) != value for name, value in known.items()):
            raise ValidationError(f"“{word.text}” in this picture is there already, with another right answer.")
        return there
    last = study.items.aggregate(last=Max("position"))["last"]
    item = Item(study=study, position=0 if last is None else last + 1, **fields)
    item.save()
    answer = KnownAnswer(item=item, **known)
    answer.full_clean()
    answer.save()
    if study.kind == Study.Kind.LIKERT:
        _require_map(item)
    return item


def _require_map(item: Item) -> None:
    """What raters would find missing on the page is found here."""
    try:
        item_map(item)
    except (AttributionError, OSError) as error:
        raise ValidationError(f"“{item.word.text}” in this picture has no map to show: {error}") from error


def add_gold_item(study: Study, generation: Generation, word: Word, mask: Mask, *, good: bool) -> Item:
    """A gold item: the mask of a word as a good map of it, or the mask's complement as a poor one."""
    shown = store_mask(mask if good else ~mask)
    return add_known_item(study, generation, word, purpose=Item.Purpose.GOLD, known=GOOD if good else POOR, **shown)


def what_is_missing(study: Study) -> str:
    """Why the study's rules of practice and checks cannot be kept, with the remedy; empty when they can."""
    there = study.items.filter(withdrawn_at__isnull=True, known__isnull=False)
    if study.practice_pass_mark and not there.filter(purpose=Item.Purpose.PRACTICE).exists():
        return (
            f"Study {study.slug!r} has a pass mark and nothing to practise on: add some with "
            f"`manage.py add_practice {study.slug}`, or set the pass mark to 0."
        )
    if study.check_every and not there.filter(purpose__in=CHECKS).exists():
        return (
            f"Study {study.slug!r} asks one check in {study.check_every} and has none: add some with "
            f"`manage.py add_gold {study.slug}` or `add_instructed {study.slug}`, or set check_every to 0."
        )
    return ""
