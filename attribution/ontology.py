"""Cohyponyms: objects that share a hypernym, as data for COCO's 80, and prompts of two nouns to compare them by.

Source: Tang et al., "What the DAAM", ACL 2023, section 5.1: prompts "a(n) X and a(n) Y", half of cohyponyms.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any, Final

from attribution.errors import AnalysisError
from attribution.language.articles import phrase

COHYPONYMS, OTHERS = "cohyponyms", "non-cohyponyms"
_PROMPT: Final = re.compile(r"\s*an?\s+(?P<first>\S.*?)\s+and\s+an?\s+(?P<second>\S.*?)\s*\.?\s*", re.IGNORECASE)

# fmt: off
#: The authors' leaf groups. Their hypernyms, nearest first, stand in COCO_HYPERNYMS.
COCO_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "two-wheelers": ("bicycle", "motorcycle"),
    "four-wheelers": ("bus", "truck", "car"),
    "livestock": ("cow", "horse", "sheep"),
    "pets": ("cat", "dog"),
    "wild animals": ("elephant", "bear", "zebra", "giraffe"),
    "bags": ("backpack", "handbag", "suitcase"),
    "sports boards": ("snowboard", "surfboard", "skateboard"),
    "utensils": ("fork", "knife", "spoon"),
    "receptacles": ("bowl", "cup"),
    "fruits": ("banana", "apple", "orange"),
    "meals": ("sandwich", "hot dog", "pizza"),
    "desserts": ("cake", "donut"),
    "furniture": ("chair", "couch", "bench"),
    "monitors": ("tv", "cell phone", "laptop"),
    "appliances": ("oven", "toaster", "refrigerator"),
}
COCO_HYPERNYMS: Final[dict[str, tuple[str, ...]]] = {
    "two-wheelers": ("wheeled vehicle", "vehicle", "artifact"),
    "four-wheelers": ("wheeled vehicle", "vehicle", "artifact"),
    "livestock": ("mammal", "animal", "living thing"),
    "pets": ("mammal", "animal", "living thing"),
    "wild animals": ("mammal", "animal", "living thing"),
    "bags": ("container", "artifact"),
    "sports boards": ("sports equipment", "artifact"),
    "utensils": ("tableware", "artifact"),
    "receptacles": ("container", "artifact"),
    "fruits": ("produce", "food"),
    "meals": ("dish", "food"),
    "desserts": ("dish", "food"),
    "furniture": ("furnishing", "artifact"),
    "monitors": ("electronic device", "artifact"),
    "appliances": ("home appliance", "artifact"),
}
#: COCO's other objects: alone under their hypernym, or without an article ("scissors"), so in no group of the authors'.
COCO_UNGROUPED: Final[dict[str, tuple[str, ...]]] = {
    "person": ("living thing",), "bird": ("animal", "living thing"), "potted plant": ("plant", "living thing"),
    "airplane": ("aircraft", "vehicle", "artifact"), "boat": ("watercraft", "vehicle", "artifact"),
    "train": ("public transport", "vehicle", "artifact"), "traffic light": ("signal", "artifact"),
    "stop sign": ("signal", "artifact"), "fire hydrant": ("street fixture", "artifact"),
    "parking meter": ("street fixture", "artifact"), "umbrella": ("accessory", "artifact"),
    "tie": ("accessory", "artifact"), "frisbee": ("sports equipment", "artifact"),
    "skis": ("sports equipment", "artifact"), "sports ball": ("sports equipment", "artifact"),
    "kite": ("toy", "artifact"), "baseball bat": ("sports equipment", "artifact"),
    "baseball glove": ("sports equipment", "artifact"), "tennis racket": ("sports equipment", "artifact"),
    "bottle": ("container", "artifact"), "wine glass": ("container", "artifact"), "broccoli": ("produce", "food"),
    "carrot": ("produce", "food"), "bed": ("furnishing", "artifact"), "dining table": ("furnishing", "artifact"),
    "toilet": ("plumbing fixture", "artifact"), "sink": ("plumbing fixture", "artifact"),
    "mouse": ("computer peripheral", "artifact"), "remote": ("electronic device", "artifact"),
    "keyboard": ("computer peripheral", "artifact"), "microwave": ("home appliance", "artifact"),
    "book": ("publication", "artifact"), "clock": ("timepiece", "artifact"), "vase": ("container", "artifact"),
    "scissors": ("tool", "artifact"), "teddy bear": ("toy", "artifact"),
    "hair drier": ("personal care item", "artifact"), "toothbrush": ("personal care item", "artifact"),
}
# fmt: on


@dataclass(frozen=True)
class Ontology:
    """``groups``: nouns that share a nearest hypernym, by its name; ``hypernyms``: those above it, nearest first."""

    groups: Mapping[str, tuple[str, ...]]
    hypernyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        nouns = [noun for members in self.groups.values() for noun in members]
        twice = sorted({noun for noun in nouns if nouns.count(noun) > 1})
        if twice:
            raise AnalysisError(f"an ontology names {', '.join(twice)} in two groups: give each noun one")

    def group_of(self, noun: str) -> str | None:
        """The name of a noun's group, case aside; None for a noun in no group."""
        wanted = noun.lower()
        return next((name for name, nouns in self.groups.items() if wanted in map(str.lower, nouns)), None)

    def condition(self, first: str, second: str) -> str | None:
        """COHYPONYMS for two nouns of one group, OTHERS for two of different groups, None where either has none."""
        groups = self.group_of(first), self.group_of(second)
        if None in groups or first.lower() == second.lower():
            return None
        return COHYPONYMS if groups[0] == groups[1] else OTHERS

    def nouns_in(self, prompt: str) -> tuple[tuple[str, int, int], tuple[str, int, int]] | None:
        """The two nouns of a prompt "a(n) X and a(n) Y" as (text, start, end); None for other prompts."""
        match = _PROMPT.fullmatch(prompt)
        if match is None or self.condition(match["first"], match["second"]) is None:
            return None
        return (match["first"], *match.span("first")), (match["second"], *match.span("second"))

    def to_json(self) -> str:
        """The ontology as text that :func:`read_ontology` reads."""
        return json.dumps({"groups": self.groups, "hypernyms": self.hypernyms}, ensure_ascii=False, indent=1)


