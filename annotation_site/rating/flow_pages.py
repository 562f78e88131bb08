"""What the pages around the items show, as template context."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from annotation_site.raters.models import Enrolment, PracticeAnswer
from annotation_site.rating.assignment import progress
from annotation_site.rating.forms import AnswerForm
from annotation_site.rating.pages import given_words, is_pixel_art, sent, stimulus
from annotation_site.rating.practice import Practice, items
from annotation_site.stimuli.addresses import heat_map_url, image_url
from annotation_site.stimuli.models import Word
from annotation_site.studies import questions
from annotation_site.studies.addresses import map_picture_url
from annotation_site.studies.examples import Example, worked_example
from annotation_site.studies.models import Item, Study
from annotation_site.studies.texts import in_language, known_words, texts_of

MIDDLE = 3


def instructions(enrolment: Enrolment, locale: str) -> dict[str, Any]:
    """The study's own instructions or Attest's, the scale, and a worked example where there is one."""
    study = enrolment.study
    example, texts = worked_example(study), texts_of(study, locale)
    return {
        "study": study,
        "enrolment": enrolment,
        "texts": texts,
        "opt_outs": questions.opt_outs(study.kind),
        "example": _example(example, study, texts.anchors) if example else None,
        "practice": len(items(study)),
        "first_time": enrolment.instructed_at is None,
    }


def _example(example: Example, study: Study, anchors: dict[int, str]) -> dict[str, Any]:
    recipe = example.generation.recipe
    text, word = example.generation.prompt.text, example.word
    names = dict(zip(("worst", "poor", "fair", "good", "best"), anchors.values(), strict=True))
    return {
        **names,
        "before": text[: word.start],
        "target": word.text,
        "after": text[word.end :],
        "other": example.other.text,
        "recipe": recipe,
        "pixel_art": is_pixel_art(recipe),
        "image_url": image_url(example.generation, study.link_minutes),
        "right_url": _overlay(example, word, study),
        "wrong_url": _overlay(example, example.other, study),
    }


def _overlay(example: Example, word: Word, study: Study) -> str:
    return heat_map_url(example.generation, word, layer="overlay", colours=study.colours, minutes=study.link_minutes)


def practice_item(enrolment: Enrolment, state: Practice, item: Item, form: AnswerForm | None = None) -> dict[str, Any]:
    """The item that is due, as a rated one looks, with how far the practice is."""
    return {
        "study": enrolment.study,
        "enrolment": enrolment,
        "item": item,
        "state": state,
        "layout": f"rating/{enrolment.study.kind}.html",
        "practising": True,
        "done": len(state.answers),
        "total": len(state.items),
        **sent(form),
        **stimulus(item, enrolment),
    }


def feedback(enrolment: Enrolment, state: Practice, answer: PracticeAnswer, locale: str) -> dict[str, Any]:
    """What was answered, what is right and why; after an attempt's last answer also how it went."""
    item = next(item for item in state.items if item.pk == answer.item_id)
    return {
        "study": enrolment.study,
        "enrolment": enrolment,
        "state": state,
        "answer": answer,
        "given": given_words(answer, item, enrolment.study),
        "right": known_words(item.known, enrolment.study, locale),
        "reason": reason(item, enrolment.study, locale),
        "map_url": _map(item, enrolment.study),
        **stimulus(item, enrolment),
    }


def _map(item: Item, study: Study) -> str:
    """The address of the map that was judged; empty where only the picture was."""
    likert = study.kind == Study.Kind.LIKERT
    if not likert:
        return ""
    return map_picture_url(item, layer="overlay", colours=study.colours, minutes=study.link_minutes)


def reason(item: Item, study: Study, locale: str) -> str:
    """Why the known answer is right: the item's own words, or what its map is."""
    own = in_language(item.known.reasons, locale)
    if own or study.kind != Study.Kind.LIKERT:
        return own or _("This is what the picture shows.")
    words = {"word": item.word.text, "other": item.map_word.text if item.map_word else ""}
    if item.map_word:
        return _("This is the map of “%(other)s”: it highlights another thing than “%(word)s”.") % words
    if item.known.lowest is None:
        return _("“%(word)s” names nothing that could be highlighted in a picture.") % words
    if item.known.lowest > MIDDLE:
        return _("The highlighting covers “%(word)s” and little else.") % words
    return _("The highlighting misses “%(word)s” and covers other places.") % words


def between(enrolment: Enrolment) -> dict[str, Any]:
    """A break, or a request for care: how far the rater is."""
    done, total = progress(enrolment)
    return {"study": enrolment.study, "enrolment": enrolment, "done": done, "total": total}
