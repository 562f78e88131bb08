"""How far raters agree over all items in use: one number, as the live page and the headline show it."""

from __future__ import annotations

from annotation_site.reports.data import Booleans, StudyData
from annotation_site.reports.measures import Measure
from annotation_site.reports.outcomes import RATINGS, SETS, Outcomes
from annotation_site.reports.presence import SETS as SET_DISTANCES
from attribution.analysis.aggregation import Status
from attribution.analysis.alpha import Floats, Level, Patterns

METRICS: dict[str, Level | Floats] = {"likert": "ordinal", "presence": SET_DISTANCES, "change": "nominal"}


def agreement(data: StudyData, found: Outcomes, which: Booleans) -> Measure:
    """Alpha without its interval: ordinal on pairs that are not dropped, on sets of nouns with MASI, or nominal.

    ``found`` are the outcomes of the judgements of ``which`` (N,).
    """
    patterns = _patterns(data, found, which)
    reason = patterns.undefined().replace("unit", "pair" if data.facts.kind == "likert" else "image")
    if reason:
        return Measure.undefined(reason)
    return Measure.number(patterns.alpha(METRICS[data.facts.kind]), "")


def pairable(data: StudyData, found: Outcomes, which: Booleans) -> int:
    """How many answers alpha compares: those to items that have at least two."""
    patterns = _patterns(data, found, which)
    return int(patterns.counts.sum(axis=1) @ patterns.units)


def _patterns(data: StudyData, found: Outcomes, which: Booleans) -> Patterns:
    counts = data.counts(data.first(which))[data.in_use & ~found.having(Status.DROPPED)]
    return Patterns.from_counts(counts[:, : RATINGS if data.facts.kind == "likert" else SETS])
