"""A study's whole report as one frozen value: the page, JSON, CSV, figure and command all draw from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation_site.reports import likert, presence
from annotation_site.reports.change import ChangeRow, all_sets, change_rows
from annotation_site.reports.comparisons import ArmRow, ContrastRow, arm_rows, contrast_rows
from annotation_site.reports.data import FATES, StudyData
from annotation_site.reports.likert import Rules, TagRow
from annotation_site.reports.loading import load
from annotation_site.reports.measures import Share
from annotation_site.reports.outcomes import outcomes
from annotation_site.reports.precision import CONFIDENCE, RESAMPLES, SEED
from annotation_site.reports.preregistration.standing import Standing
from annotation_site.reports.preregistration.summary import standing
from annotation_site.reports.presence import ConditionRow, Difference
from annotation_site.reports.presence_parts import ClusteredTest, PartRow, clustered_test, group_rows, object_rows
from annotation_site.reports.rater_rows import Crowd, crowd
from annotation_site.reports.sensitivity import SensitivityRow, sensitivity_rows
from annotation_site.studies.models import Study

PEOPLE, SIMULATED = "people", "simulated raters"
LIKERT_ANSWERS = ("bad", "poor", "fair", "good", "excellent")
PRESENCE_ANSWERS = ("both", "first_only", "second_only", "neither")
# The shares have the plain names.
CHANGE_ANSWERS = ("object_answers", "background_answers", "both_answers", "nothing_answers")
ANSWERS = {"likert": LIKERT_ANSWERS, "presence": PRESENCE_ANSWERS, "change": CHANGE_ANSWERS}


@dataclass(frozen=True)
class Totals:
    """Every stored judgement of a study in exactly one place, in the order of FATES."""

    stored: int
    superseded: int
    surplus: int
    simulated: int
    withdrawn: int
    excluded: int
    counted: int


@dataclass(frozen=True)
class Raters:
    """Raters with counted answers, the most that one of them gave, and all of them (of every arm)."""

    number: int
    largest: int
    judgements: int


@dataclass(frozen=True)
class Exclusion:
    """Why raters were excluded: a rule of the study, or a reason that somebody wrote; and whom it took out."""

    reason: str
    raters: int
    judgements: int


@dataclass(frozen=True)
class Section:
    """The rows of one population of raters. ``overall`` is of no presence studies, ``difference`` of those alone."""

    population: str
    raters: Raters
    rows: tuple[TagRow, ...] | tuple[ConditionRow, ...] | tuple[ChangeRow, ...]
    overall: TagRow | ChangeRow | None = None
    contrasts: tuple[ContrastRow, ...] = ()
    arms: tuple[ArmRow, ...] = ()
    difference: Difference | None = None
    clustered: ClusteredTest | None = None
    groups: tuple[PartRow, ...] = ()
    objects: tuple[PartRow, ...] = ()
    crowd: Crowd | None = None

    @property
    def judgements(self) -> int:
        return sum(row.judgements for row in self.rows)

    @property
    def largest_share(self) -> Share:
        """Of counted judgements, the share of the rater who gave most."""
        return Share(self.raters.largest, self.raters.judgements)


@dataclass(frozen=True)
class Report:
    """``people`` is the headline; ``simulated`` is there only when it was asked for."""

    study: str
    title: str
    kind: str
    state: str
    raters_an_item: int
    interpretable_minimum: int
    seed: int
    resamples: int
    confidence: float
    rules: tuple[dict[str, Any], ...]
    adaptive: dict[str, Any]
    totals: Totals
    people: Section
    exclusions: tuple[Exclusion, ...] = ()
    sensitivity: tuple[SensitivityRow, ...] = ()
    simulated: Section | None = None
    preregistration: Standing | None = None

    @property
    def sections(self) -> list[Section]:
        return [self.people] if self.simulated is None else [self.people, self.simulated]

    @property
    def answer_names(self) -> tuple[str, ...]:
        return ANSWERS[self.kind]


def build_report(study: Study, *, seed: int = SEED, include_simulated: bool = False) -> Report:
    """Everything a report says about a study, from its judgements as they stand."""
    return report_of(load(study), seed=seed, include_simulated=include_simulated, registered=standing(study))


def report_of(
    data: StudyData, *, seed: int = SEED, include_simulated: bool = False, registered: Standing | None = None
) -> Report:
    """Everything a report says about these items and answers, whatever their source; intervals follow from ``seed``.

    ``registered`` is what stands of the study's preregistration.
    """
    facts = data.facts
    rules = Rules(facts.interpretable_minimum, seed, RESAMPLES)
    totals = _totals(data)
    return Report(
        study=facts.slug,
        title=facts.title,
        kind=facts.kind,
        state=facts.state,
        raters_an_item=facts.raters_an_item,
        interpretable_minimum=facts.interpretable_minimum,
        seed=seed,
        resamples=RESAMPLES,
        confidence=CONFIDENCE,
        rules=facts.rules,
        adaptive=facts.adaptive,
        totals=totals,
        people=_section(data, rules, simulated=False),
        exclusions=_exclusions(data),
        sensitivity=sensitivity_rows(data),
        simulated=_section(data, rules, simulated=True) if include_simulated and totals.simulated else None,
        preregistration=registered.with_seed(seed) if registered else None,
    )


def _totals(data: StudyData) -> Totals:
    number = np.bincount(data.fates(), minlength=len(FATES))
    return Totals(len(data.judgements), **{fate: int(n) for fate, n in zip(FATES, number, strict=True)})


def _exclusions(data: StudyData) -> tuple[Exclusion, ...]:
    """By reason, most raters first; judgements are those that would count but for it."""
    lost = np.bincount(data.judgements.rater[data.counted(excluded=True)], minlength=len(data.raters))
    raters: Counter[str] = Counter()
    judgements: Counter[str] = Counter()
    for rater, number in zip(data.raters, lost.tolist(), strict=True):
        if rater.reason and not rater.simulated:
            rule = rater.reason.partition(":")[0]
            raters[rule] += 1
            judgements[rule] += number
    return tuple(
        Exclusion(reason, number, judgements[reason])
        for reason, number in sorted(raters.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def _section(data: StudyData, rules: Rules, *, simulated: bool) -> Section:
    which = data.counted(simulated=simulated)
    found = outcomes(data, which)
    by = np.bincount(data.judgements.rater[which], minlength=len(data.raters))
    who, raters = (
        SIMULATED if simulated else PEOPLE,
        Raters(int(np.count_nonzero(by)), int(by.max(initial=0)), int(by.sum())),
    )
    everybody = crowd(data, simulated=simulated)
    if data.facts.kind == "likert":
        given, first = likert.ratings(data, which), likert.ratings(data, data.first(which))
        rows, overall = likert.tag_rows(data.items, found, given, rules, data.in_use, first)
        return Section(
            who,
            raters,
            rows,
            overall=overall,
            contrasts=contrast_rows(data, found, rules),
            arms=arm_rows(data, found, rules),
            crowd=everybody,
        )
    if data.facts.kind == "change":
        sets = change_rows(data.items, found, rules, data.in_use)
        return Section(who, raters, sets, overall=all_sets(found, rules, data.in_use), crowd=everybody)
    conditions = presence.condition_rows(data.items, found, rules, data.in_use)
    return Section(
        who,
        raters,
        conditions,
        difference=presence.difference(conditions),
        clustered=clustered_test(data, found, rules),
        groups=group_rows(data, found),
        objects=object_rows(data, found),
        crowd=everybody,
    )
