"""A study's whole report as one frozen value: the page, JSON, CSV, figure and command all draw from it."""

from __future__ import annotations

from dataclasses import dataclass

from annotation_site.reports import likert, presence
from annotation_site.reports.likert import Rules, TagRow
from annotation_site.reports.measures import Share
from annotation_site.reports.presence import ConditionRow, Difference
from annotation_site.reports.tallies import Raters, Tallies, Totals, raters
from annotation_site.studies.models import Study

SEED = 0
RESAMPLES = 2_000
CONFIDENCE = 0.95
PEOPLE, SIMULATED = "people", "simulated raters"
LIKERT_ANSWERS = ("bad", "poor", "fair", "good", "excellent")
PRESENCE_ANSWERS = ("both", "first_only", "second_only", "neither")


@dataclass(frozen=True)
class Section:
    """The rows of one population of raters. ``overall`` is of Likert studies, ``difference`` of presence studies."""

    population: str
    raters: Raters
    rows: tuple[TagRow, ...] | tuple[ConditionRow, ...]
    overall: TagRow | None = None
    difference: Difference | None = None

    @property
    def judgements(self) -> int:
        return sum(row.judgements for row in self.rows)

    @property
    def largest_share(self) -> Share:
        """Of counted judgements, the share of the rater who gave most."""
        return Share(self.raters.largest, self.judgements)


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
    totals: Totals
    people: Section
    simulated: Section | None = None

    @property
    def sections(self) -> list[Section]:
        return [self.people] if self.simulated is None else [self.people, self.simulated]

    @property
    def answer_names(self) -> tuple[str, ...]:
        return LIKERT_ANSWERS if self.kind == Study.Kind.LIKERT else PRESENCE_ANSWERS


def build_report(study: Study, *, seed: int = SEED, include_simulated: bool = False) -> Report:
    """Everything a report says about a study, from its judgements as they stand; intervals follow from ``seed``."""
    rules = Rules(study.seats_per_item, study.interpretable_minimum, seed, RESAMPLES)
    totals, people = _section(study, rules, simulated=False)
    return Report(
        study=study.slug,
        title=study.title,
        kind=study.kind,
        state=study.state,
        raters_an_item=study.seats_per_item,
        interpretable_minimum=study.interpretable_minimum,
        seed=seed,
        resamples=RESAMPLES,
        confidence=CONFIDENCE,
        totals=totals,
        people=people,
        simulated=_section(study, rules, simulated=True)[1] if include_simulated and totals.simulated else None,
    )


def _section(study: Study, rules: Rules, *, simulated: bool) -> tuple[Totals, Section]:
    tallies = Tallies(study, simulated=simulated)
    who, by = SIMULATED if simulated else PEOPLE, raters(study, simulated=simulated)
    if study.kind == Study.Kind.LIKERT:
        rows, overall = likert.tag_rows(tallies, rules)
        return tallies.totals, Section(who, by, rows, overall=overall)
    conditions = presence.condition_rows(tallies, rules)
    return tallies.totals, Section(who, by, conditions, difference=presence.difference(conditions))
