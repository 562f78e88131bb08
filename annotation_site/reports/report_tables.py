"""A report's tables: the same columns in the same words for terminal, HTML, PDF and LaTeX; CSV has every field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from annotation_site.reports.formats import decimal, percent, points, share
from annotation_site.reports.measures import Measure
from annotation_site.reports.report import Report, Section

Writer = Callable[[Any], object]
Column = tuple[str, Writer]


@dataclass(frozen=True)
class ReportTable:
    """``name`` is its file's, ``note`` says what the columns are; rows are the report's own."""

    name: str
    title: str
    note: str
    population: str
    rows: Sequence[Any]
    columns: Sequence[Column]

    @property
    def heads(self) -> list[str]:
        return [name for name, _ in self.columns]

    def cells(self) -> list[list[str]]:
        """Each row as text."""
        return [[str(write(row)) for _, write in self.columns] for row in self.rows]


def short(measure: Measure) -> str:
    return f"undefined: {measure.reason}" if measure.value is None else f"{measure.value:g}"


def p_value(measure: Measure) -> str:
    """Three digits, "< 0.001" below."""
    if measure.value is None:
        return f"undefined: {measure.reason}"
    return "< 0.001" if measure.value < 0.001 else f"{measure.value:.3f}"


def number(measure: Measure) -> str:
    """Two digits, a dash where undefined: for tables with a row a rater, where the reason would fill the page."""
    return "-" if measure.value is None else f"{measure.value:.2f}"


TAGS: list[Column] = [
    ("tag", lambda row: row.tag),
    ("pairs", lambda row: row.pairs),
    ("judgements", lambda row: row.judgements),
    ("dropped", lambda row: row.dropped),
    ("unscored", lambda row: row.unscored),
    ("scored", lambda row: row.scored),
    ("mean of medians", lambda row: decimal(row.mean)),
    ("median", lambda row: short(row.median)),
    ("fair+ answers", lambda row: share(row.fair_answers)),
    ("fair+ medians", lambda row: percent(row.fair_medians)),
    ("ordinal alpha", lambda row: decimal(row.alpha)),
    ("too abstract", lambda row: share(row.too_abstract_rate)),
    ("interpretable", lambda row: row.interpretable or "-"),
]
MEANS: list[Column] = [
    ("tag", lambda row: row.tag),
    ("mean of medians, over images", lambda row: decimal(row.mean)),
    ("over images and raters", lambda row: decimal(row.mean_crossed)),
    ("mean of ratings, over pairs and raters", lambda row: decimal(row.mean_of_ratings)),
    ("the paper: mean", lambda row: row.paper_mean),
    ("the paper: fair+ answers", lambda row: row.paper_fair),
]
ANSWERS: list[Column] = [
    ("tag", lambda row: row.tag),
    ("1 bad", lambda row: row.answers[0]),
    ("2 poor", lambda row: row.answers[1]),
    ("3 fair", lambda row: row.answers[2]),
    ("4 good", lambda row: row.answers[3]),
    ("5 excellent", lambda row: row.answers[4]),
    ("on dropped pairs", lambda row: row.ratings_on_dropped),
    ("too abstract", lambda row: row.too_abstract),
    ("too poor", lambda row: row.too_poor),
]
CONTRASTS: list[Column] = [
    ("higher", lambda row: row.first),
    ("lower", lambda row: row.second),
    ("difference", lambda row: decimal(row.difference)),
    ("Cliff's delta", lambda row: decimal(row.cliffs_delta)),
    ("Hedges' g", lambda row: decimal(row.hedges_g)),
    ("p", lambda row: p_value(row.p)),
    ("p, Holm", lambda row: p_value(row.p_holm)),
]
ARMS: list[Column] = [
    ("map", lambda row: row.arm),
    ("tag", lambda row: row.tag),
    ("pairs", lambda row: row.pairs),
    ("DAAM", lambda row: number(row.reference_mean)),
    ("this map", lambda row: number(row.arm_mean)),
    ("difference", lambda row: decimal(row.difference)),
    ("better / equal / worse", lambda row: f"{row.better} / {row.equal} / {row.worse}"),
    ("p, Holm", lambda row: p_value(row.p_holm)),
]
CONDITIONS: list[Column] = [
    ("condition", lambda row: row.condition),
    ("images", lambda row: row.images),
    ("judgements", lambda row: row.judgements),
    ("unscored", lambda row: row.unscored),
    ("scored", lambda row: row.scored),
    ("right images (Wilson)", lambda row: percent(row.right)),
    ("right answers", lambda row: share(row.right_answers)),
    ("alpha (MASI)", lambda row: decimal(row.alpha)),
    ("paper", lambda row: row.paper),
]
SETS: list[Column] = [
    ("swap set", lambda row: row.swap_set),
    ("pairs", lambda row: row.pairs),
    ("judgements", lambda row: row.judgements),
    ("unscored", lambda row: row.unscored),
    ("scored", lambda row: row.scored),
    ("background changed, pairs (Wilson)", lambda row: percent(row.background_changed)),
    ("nominal alpha", lambda row: decimal(row.alpha)),
]
CHANGES: list[Column] = [
    ("swap set", lambda row: row.swap_set),
    *(
        column
        for at, name in enumerate(("object", "background", "both", "nothing"))
        for column in (
            (name, lambda row, at=at: row.answers[at]),
            (f"{name}, share", lambda row, name=name: percent(getattr(row, name))),
        )
    ),
    ("too poor", lambda row: row.too_poor),
]
CLUSTERED: list[Column] = [
    ("noun pairs, non-cohyponyms", lambda row: row.first_pairs),
    ("noun pairs, cohyponyms", lambda row: row.second_pairs),
    ("difference, points", lambda row: points(row.difference)),
    ("p, permuting pairs", lambda row: p_value(row.p)),
    ("chi-squared (Rao-Scott)", lambda row: number(row.chi_squared)),
    ("p (Rao-Scott)", lambda row: p_value(row.p_rao_scott)),
]
PARTS: list[Column] = [
    ("condition", lambda row: row.condition),
    ("nouns", lambda row: row.part),
    ("images", lambda row: row.images),
    ("scored", lambda row: row.scored),
    ("right images (Wilson)", lambda row: percent(row.right)),
    ("answers that saw both", lambda row: share(row.both)),
]
RATERS: list[Column] = [
    ("rater", lambda row: row.rater),
    ("judgements", lambda row: row.judgements),
    ("share", lambda row: f"{row.share.percent:.0f}%"),
    ("checks passed", lambda row: f"{row.checks.count} of {row.checks.total}" if row.checks.total else "-"),
    ("median s", lambda row: number(row.median_seconds)),
    ("quick", lambda row: percent(row.quick) if row.quick.value is not None else "-"),
    ("correlation", lambda row: number(row.correlation)),
    ("alpha without", lambda row: number(row.alpha_without)),
    ("longest run", lambda row: row.longest_run),
    ("entropy, bits", lambda row: number(row.entropy)),
    ("spammer score", lambda row: number(row.spammer_score)),
    ("excluded", lambda row: row.excluded or "-"),
]
SENSITIVITY: list[Column] = [
    ("terms", lambda row: f"{row.terms} {row.rater}".strip()),
    ("judgements", lambda row: row.judgements),
    ("raters", lambda row: row.raters),
    ("scored", lambda row: row.scored),
    ("headline", lambda row: number(row.value)),
    ("change", lambda row: "-" if row.change.value is None else f"{row.change.value:+.3f}"),
    ("alpha", lambda row: number(row.alpha)),
]
EXCLUSIONS: list[Column] = [
    ("reason", lambda row: row.reason),
    ("raters", lambda row: row.raters),
    ("judgements", lambda row: row.judgements),
]
DEVIATIONS: list[Column] = [
    ("what", lambda row: row.subject),
    ("registered", lambda row: row.registered),
    ("now", lambda row: row.now),
    ("when", lambda row: row.when),
]
NOTES = {
    "rows": "fair+: 3 fair to 5 excellent. The mean's interval resamples images, alpha's pairs.",
    "means": "Intervals over raters too are wider: they speak of other raters as well as of other images.",
    "contrasts": "Means of medians; intervals and p values over whole images; p adjusted by Holm's method.",
    "arms": "The same words of the same images, blind to the rater. It shows whether raters can tell a good map from a "
    "bad one. Difference: DAAM minus this map; intervals over images.",
    "conditions": "Right: more than half of the raters saw both nouns.",
    "clustered": "Non-cohyponyms minus cohyponyms; the images of one noun pair resemble each other, so whole pairs are "
    "permuted.",
    "sets": "Changed: more than half of the raters of two images said background or both.",
    "changes": "Single answers; their Wilson intervals take them for independent, so they are too narrow where raters "
    "of one pair agree.",
    "raters": "Read together; no single one is grounds to exclude anybody. Correlation: with the mean of the others on "
    "the same items.",
    "deviations": "The study as it is against the registration that counts; when it came to differ, and whether "
    "answers had come in by then.",
    "sensitivity": "The headline again: before exclusions, and without each rater, largest change first. Single "
    "raters are not left out where answers times raters pass 20 million.",
}


def tables(report: Report) -> list[ReportTable]:
    """Every table with rows; those of simulated raters carry ``-simulated`` in their names."""
    deviating = report.preregistration.deviations if report.preregistration else ()
    found = [table for section in report.sections for table in _of_section(report, section)]
    found += [
        _table("sensitivity", "What the headline owes to whom", report.people, report.sensitivity, SENSITIVITY),
        _table("exclusions", "Excluded raters", report.people, report.exclusions, EXCLUSIONS),
        _table("deviations", "Deviations from the preregistration", report.people, deviating, DEVIATIONS),
    ]
    return [table for table in found if table.rows]


def _of_section(report: Report, section: Section) -> list[ReportTable]:
    raters = section.crowd.rows if section.crowd else ()
    last = _table("raters", "Raters", section, raters, RATERS)
    if report.kind == "likert":
        rows = [*section.rows, section.overall] if section.overall and section.rows else []
        return [
            _table("rows", "Scores by tag", section, rows, TAGS),
            _table("means", "Means by tag, with and beside their intervals over raters", section, rows, MEANS),
            _table("answers", "Answers by tag, on pairs that are not dropped", section, rows, ANSWERS),
            _table("contrasts", "Tags two by two", section, section.contrasts, CONTRASTS),
            _table("arms", "Other maps against DAAM's", section, section.arms, ARMS),
            last,
        ]
    if report.kind == "change":
        rows = [*section.rows, section.overall] if section.overall and section.rows else []
        return [
            _table("rows", "What changed, by swap set", section, rows, SETS, note="sets"),
            _table("changes", "Answers by swap set", section, rows, CHANGES),
            last,
        ]
    clustered = [section.clustered] if section.clustered else []
    return [
        _table("rows", "Share right by condition", section, section.rows, CONDITIONS, note="conditions"),
        _table("clustered", "The difference, tested by noun pair", section, clustered, CLUSTERED),
        _table("groups", "By group of nouns", section, section.groups, PARTS),
        _table("objects", "By noun", section, section.objects, PARTS),
        last,
    ]


def _table(
    name: str, title: str, section: Section, rows: Sequence[Any], columns: Sequence[Column], *, note: str = ""
) -> ReportTable:
    simulated = section.population != "people"
    return ReportTable(
        name=f"{name}-simulated" if simulated else name,
        title=f"{title}: simulated raters, not people" if simulated else title,
        note=NOTES.get(note or name, ""),
        population=section.population,
        rows=rows,
        columns=columns,
    )
