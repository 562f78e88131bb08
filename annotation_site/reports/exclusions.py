"""A study's exclusion rules, applied: each rater against each rule, on everybody's answers, in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from annotation_site.raters.models import Enrolment
from annotation_site.reports.data import StudyData
from annotation_site.reports.rater_rows import RaterRow, crowd
from annotation_site.studies.models import Study


@dataclass(frozen=True)
class Hit:
    """A rater whom a rule excludes, with what was measured."""

    rater: str
    rule: str
    reason: str


def measured(row: RaterRow, name: str) -> float | None:
    """A rater's measure by the name that rules use; None where it is undefined, which excludes nobody."""
    failed = row.checks.total - row.checks.count
    values: dict[str, float | None] = {
        "checks_failed": failed,
        "checks_failed_share": failed / row.checks.total if row.checks.total else None,
        "correlation": row.correlation.value,
        "spammer_score": row.spammer_score.value,
        "median_seconds": row.median_seconds.value,
        "quick_share": row.quick.value,
        "longest_run": row.longest_run,
    }
    return values[name]


def hits(data: StudyData, rules: Sequence[dict[str, Any]] | None = None) -> list[Hit]:
    """Whom the study's rules exclude, or others, by rater; the first rule that holds is the reason."""
    found = []
    for row in sorted(crowd(data).rows, key=lambda each: each.rater):
        for rule in data.facts.rules if rules is None else rules:
            said = _said(row, rule)
            if said:
                found.append(Hit(row.rater, rule["name"], f"{rule['name']}: {said}"))
                break
    return found


def _said(row: RaterRow, rule: dict[str, Any]) -> str:
    """What makes the rule hold, in words; empty where it does not. A registration has its bounds as decimal text."""
    if row.judgements < rule.get("least_answers", 0):
        return ""
    parts = []
    for condition in rule["all"]:
        value = measured(row, condition["measure"])
        limit = "above" if "above" in condition else "below"
        bound = float(condition[limit])
        if value is None or not (value > bound if limit == "above" else value < bound):
            return ""
        parts.append(f"{condition['measure']} {value:g} is {limit} {bound:g}")
    return ", ".join(parts)


@transaction.atomic
def apply(study: Study, found: list[Hit], now: datetime) -> int:
    """Exclude these raters, each with its reason; those excluded already keep theirs. How many are new."""
    by_rater = {hit.rater: hit for hit in found}
    new = Enrolment.objects.filter(study=study, rater__pseudonym__in=by_rater, excluded_at__isnull=True)
    pairs = [(enrolment, by_rater[enrolment.rater.pseudonym]) for enrolment in new.select_related("rater")]
    return sum(enrolment.exclude(hit.reason, now, rule=hit.rule) for enrolment, hit in pairs)
