"""Items with known answers, found in the tiny world's pictures: its segmenter says where each thing is."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, Word
from annotation_site.studies.gold import GOOD, POOR, Mask, add_gold_item, add_known_item, store_mask
from annotation_site.studies.models import Item, Study
from attribution.tinyworld import segmenter

TINYWORLD = "tinyworld"
THINGS = ("NOUN", "PROPN")
FUNCTION_WORDS = ("DET", "ADP", "CCONJ")
# Both ends of the scale and their neighbours in turn: never the middle, which an inattentive rater may choose as well.
INSTRUCTED_RATINGS = (5, 1, 4, 2)
INSTRUCTED_PRESENCE = ((False, False), (True, True))


class NothingKnown(Exception):
    """The study's pictures offer no known answers; the message says what to do."""


def pictures(study: Study) -> list[Generation]:
    """The study's finished pictures in the order of their items."""
    wanted = study.items.in_use().filter(generation__state=Generation.State.DONE).order_by("position")
    numbers = list(dict.fromkeys(wanted.values_list("generation", flat=True)))
    rows = Generation.objects.select_related("prompt", "recipe").in_bulk(numbers)
    return [rows[number] for number in numbers]


def masks(generation: Generation) -> list[tuple[Word, Mask]]:
    """The words that name a thing seen exactly once in the picture, with its mask (64, 64) bool, in reading order."""
    found = _found(generation)
    words = [word for word in generation.prompt.words.all() if word.tag in THINGS]
    once = [word for word in words if sum(other.text == word.text for other in words) == 1]
    seen = {word: [thing.mask for thing in found if thing.noun == word.text] for word in once}
    return [(word, things[0]) for word, things in seen.items() if len(things) == 1]


def _found(generation: Generation) -> list[segmenter.Found]:
    if generation.recipe.model != TINYWORLD:
        raise NothingKnown(
            f"The pictures of {generation.recipe.model!r} come without masks: name them in a --manifest, "
            "see docs/designing-a-study.md."
        )
    with Image.open(io.BytesIO(files.read(str(generation.image.name)))) as image:
        return segmenter.find(np.asarray(image.convert("RGB")))


def add_gold(study: Study, count: int) -> list[Item]:
    """``count`` gold items: masks and complements in turn, or pictures whose two things are known."""
    if study.kind == Study.Kind.PRESENCE:
        return list(itertools.islice(_presence(study, Item.Purpose.GOLD), count))
    made: list[Item] = []
    for generation in pictures(study):
        if len(made) == count:
            break
        # A picture each, so that nobody who has seen the good map of a word meets its poor one.
        for word, mask in itertools.islice(_unasked(study, generation, masks(generation)), 1):
            made.append(add_gold_item(study, generation, word, mask, good=len(made) % 2 == 0))
    return made


def add_practice(study: Study, count: int) -> list[Item]:
    """``count`` items to practise on: a good map, another thing's map, and a word too abstract, in turn."""
    if study.kind == Study.Kind.PRESENCE:
        return list(itertools.islice(_presence(study, Item.Purpose.PRACTICE), count))
    made: list[Item] = []
    # From the end, so that gold, taken from the beginning, shows other pictures.
    for generation in reversed(pictures(study)):
        if len(made) == count:
            break
        item = _PRACTICE[len(made) % len(_PRACTICE)](study, generation)
        made += [item] if item else []
    return made


def _good(study: Study, generation: Generation) -> Item | None:
    for word, mask in _unasked(study, generation, masks(generation)):
        return add_known_item(study, generation, word, purpose=Item.Purpose.PRACTICE, known=GOOD, **store_mask(mask))
    return None


def _poor(study: Study, generation: Generation) -> Item | None:
    there = masks(generation)
    for word, _ in _unasked(study, generation, there):
        for other, mask in there:
            if other.lemma != word.lemma:
                reasons = {"en": f"The highlighting is on “{other.text}”, not on “{word.text}”."}
                reasons["ko"] = f"강조된 곳은 “{word.text}”이(가) 아니라 “{other.text}”입니다."
                known = {**POOR, "reasons": reasons}
                kept: dict[str, Any] = {"purpose": Item.Purpose.PRACTICE, "known": known}
                return add_known_item(study, generation, word, **kept, **store_mask(mask))
    return None


def _abstract(study: Study, generation: Generation) -> Item | None:
    words = [(word, None) for word in generation.prompt.words.all() if word.tag in FUNCTION_WORDS]
    known = {"opt_out": "word_too_abstract"}
    for word, _ in _unasked(study, generation, words):
        return add_known_item(study, generation, word, purpose=Item.Purpose.PRACTICE, known=known)
    return None


_PRACTICE = (_good, _poor, _abstract)


def _unasked(study: Study, generation: Generation, words: list[tuple[Word, Any]]) -> Iterator[tuple[Word, Any]]:
    """Those that the study does not ask about in this picture, so that nobody meets a word of a picture twice."""
    asked = set(study.items.filter(generation=generation).values_list("word", flat=True))
    return ((word, mask) for word, mask in words if word.pk not in asked)


def _presence(study: Study, purpose: str) -> Iterator[Item]:
    """Pictures in which all that is seen is among the two things asked for: gold from the front, practice from the
    back."""
    items = list(study.items.in_use().filter(generation__state=Generation.State.DONE).order_by("position"))
    for item in items if purpose == Item.Purpose.GOLD else reversed(items):
        asked = (item.word.text, item.second_word.text if item.second_word else "")
        seen = [thing.noun for thing in _found(item.generation)]
        if seen and set(seen) <= set(asked):
            known = {"first_present": asked[0] in seen, "second_present": asked[1] in seen}
            yield add_known_item(
                study, item.generation, item.word, second_word=item.second_word, purpose=purpose, known=known
            )


def add_instructed(study: Study, count: int) -> list[Item]:
    """``count`` checks whose question says which answer to choose, on pictures spread over the study."""
    stimuli = list(study.items.in_use().filter(generation__state=Generation.State.DONE).order_by("position"))
    step = max(1, len(stimuli) // max(1, count))
    return [_instructed(study, item, number) for number, item in enumerate(stimuli[::step][:count])]


def _instructed(study: Study, item: Item, number: int) -> Item:
    kept: dict[str, Any] = {"purpose": Item.Purpose.INSTRUCTED, "second_word": item.second_word}
    if study.kind == Study.Kind.PRESENCE:
        first, second = INSTRUCTED_PRESENCE[number % len(INSTRUCTED_PRESENCE)]
        known: dict[str, Any] = {"first_present": first, "second_present": second}
        return add_known_item(study, item.generation, item.word, known=known, **kept)
    rating = INSTRUCTED_RATINGS[number % len(INSTRUCTED_RATINGS)]
    words = [(word, None) for word in item.generation.prompt.words.filter(tag__in=THINGS)]
    word = next((word for word, _ in _unasked(study, item.generation, words)), item.word)
    return add_known_item(study, item.generation, word, known={"lowest": rating, "highest": rating}, **kept)
