"""Presence studies in parts: the test that reckons with noun pairs, each group of nouns, each noun."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from annotation_site.reports.data import Booleans, StudyData
from annotation_site.reports.likert import Rules
from annotation_site.reports.measures import Measure, Share
from annotation_site.reports.nouns import group_of
from annotation_site.reports.outcomes import Outcomes
from annotation_site.reports.presence import COMPARED, NO_ANSWERS, NO_IMAGES
from attribution.analysis.clustered import compare_proportions
from attribution.analysis.intervals import wilson

PERMUTATIONS = 5_000


@dataclass(frozen=True)
class ClusteredTest:
    """Non-cohyponyms minus cohyponyms, right images, noun pairs being what was drawn; p by permuting whole pairs."""

    difference: Measure
    p: Measure
    chi_squared: Measure
    p_rao_scott: Measure
    first_pairs: int
    second_pairs: int


@dataclass(frozen=True)
class PartRow:
    """The images of one group of nouns, or with one noun; ``both`` are single answers that saw both nouns."""

    condition: str
    part: str
    images: int
    scored: int
    right_images: int
    right: Measure
    both: Share


def clustered_test(data: StudyData, found: Outcomes, rules: Rules) -> ClusteredTest:
    """The paper's contrast when the images of one noun pair resemble each other."""
    scored = data.in_use & ~np.isnan(found.score)
    sides = [scored & data.of_group(name) for name in COMPARED]
    pairs = [_labels(data, side) for side in sides]
    numbers = [len(set(names)) for names in pairs]
    compared = compare_proportions(
        found.score[sides[0]],
        found.score[sides[1]],
        pairs[0],
        pairs[1],
        rng=rules.rng("clustered test"),
        permutations=PERMUTATIONS,
    )
    difference = Measure.of_estimate(compared.difference, cluster="noun pair")
    reason = difference.reason or "no p value"
    return ClusteredTest(
        difference=difference,
        p=Measure.number(compared.p_value, reason),
        chi_squared=Measure.number(compared.chi_squared, reason),
        p_rao_scott=Measure.number(compared.p_rao_scott, reason),
        first_pairs=numbers[0],
        second_pairs=numbers[1],
    )


def _labels(data: StudyData, which: Booleans) -> list[str]:
    # A pair belongs to one condition; its name says so, whatever the data holds.
    return [
        f"{data.items.groups[group]}: {data.items.pairs[pair]}"
        for group, pair in zip(data.items.group[which], data.items.pair[which], strict=True)
    ]


def group_rows(data: StudyData, found: Outcomes) -> tuple[PartRow, ...]:
    """A row for each condition's groups of nouns, by condition and name."""
    groups = [group_of(pair) for pair in data.items.pairs]
    return _rows(data, found, [(group,) for group in groups])


def object_rows(data: StudyData, found: Outcomes) -> tuple[PartRow, ...]:
    """A row for each condition's nouns, by condition and name; an image of two nouns is in two rows."""
    return _rows(data, found, [tuple(pair.split(" and ")) for pair in data.items.pairs])


def _rows(data: StudyData, found: Outcomes, parts: list[tuple[str, ...]]) -> tuple[PartRow, ...]:
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for item in np.flatnonzero(data.in_use):
        condition = data.items.groups[data.items.group[item]]
        for part in parts[data.items.pair[item]]:
            places[condition, part].append(int(item))
    return tuple(_row(condition, part, found, places[condition, part]) for condition, part in sorted(places))


def _row(condition: str, part: str, found: Outcomes, members: list[int]) -> PartRow:
    scores, counts = found.score[members], found.counts[members, :4].sum(axis=0)
    scored, right = int(np.count_nonzero(~np.isnan(scores))), int(np.nansum(scores))
    return PartRow(
        condition=condition,
        part=part,
        images=len(members),
        scored=scored,
        right_images=right,
        right=Measure.of(right / scored, wilson(right, scored)) if scored else Measure.undefined(NO_IMAGES),
        both=Share(int(counts[0]), int(counts.sum()), NO_ANSWERS),
    )
