"""The visuosyntactic analysis: how much the maps of a head and its dependent share, relation by relation.

Each image is measured once (:func:`measure`), into a record that JSON can hold; :class:`Syntax` adds records up, in any
order, in memory that grows with the number of relations only. Source: Tang et al., ACL 2023, section 4.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from attribution.analysis.grouped import GroupedMeans
from attribution.analysis.intervals import Estimate
from attribution.analysis.overlap import Floats, Overlaps
from attribution.analysis.relations import Convention, Pair, Words, coreferent, related, unrelated

MEASURES = ("iou", "iod", "ioh", "difference", "empty")
RELATED, UNRELATED, COREFERENT = "all head-dependent pairs", "unrelated pairs", "coreferent pairs"
BASELINES = (RELATED, UNRELATED, COREFERENT)
COMMONEST = 10
EXAMPLES = 3
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SyntaxRow:
    """One relation, or one baseline. All but the counts are means over pairs, with intervals by prompt.

    ``difference`` is IoD minus IoH: above 0, less of the head lies in the dependent than the other way round, for the
    head's map is the larger. ``to_unrelated`` is IoU less that of unrelated pairs. ``pairs`` and ``images`` count;
    ``empty`` is the share of pairs with an empty map, which count as 0.
    """

    relation: str
    pairs: int
    images: int
    iou: Estimate
    iod: Estimate
    ioh: Estimate
    difference: Estimate
    to_unrelated: Estimate
    empty: float


@dataclass(frozen=True, slots=True, order=True)
class Example:
    """A pair of one image, by how much its maps share."""

    iou: float
    name: str
    head: int
    dependent: int
    iod: float
    ioh: float


def measure(
    words: Words,
    places: Mapping[int, int],
    tokens_of: Mapping[int, frozenset[int]],
    overlaps: Overlaps,
    convention: Convention = "enhanced",
) -> Record:
    """What one image adds: per group its number of pairs and the sums of MEASURES, and its pairs by relation.

    ``places`` maps a word's index to its row in ``overlaps``. Pairs with a word that has no map, and pairs of words
    that share a token and so a map, are left out and counted.
    """
    kinds = {RELATED: related(words, convention), UNRELATED: unrelated(words), COREFERENT: coreferent(words)}
    kept = {name: _comparable(pairs, places, tokens_of) for name, pairs in kinds.items()}
    mapped = {name: [p for p in pairs if p.head in places and p.dependent in places] for name, pairs in kinds.items()}
    iou, over_area, areas = overlaps.iou, overlaps.over_area, overlaps.areas
    rows = {name: _values(pairs, places, iou, over_area, areas) for name, pairs in kept.items()}
    groups = {name: [len(values), *values.sum(axis=0).tolist()] for name, values in rows.items()}
    by_relation: dict[str, list[list[float]]] = {}
    for pair, values in zip(kept[RELATED], rows[RELATED].tolist(), strict=True):
        by_relation.setdefault(pair.relation, []).append([pair.head, pair.dependent, *values])
    return {
        "groups": groups,
        "relations": by_relation,
        "without_map": sum(len(kinds[name]) - len(mapped[name]) for name in (RELATED, COREFERENT)),
        "one_token": sum(len(mapped[name]) - len(kept[name]) for name in kinds),
    }


@dataclass
class Syntax:
    """Adds records of images up; ``seed`` decides the bootstrap."""

    seed: int = 0
    resamples: int = 1000
    without_map: int = 0
    one_token: int = 0
    images: int = 0
    means: GroupedMeans = field(init=False)
    _best: dict[str, list[Example]] = field(default_factory=dict, init=False)
    _worst: dict[str, list[Example]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.means = GroupedMeans(MEASURES, self.seed, self.resamples)

    def add(self, name: str, prompt: str, record: Record) -> None:
        """Add the record of image ``name``; images of one ``prompt`` are one cluster."""
        for group, (count, *sums) in record["groups"].items():
            self.means.add(prompt, group, int(count), sums)
        for relation, rows in record["relations"].items():
            sums = np.sum([row[2:] for row in rows], axis=0)
            self.means.add(prompt, relation, len(rows), sums)
            self._remember(relation, (Example(row[2], name, int(row[0]), int(row[1]), row[3], row[4]) for row in rows))
        self.without_map += record["without_map"]
        self.one_token += record["one_token"]
        self.images += 1

    def commonest(self, number: int = COMMONEST) -> list[str]:
        """The relations with the most pairs, most first."""
        return [group for group in self.means.groups if group not in BASELINES][:number]

    def rows(self, number: int = COMMONEST) -> list[SyntaxRow]:
        """The ``number`` commonest relations, commonest first, and then the three baselines."""
        return [self._row(group) for group in [*self.commonest(number), *BASELINES]]

    def examples(self, relation: str) -> tuple[list[Example], list[Example]]:
        """The pairs of a relation that share most, most first, and that share least, least first."""
        best = sorted(self._best.get(relation, []), reverse=True)
        worst = sorted(_turned(example) for example in self._worst.get(relation, []))
        return best, [example for example in worst if example not in best]

    def _row(self, group: str) -> SyntaxRow:
        iou, iod, ioh, difference, empty = (self.means.mean(group, name) for name in MEASURES)
        to_unrelated = self.means.difference(group, UNRELATED, "iou")
        if group == UNRELATED:
            to_unrelated = Estimate.undefined("the baseline itself")
        counts = self.means.count(group), self.means.additions(group)
        return SyntaxRow(group, *counts, iou, iod, ioh, difference, to_unrelated, empty.value)

    def _remember(self, relation: str, examples: Iterable[Example]) -> None:
        best, worst = self._best.setdefault(relation, []), self._worst.setdefault(relation, [])
        for example in examples:
            _push(best, example)
            _push(worst, _turned(example))


def _comparable(pairs: Sequence[Pair], places: Mapping[int, int], tokens: Mapping[int, frozenset[int]]) -> list[Pair]:
    return [
        pair
        for pair in pairs
        if pair.head in places and pair.dependent in places and tokens[pair.head].isdisjoint(tokens[pair.dependent])
    ]


def _values(pairs: Sequence[Pair], places: Mapping[int, int], iou: Floats, over_area: Floats, areas: Floats) -> Floats:
    """MEASURES of each pair, (pair, measure)."""
    heads = np.array([places[pair.head] for pair in pairs], dtype=int)
    dependents = np.array([places[pair.dependent] for pair in pairs], dtype=int)
    iod, ioh = over_area[dependents, heads], over_area[heads, dependents]
    empty = (areas[heads] == 0) | (areas[dependents] == 0)
    return np.stack([iou[heads, dependents], iod, ioh, iod - ioh, empty.astype(float)], axis=1)


def _turned(example: Example) -> Example:
    """The same example with its order turned round, so that one kind of heap keeps either end."""
    return Example(-example.iou, example.name, example.head, example.dependent, example.iod, example.ioh)


def _push(heap: list[Example], example: Example) -> None:
    if len(heap) < EXAMPLES:
        heapq.heappush(heap, example)
    elif example > heap[0]:
        heapq.heapreplace(heap, example)
