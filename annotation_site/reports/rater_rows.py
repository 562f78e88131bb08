"""How each rater did, and what the headline owes to each: shown together, for none of it is grounds alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation_site.reports.data import MISSING, Booleans, Column, StudyData
from annotation_site.reports.measures import Measure, Share
from annotation_site.reports.outcomes import RATINGS, SETS, outcomes
from annotation_site.reports.presence import SETS as SET_DISTANCES
from attribution.analysis.aggregation import Status
from attribution.analysis.alpha import Floats, Level
from attribution.analysis.latent import dawid_skene
from attribution.analysis.quality import RaterQuality, effective_raters, pace, rater_quality, spammer_scores

# Quicker than this, nobody has looked at two pictures and a prompt (shown beside the median, never grounds alone).
QUICK_SECONDS = 1.5
FEW = "too few answers in common"
# Steps of the fit behind the spammer scores; the scores settle long before the likelihood does.
MOST_STEPS, FEW_STEPS, MANY_ANSWERS = 100, 15, 200_000


@dataclass(frozen=True)
class RaterRow:
    """One rater with answers; measures are of those that count, or would count but for the exclusion.

    ``correlation`` is with the mean of the others' ratings on the same items (Likert studies); ``alpha_without`` is the
    study's alpha without this rater. ``spammer_score``: 0 who answers without looking, 1 who never
    errs (Raykar and Yu). ``excluded`` is the reason, empty for those who count.
    """

    rater: str
    judgements: int
    share: Share
    checks: Share
    median_seconds: Measure
    quick: Measure
    correlation: Measure
    compared: int
    alpha_without: Measure
    alpha_change: Measure
    longest_run: int
    entropy: Measure
    spammer_score: Measure
    excluded: str


@dataclass(frozen=True)
class Crowd:
    """The raters together: how many, how unevenly they share the work, and each of them, most answers first."""

    raters: int
    largest_share: Share
    effective_raters: Measure
    quick_seconds: float
    rows: tuple[RaterRow, ...]


def crowd(data: StudyData, *, simulated: bool = False) -> Crowd:
    """Everybody with answers that count, or would but for an exclusion."""
    which = data.counted(simulated=simulated, excluded=True)
    given = np.bincount(data.judgements.rater[which], minlength=len(data.raters))
    counted = np.bincount(data.judgements.rater[data.counted(simulated=simulated)], minlength=len(data.raters))
    rows = _rows(data, which, given) if which.any() else []
    rows.sort(key=lambda row: (-row.judgements, row.rater))
    some = counted[counted > 0]
    return Crowd(
        raters=len(some),
        largest_share=Share(int(counted.max(initial=0)), int(counted.sum())),
        effective_raters=Measure.number(effective_raters(some), "") if len(some) else Measure.undefined("no answers"),
        quick_seconds=QUICK_SECONDS,
        rows=tuple(rows),
    )


def _rows(data: StudyData, which: Booleans, given: Column) -> list[RaterRow]:
    total = int(given.sum())
    # Agreement is of the same items as the headline's: of the reference arm, on pairs that nobody's opt-out dropped.
    kept = data.in_use & ~outcomes(data, which).having(Status.DROPPED)
    compared = which & kept[data.judgements.item]
    quality, scores = _quality(data, compared), _spammers(data, compared)
    at = {int(name): place for place, name in enumerate(quality.raters)} if quality else {}
    times = _pace(data, which)
    return [
        _row(data, number, given, total, quality, at.get(number), scores, times)
        for number in np.flatnonzero(given).tolist()
    ]


def _row(
    data: StudyData,
    number: int,
    given: Column,
    total: int,
    quality: RaterQuality | None,
    at: int | None,
    scores: dict[int, float],
    times: dict[int, tuple[float, float]],
) -> RaterRow:
    rater, (seconds, quick) = data.raters[number], times.get(number, (np.nan, np.nan))

    def of(name: str) -> float:
        return float("nan") if quality is None or at is None else float(getattr(quality, name)[at])

    return RaterRow(
        rater=rater.pseudonym,
        judgements=int(given[number]),
        share=Share(int(given[number]), total),
        checks=Share(rater.passed, rater.passed + rater.failed, "no checks"),
        median_seconds=Measure.number(seconds, "no times"),
        quick=Measure.number(quick, "no times"),
        correlation=Measure.number(of("correlation"), FEW),
        compared=0 if quality is None or at is None else int(quality.compared[at]),
        alpha_without=Measure.number(of("alpha_without"), "no alpha without"),
        alpha_change=Measure.number(of("alpha_change"), "no alpha without"),
        longest_run=0 if quality is None or at is None else int(quality.longest_run[at]),
        entropy=Measure.number(of("entropy"), "no ratings"),
        spammer_score=Measure.number(scores.get(number, float("nan")), FEW),
        excluded=rater.reason,
    )


def _answers(data: StudyData, which: Booleans) -> tuple[Column, Column, Column, Column]:
    """Items, raters, codes and times of the answers that are no opt-outs, one a rater and item."""
    of = data.judgements
    chosen = which & (of.answer < (RATINGS if data.facts.kind == "likert" else SETS))
    return of.item[chosen], of.rater[chosen], of.answer[chosen].astype(np.int64), of.at[chosen]


def _quality(data: StudyData, which: Booleans) -> RaterQuality | None:
    items, raters, codes, at = _answers(data, which)
    if not len(items):
        return None
    if data.facts.kind == "likert":
        return rater_quality(items, raters, codes + 1, categories=np.arange(1, RATINGS + 1), order=at)
    level: Level | Floats = "nominal" if data.facts.kind == "change" else SET_DISTANCES
    return rater_quality(items, raters, codes, level=level, categories=np.arange(SETS), order=at)


def _spammers(data: StudyData, which: Booleans) -> dict[int, float]:
    """Raykar and Yu's score by rater, from a Dawid-Skene fit; empty with fewer than two raters or answers."""
    items, raters, codes, _ = _answers(data, which)
    if len(np.unique(raters)) < 2 or len(np.unique(codes)) < 2:
        return {}
    steps = MOST_STEPS if len(codes) <= MANY_ANSWERS else FEW_STEPS
    fit = dawid_skene(items, raters, codes, classes=int(codes.max()) + 1, tolerance=1e-6, steps=steps)
    scores = spammer_scores(fit.confusion)
    return {int(rater): float(score) for rater, score in zip(fit.raters, scores, strict=True)}


def _pace(data: StudyData, which: Booleans) -> dict[int, tuple[float, float]]:
    milliseconds = data.judgements.milliseconds[which].astype(np.float64)
    seconds = np.where(milliseconds == MISSING, np.nan, milliseconds / 1000)
    found = pace(data.judgements.rater[which], seconds, quick=QUICK_SECONDS)
    return {
        int(rater): (float(median), float(quick))
        for rater, median, quick in zip(found.raters, found.median_seconds, found.quick_share, strict=True)
    }
