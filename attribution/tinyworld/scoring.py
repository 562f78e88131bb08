"""Does a picture show what its caption says? Answers by the segmenter, one row for each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.tinyworld.grammar import Caption, Thing
from attribution.tinyworld.segmenter import Found, find, ground_of


@dataclass(frozen=True, slots=True)
class PictureScore:
    """Of a caption's ``things``, how many are there by shape, by colour, by both; is their count right, and the ground.

    Named bodies have no colour of their own: ``coloured`` counts the things whose colour the caption decides.
    """

    things: int
    shapes: int
    coloured: int
    colours: int
    both: int
    count: bool
    ground: bool

    @property
    def right(self) -> bool:
        """Everything is as said: each thing with its shape and colour, no thing more, on the ground."""
        return self.both == self.things and self.count and self.ground


def score(caption: Caption, pixels: NDArray[np.uint8]) -> PictureScore:
    """The score of a picture (64, 64, 3) under its caption."""
    found = find(pixels)
    coloured = [thing.colour for thing in caption.things if thing.colour]
    return PictureScore(
        things=len(caption.things),
        shapes=_shared([thing.noun for thing in caption.things], [thing.noun for thing in found]),
        coloured=len(coloured),
        colours=_shared(coloured, [thing.colour for thing in found]),
        both=_shared([_key(thing) for thing in caption.things], [_key(thing) for thing in found]),
        count=len(found) == len(caption.things),
        ground=ground_of(pixels) == caption.ground,
    )


def assign(caption: Caption, found: Sequence[Found]) -> list[Found | None]:
    """What was found for each of the caption's things: equal in noun and colour, else in noun, else None."""
    rest, assigned = list(found), []
    for thing in caption.things:
        same = [f for f in rest if _key(f) == _key(thing)] or [f for f in rest if f.noun == thing.noun]
        assigned.append(same[0] if same else None)
        if same:
            rest = [f for f in rest if f is not same[0]]
    return assigned


def _key(thing: Thing | Found) -> tuple[str, str]:
    return thing.noun, thing.colour


def _shared(wanted: Sequence[object], seen: Sequence[object]) -> int:
    """The size of the intersection of two multisets."""
    return sum(min(wanted.count(item), seen.count(item)) for item in set(wanted))