COCO: Final = Ontology(COCO_GROUPS, COCO_HYPERNYMS)


@dataclass(frozen=True, slots=True)
class NounPair:
    """A prompt of two nouns, each (text, start, end), and its condition."""

    text: str
    nouns: tuple[tuple[str, int, int], tuple[str, int, int]]
    condition: str


def noun_pairs(ontology: Ontology, count: int, seed: int) -> list[NounPair]:
    """``count`` prompts, conditions alternating: half cohyponyms, half nouns of different groups.

    Each noun stands equally often first, and equally often second, in both halves. Ordered pairs of cohyponyms repeat
    only once all were used. Raises AnalysisError for an odd count, and where the groups cannot be matched so.
    """
    if count < 2 or count % 2:
        raise AnalysisError(f"{count} prompts cannot be half cohyponyms and half others: give an even number")
    rng = random.Random(seed)  # noqa: S311 - a reproducible sample, no secret
    alike = _dealt(ontology, count // 2, rng)
    apart = _matched(alike, ontology, rng)
    return [_pair(nouns, condition) for pair in zip(alike, apart, strict=True)
            for nouns, condition in zip(pair, (COHYPONYMS, OTHERS), strict=True)]  # fmt: skip


def read_ontology(path: Path) -> Ontology:
    """An ontology from a JSON file: ``{"groups": {name: [noun, ...]}, "hypernyms": {name: [name, ...]}}``."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        groups = {str(name): tuple(map(str, nouns)) for name, nouns in content["groups"].items()}
        above = {str(name): tuple(map(str, names)) for name, names in content.get("hypernyms", {}).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AnalysisError(f"{path} is no ontology: {type(error).__name__}: {error}; it needs 'groups'") from error
    return Ontology(groups, above)


def _dealt(ontology: Ontology, count: int, rng: random.Random) -> list[tuple[str, str]]:
    """Ordered pairs of cohyponyms, a shuffled deck of all of them dealt as often as it takes."""
    deck = [pair for nouns in ontology.groups.values() for pair in permutations(nouns, 2)]
    if not deck:
        raise AnalysisError("the ontology has no group of two nouns: there are no cohyponyms to ask about")
    dealt: list[tuple[str, str]] = []
    while len(dealt) < count:
        dealt += rng.sample(deck, len(deck))
    return dealt[:count]


def _matched(alike: Sequence[tuple[str, str]], ontology: Ontology, rng: random.Random) -> list[tuple[str, str]]:
    """The same first and second nouns, put together anew so that no pair shares a group."""
    first, second = [pair[0] for pair in alike], [pair[1] for pair in alike]
    rng.shuffle(second)
    group = {noun: name for name, nouns in ontology.groups.items() for noun in nouns}
    for at in range(len(first)):
        if group[first[at]] != group[second[at]]:
            continue
        fits = [
            k
            for k in range(len(first))
            if group[first[at]] != group[second[k]] and group[first[k]] != group[second[at]]
        ]
        if not fits:
            raise AnalysisError(
                f"{len(alike)} pairs of cohyponyms cannot be matched with others: one group has more than half of the "
                "nouns drawn; ask for more prompts, or give an ontology with more groups"
            )
        chosen = rng.choice(fits)
        second[at], second[chosen] = second[chosen], second[at]
    return list(zip(first, second, strict=True))


def _pair(nouns: tuple[str, str], condition: str) -> NounPair:
    first, second = (phrase(noun) for noun in nouns)
    text = f"{first} and {second}"
    ends = len(first), len(text)
    one, two = ((noun, end - len(noun), end) for noun, end in zip(nouns, ends, strict=True))
    return NounPair(text, (one, two), condition)
