"""The rules of a study that decide what its reports count: who is excluded, and which items are asked more often."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from attribution.analysis.adaptive import AdaptiveRule
from attribution.errors import AnalysisError

# What may exclude a rater, and what may only bear it out: speed and equal answers are habits, not proofs.
GROUNDS = ("checks_failed", "checks_failed_share", "correlation", "spammer_score")
SUPPORT = ("median_seconds", "quick_share", "longest_run")
KEYS = frozenset({"name", "all", "least_answers"})


class ReportingRules(models.Model):
    """The part of Study that its reports are made by; fixed when the study opens."""

    exclusion_rules = models.JSONField(
        default=list,
        blank=True,
        help_text=_(
            "Who is excluded, stated beforehand: [{“name”: “failed checks”, “least_answers”: 20, “all”: "
            "[{“measure”: “checks_failed”, “above”: 1}]}]. `manage.py apply_exclusions` applies them."
        ),
    )
    adaptive_stages = models.JSONField(
        default=list,
        blank=True,
        help_text=_("Raters an item gets while they disagree, such as [3, 5, 7]; empty: all items get the same."),
    )
    adaptive_spread = models.FloatField(
        default=2.0, help_text=_("Ratings disagree when the highest is at least so far above the lowest.")
    )

    class Meta:
        abstract = True

    def adaptive_rule(self) -> AdaptiveRule | None:
        """When an item is asked more often; None where every item is asked alike."""
        if not self.adaptive_stages:
            return None
        likert = getattr(self, "kind", "") == "likert"
        return AdaptiveRule(tuple(self.adaptive_stages), self.adaptive_spread if likert else None)


def check_reporting_rules(study: Any) -> None:
    """Refuse exclusion rules and stages out of form; raises ValidationError that names the rule and the remedy."""
    check_exclusion_rules(study.exclusion_rules)
    try:
        rule = study.adaptive_rule()
    except (AnalysisError, TypeError) as error:
        raise ValidationError({"adaptive_stages": str(error)}) from error
    if rule is not None and (len(rule.stages) < 2 or rule.stages[0] != study.seats_per_item):
        raise ValidationError(
            {
                "adaptive_stages": _("%(stages)s: begin with the %(seats)s raters that every item gets, and go on.")
                % {"stages": study.adaptive_stages, "seats": study.seats_per_item}
            }
        )


def check_exclusion_rules(rules: Any) -> None:
    """Each rule has a name of its own and conditions that all must hold, one of them among GROUNDS."""
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        _refuse("write a list of rules, each in braces.")
    names = [rule.get("name") for rule in rules]
    if len(set(map(str, names))) != len(names):
        _refuse("two rules have one name: name each its own.")
    for rule in rules:
        _check_rule(rule)


def _check_rule(rule: dict[str, Any]) -> None:
    name, conditions = rule.get("name"), rule.get("all")
    if not isinstance(name, str) or not name.strip() or ":" in name or set(rule) - KEYS:
        _refuse(f"{rule} needs a name without a colon, “all”, and at most “least_answers” besides.")
    if not isinstance(conditions, list) or not conditions or not all(isinstance(each, dict) for each in conditions):
        _refuse(f"{name}: “all” is a list of conditions such as {{“measure”: “correlation”, “below”: 0.1}}.")
    if not isinstance(rule.get("least_answers", 0), int) or rule.get("least_answers", 0) < 0:
        _refuse(f"{name}: “least_answers” is a whole number.")
    for condition in conditions or []:
        _check_condition(name, condition)
    if not any(condition["measure"] in GROUNDS for condition in conditions or []):
        _refuse(f"{name}: {', '.join(SUPPORT)} are never grounds alone: add one of {', '.join(GROUNDS)}.")


def _check_condition(name: Any, condition: dict[str, Any]) -> None:
    if condition.get("measure") not in (*GROUNDS, *SUPPORT):
        _refuse(f"{name}: measure {condition.get('measure')!r} is none of {', '.join((*GROUNDS, *SUPPORT))}.")
    limits = set(condition) - {"measure"}
    if len(limits) != 1 or not limits <= {"above", "below"} or not _is_number(condition[next(iter(limits))]):
        _refuse(f"{name}: {condition} needs one limit, “above” or “below”, and a number.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse(text: str) -> None:
    raise ValidationError({"exclusion_rules": text})
