"""A study's words in a rater's language: its own where it has them, Attest's otherwise.

A language that the study has no words for gets its English ones: two languages' wordings of one question are two
questions, so a study that writes its own is not mixed with Attest's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.utils.translation import gettext as _

from annotation_site.studies import questions
from annotation_site.studies.models import Item, KnownAnswer, Study
from annotation_site.studies.text_parts import PARTS

T = TypeVar("T")
FALLBACK = "en"


@dataclass(frozen=True)
class Texts:
    """What a study's raters read: its question, the words of the five answers by value, its instructions."""

    question: str
    anchors: dict[int, str]
    instructions: list[str]


def in_language(texts: Mapping[str, T], locale: str) -> T | None:
    """The text of this language ("ko-kr"), of its base ("ko"), or English; None when none of them is there."""
    wanted = (locale, locale.partition("-")[0], FALLBACK)
    return next((texts[name] for name in wanted if texts.get(name)), None)


def texts_of(study: Study, locale: str) -> Texts:
    """The study's texts in a language; costs no query."""
    own = {part: in_language({name: row.get(part) for name, row in study.texts.items()}, locale) for part in PARTS}
    anchors = dict(enumerate(own["anchors"], start=1)) if own["anchors"] else questions.LIKERT_ANCHORS
    return Texts(
        question=str(own["question"] or questions.question(study.kind)),
        anchors={value: str(words) for value, words in anchors.items()},
        instructions=paragraphs(own["instructions"] or ""),
    )


def likert_ratings(study: Study, locale: str) -> list[questions.Choice]:
    """The five answers with the study's words, worst first."""
    return [questions.Choice(str(v), str(v), words) for v, words in texts_of(study, locale).anchors.items()]


def item_question(item: Item, study: Study, locale: str) -> str:
    """What is asked of an item; an instructed check's question says itself which answer to choose."""
    if item.purpose != Item.Purpose.INSTRUCTED:
        return texts_of(study, locale).question
    return _("For this one, choose %(answer)s.") % {"answer": known_words(item.known, study, locale)}


def known_words(known: KnownAnswer, study: Study, locale: str) -> str:
    """What is right, in the words of the answers: “Good” or “Excellent”."""
    if known.first_present is not None:
        return _present(known)
    anchors = texts_of(study, locale).anchors
    words = [anchors[value] for value in range(known.lowest or 1, (known.highest or 0) + 1)]
    if known.opt_out:
        opt_outs = questions.opt_outs(study.kind)
        words += [str(choice.label) for choice in opt_outs if choice.value == known.opt_out]
    return _(" or ").join(f"“{word}”" for word in words)


def _present(known: KnownAnswer) -> str:
    item = known.item
    second = item.second_word.text if item.second_word else ""
    seen = [(known.first_present, item.word.text), (known.second_present, second)]
    words = [f"“{text}”" for present, text in seen if present]
    return _(" and ").join(words) or f"“{questions.NEITHER.label}”"


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text with empty lines between them."""
    parts = text.replace("\r\n", "\n").split("\n\n")
    return [part.strip() for part in parts if part.strip()]
