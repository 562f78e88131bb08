"""How well word heat maps fit the masks of what the words show, beside guesses that need no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from attribution.maps.heat_maps import HeatMaps
from attribution.tinyworld.grammar import Caption, CaptionWord
from attribution.tinyworld.scenes import SIDE

Mask = NDArray[np.bool_]
TAUS: Final = (0.3, 0.4, 0.5)
KINDS: Final = ("nouns", "names", "grounds", "colours")


@dataclass(frozen=True, slots=True)
class MapScore:
    """One word of one picture: intersection over union of its map at each tau, of the guesses, and whether its own
    thing is the densest of the picture. None where the caption has no other word, or the picture no other thing."""

    picture: int
    kind: str
    overlaps: tuple[float, ...]
    others: tuple[float, ...] | None
    whole: float
    box: float
    densest: bool | None


def kind_of(word: CaptionWord) -> str | None:
    """Which of the table's kinds a word is of."""
    if word.shows == "ground":
        return "grounds"
    if word.colour:
        return "colours"
    if word.shows != "object":
        return None
    return {"NOUN": "nouns", "PROPN": "names"}.get(word.tag)


def score_maps(picture: int, caption: Caption, maps: HeatMaps, masks: Mapping[int, Mask]) -> list[MapScore]:
    """Scores of a picture's words; ``masks`` has what word k shows, (64, 64) bool, for each word k to be scored."""
    large = maps.resized(SIDE, SIDE)
    scores = []
    for index, mask in masks.items():
        word, other = caption.words[index], _other(caption, index)
        kind = kind_of(word)
        if kind is None or not mask.any():
            continue
        own = large.word(word.start, word.end)
        another = large.word(other.start, other.end) if other else None
        rivals = [masks[k] for k, w in enumerate(caption.words) if k in masks and _rivals(word, w) and masks[k].any()]
        scores.append(
            MapScore(
                picture,
                kind,
                tuple(overlap(own.mask(tau), mask) for tau in TAUS),
                tuple(overlap(another.mask(tau), mask) for tau in TAUS) if another else None,
                float(mask.mean()),
                overlap(centred_box(), mask),
                _densest(own.values, mask, rivals),
            )
        )
    return scores


def overlap(first: Mask, second: Mask) -> float:
    """Intersection over union; 0 where both are empty."""
    union = (first | second).sum()
    return float((first & second).sum() / union) if union else 0.0


def centred_box() -> Mask:
    """(64, 64) bool: the middle quarter of the picture."""
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4] = True
    return mask


def _other(caption: Caption, index: int) -> CaptionWord | None:
    """Another word of the caption: the next that shows something else, or simply the next."""
    word = caption.words[index]
    after = [*caption.words[index + 1 :], *caption.words[:index]]
    telling = [other for other in after if kind_of(other) and other.things != word.things]
    return next(iter(telling + after), None)


def _rivals(word: CaptionWord, other: CaptionWord) -> bool:
    """Whether ``other`` names a thing that ``word`` does not show."""
    names_thing = kind_of(other) in ("nouns", "names")
    return bool(word.things) and names_thing and not set(word.things) & set(other.things)


def _densest(values: NDArray[np.float32], mask: Mask, rivals: list[Mask]) -> bool | None:
    """Whether the map's mean on ``mask`` is above its mean on every rival's mask."""
    if not rivals:
        return None
    return bool(values[mask].mean() > max(values[rival].mean() for rival in rivals))
