"""Worked examples for a study's instructions, from its own pictures: a word's map, and another word's map for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation_site.stimuli.models import Generation, Word
from annotation_site.stimuli.stored_maps import heat_maps
from annotation_site.studies.models import Item, Study
from attribution.errors import AttributionError
from attribution.maps import HeatMap

THINGS = ("NOUN", "PROPN")
LOOKED_AT = 12
TOO_ALIKE = 0.9


@dataclass(frozen=True)
class Example:
    """A picture, the word in question, and another word whose map misses it."""

    generation: Generation
    word: Word
    other: Word


def worked_example(study: Study) -> Example | None:
    """The clearest example among the study's first pictures: the two maps that are least alike.

    Its word is one that the study does not ask about in that picture, so that no answer is given away. None where no
    picture is made yet, no caption names two things, or all maps look the same.
    """
    if study.kind != Study.Kind.LIKERT:
        return None
    found = [scored for generation in _pictures(study) for scored in _examples(study, generation)]
    alike, _, example = min(found, key=lambda scored: scored[:2], default=(1.0, 0, None))
    return example if alike < TOO_ALIKE else None


def _pictures(study: Study) -> list[Generation]:
    wanted = study.items.filter(withdrawn_at__isnull=True, generation__state=Generation.State.DONE)
    numbers = wanted.order_by("position").values_list("generation", flat=True)[:LOOKED_AT]
    return list(Generation.objects.filter(pk__in=list(numbers)).select_related("prompt", "recipe"))


def _examples(study: Study, generation: Generation) -> list[tuple[float, int, Example]]:
    """Each pair of things that the caption names once, with how alike their maps are, from 0 to 1."""
    asked = set(Item.objects.filter(study=study, generation=generation).values_list("word", flat=True))
    things = [word for word in generation.prompt.words.all() if word.tag in THINGS]
    try:
        maps = heat_maps(generation)
        drawn = {word.pk: maps.word(word.start, word.end) for word in things}
    except (AttributionError, OSError):
        return []
    return [
        (alike(drawn[word.pk], drawn[other.pk]), word.pk, Example(generation, word, other))
        for word in things
        for other in things
        if word.pk not in asked and word.lemma != other.lemma
    ]


def alike(first: HeatMap, second: HeatMap) -> float:
    """Cosine of the angle between two maps of one picture: 1 for the same map, 0 where they share no place."""
    a, b = (heat_map.values.astype(np.float64).ravel() for heat_map in (first, second))
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else 1.0
