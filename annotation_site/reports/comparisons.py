"""What differs from what: tags two by two, and the arms of a study with the method they are compared with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from annotation_site.reports.data import Booleans, Column, StudyData
from annotation_site.reports.likert import ALL, Rules
from annotation_site.reports.measures import DIGITS, Measure
from annotation_site.reports.outcomes import Outcomes
from annotation_site.studies.arms import REFERENCE
from attribution.analysis.clustered import PairedComparison, compare_pairs
from attribution.analysis.contrasts import Contrast, compare_all, holm

NO_P = "no p value"
PERMUTATIONS = 5_000
RESAMPLES = 1_000


@dataclass(frozen=True)
class ContrastRow:
    """The mean of medians of tag ``first`` minus that of ``second``; intervals and p over images, p by Holm."""

    first: str
    second: str
    difference: Measure
    cliffs_delta: Measure
    hedges_g: Measure
    p: Measure
    p_holm: Measure


@dataclass(frozen=True)
class ArmRow:
    """The same pairs with another map; ``difference`` is the reference's mean of medians minus this arm's.

    ``better``, ``equal``, ``worse``: pairs whose reference map scores higher, the same, lower.
    """

    arm: str
    tag: str
    pairs: int
    reference_mean: Measure
    arm_mean: Measure
    difference: Measure
    better: int
    equal: int
    worse: int
    p: Measure
    p_holm: Measure


def contrast_rows(data: StudyData, found: Outcomes, rules: Rules) -> tuple[ContrastRow, ...]:
    """Every two tags with scored pairs; the first has the higher mean. Most certain differences first."""
    scored = data.in_use & ~np.isnan(found.score)
    names = np.array(data.items.groups, dtype=object)[data.items.group[scored]]
    if len(set(names.tolist())) < 2:
        return ()
    compared = compare_all(
        found.score[scored],
        names.astype(str),
        data.items.image[scored],
        rng=rules.rng("contrasts"),
        resamples=RESAMPLES,
        permutations=PERMUTATIONS,
    )
    rows = [_contrast(each) for each in compared]
    return tuple(sorted(rows, key=lambda row: (_or_last(row.p_holm), -abs(row.difference.value or 0), row.first)))


def _or_last(measure: Measure) -> float:
    return 2.0 if measure.value is None else measure.value


def _contrast(each: Contrast) -> ContrastRow:
    found = each.comparison
    reason = Measure.of_estimate(found.difference).reason or NO_P
    row = ContrastRow(
        first=each.first,
        second=each.second,
        difference=Measure.of_estimate(found.difference),
        cliffs_delta=Measure.of_estimate(found.cliffs_delta),
        hedges_g=Measure.of_estimate(found.hedges_g),
        p=Measure.number(each.p_value, reason),
        p_holm=Measure.number(each.p_holm, reason),
    )
    return row if (row.difference.value or 0) >= 0 else _turned(row)


def _turned(row: ContrastRow) -> ContrastRow:
    return replace(
        row,
        first=row.second,
        second=row.first,
        difference=_negative(row.difference),
        cliffs_delta=_negative(row.cliffs_delta),
        hedges_g=_negative(row.hedges_g),
    )


def _negative(measure: Measure) -> Measure:
    value, low, high = (None if n is None else -n for n in (measure.value, measure.high, measure.low))
    return Measure(value, low, high, measure.reason)


def arm_rows(data: StudyData, found: Outcomes, rules: Rules) -> tuple[ArmRow, ...]:
    """Each other arm against the reference, over all tags and tag by tag; p values adjusted within an arm's tags."""
    if not data.compares_arms:
        return ()
    rows: list[ArmRow] = []
    for arm in data.items.arms:
        if arm != REFERENCE:
            rows += _arm(data, found, rules, arm)
    return tuple(rows)


def _arm(data: StudyData, found: Outcomes, rules: Rules, arm: str) -> list[ArmRow]:
    reference, other = _matched(data, found, arm)
    parts = [(ALL, np.ones(len(reference), dtype=np.bool_))]
    group = data.items.group[reference]
    parts += [(tag, group == code) for code, tag in enumerate(data.items.groups) if (group == code).any()]
    compared = [
        compare_pairs(
            found.score[reference[members]],
            found.score[other[members]],
            data.items.image[reference[members]],
            rng=rules.rng(f"{arm} {tag}"),
            resamples=RESAMPLES,
            permutations=PERMUTATIONS,
        )
        for tag, members in parts
    ]
    # The row of all tags is one question; the tags are several, and corrected as such.
    adjusted = [compared[0].p_value, *holm([each.p_value for each in compared[1:]])]
    return [
        _arm_row(arm, tag, each, p, found.score[reference[members]], found.score[other[members]])
        for (tag, members), each, p in zip(parts, compared, adjusted, strict=True)
    ]


def _matched(data: StudyData, found: Outcomes, arm: str) -> tuple[Column, Column]:
    """Places of the items that show the same word of the same image in both arms, both scored."""
    scored = ~np.isnan(found.score)

    def keyed(which: Booleans) -> dict[tuple[int, int], int]:
        places = np.flatnonzero(which & scored)
        return {(int(data.items.image[at]), int(data.items.target[at])): int(at) for at in places}

    own, others = keyed(data.arm_in_use(REFERENCE)), keyed(data.arm_in_use(arm))
    both = [key for key in own if key in others]
    return np.array([own[key] for key in both], dtype=np.int64), np.array([others[key] for key in both], dtype=np.int64)


def _arm_row(arm: str, tag: str, each: PairedComparison, p_holm: float, own: Column, others: Column) -> ArmRow:
    reason = Measure.of_estimate(each.difference).reason or NO_P
    return ArmRow(
        arm=arm,
        tag=tag,
        pairs=each.pairs,
        reference_mean=_mean(own),
        arm_mean=_mean(others),
        difference=Measure.of_estimate(each.difference),
        better=each.better,
        equal=each.equal,
        worse=each.worse,
        p=Measure.number(each.p_value, reason),
        p_holm=Measure.number(p_holm, reason),
    )


def _mean(values: Column) -> Measure:
    return Measure(round(float(values.mean()), DIGITS)) if len(values) else Measure.undefined("no pair scored in both")
