"""An exclusion rule in words."""

from __future__ import annotations

from typing import Any


def rule_text(rule: dict[str, Any]) -> str:
    """The rule as a sentence; its limits are numbers, or the decimal text that a registration keeps of them."""
    conditions = " and ".join(_condition(each) for each in rule["all"])
    least = f", of at least {rule['least_answers']} answers" if rule.get("least_answers") else ""
    return f"Exclusion rule “{rule['name']}”{least}: {conditions}."


def _condition(condition: dict[str, Any]) -> str:
    limit = "above" if "above" in condition else "below"
    return f"{condition['measure'].replace('_', ' ')} {limit} {float(condition[limit]):g}"
