"""From what was typed to what is ordered: the forms of an order's answers, and what they choose together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.datastructures import MultiValueDict

from annotation_site.research.steps.base import Step
from annotation_site.research.steps.presets import STEPS
from annotation_site.studies.models import StudyOrder


def answered(step: type[Step], order: StudyOrder) -> Step:
    """The step's form over what was typed; unbound where nothing was."""
    typed = order.answers.get(step.name)
    return step(order) if typed is None else step(order, MultiValueDict(typed))


def typed(step: type[Step], data: Any) -> dict[str, list[str]]:
    """What to keep of a submission: the step's own fields, as they came."""
    return {name: data.getlist(name) for name in step.base_fields if name in data and name != "file"}


def whole(order: StudyOrder) -> list[Step]:
    """The forms of all steps, each validated."""
    forms_ = [answered(step, order) for step in STEPS[order.preset]]
    for form in forms_:
        form.is_valid()
    return forms_


def choices_of(steps: Iterable[Step]) -> dict[str, Any]:
    """All that the steps say, together; the steps are valid."""
    chosen: dict[str, Any] = {}
    for step in steps:
        chosen |= step.choices()
    return chosen
