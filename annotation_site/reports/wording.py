"""What a study says to raters and asks of them, as it may be published."""

from __future__ import annotations

from typing import Any

from django.utils import translation

from annotation_site.studies import questions
from annotation_site.studies.models import Study
from annotation_site.studies.rules import Way
from annotation_site.studies.texts import texts_of

# Secrets stay at home: codes by which raters are paid.
WITHHELD = frozenset({"screen_out_code"})
#: The fields that decide a rater's way through a study.
WAY = tuple(field.name for field in Way._meta.get_fields() if field.name not in WITHHELD)


def wording(study: Study, locale: str) -> dict[str, Any]:
    """Question, answers and instructions as a rater reads them in a language."""
    with translation.override(locale):
        shown = texts_of(study, locale)
        likert = study.kind == Study.Kind.LIKERT
        opt_outs = questions.opt_outs(study.kind)
        answers = [f"{value} {words}" for value, words in shown.anchors.items()] if likert else []
        if study.kind == Study.Kind.CHANGE:
            answers = [str(choice.label) for choice in questions.CHANGES]
        return {
            "question": shown.question,
            "answers": [*answers, *(str(choice.label) for choice in opt_outs)],
            "instructions": shown.instructions,
        }
