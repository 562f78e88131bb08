"""What the rater's pages show, as template context."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotation_site.raters.models import Enrolment, PracticeAnswer
from annotation_site.rating import assignment
from annotation_site.rating.forms import FIRST, SECOND, AnswerForm
from annotation_site.rating.models import Judgement, Seat
from annotation_site.rating.tickets import Ticket, submission_key
from annotation_site.stimuli.addresses import heat_map_url, image_url
from annotation_site.stimuli.models import Recipe
from annotation_site.studies import questions
from annotation_site.studies.models import Item, Study
from annotation_site.studies.texts import item_question, likert_ratings, texts_of

# Below this many pixels a picture is shown with crisp edges: blurring would hide what was drawn.
PIXEL_ART = 128


def item_page(
    enrolment: Enrolment,
    seat: Seat,
    *,
    now: datetime,
    form: AnswerForm | None = None,
    previous: Judgement | None = None,
) -> dict[str, Any]:
    """A stimulus with its question; ``form`` after an error, ``previous`` when an answer is reopened."""
    item, study = seat.item, enrolment.study
    done, total = assignment.progress(enrolment)
    return {
        "study": study,
        "enrolment": enrolment,
        "item": item,
        "done": done,
        "total": total,
        "ticket": Ticket(seat.pk, enrolment.pk, now).sign(),
        "key": submission_key(seat, enrolment),
        "previous": answer_words(previous) if previous else "",
        **sent(form),
        **stimulus(item, enrolment),
    }


def stimulus(item: Item, enrolment: Enrolment) -> dict[str, Any]:
    """An item's picture and map, its question and its answers, for whatever the rater answers it."""
    study = enrolment.study
    return {
        "question": item_question(item, study, get_language() or ""),
        **_stimulus(item),
        **(_likert(item, study) if study.kind == Study.Kind.LIKERT else _presence(item, enrolment)),
    }


def sent(form: AnswerForm | None) -> dict[str, Any]:
    """What was sent with a form that has an error, and the error."""
    return {
        "chosen": _chosen(form) if form else [],
        "error": form.errors["answer"][0] if form else "",
        "elapsed": form.data.get("browser_milliseconds", "") if form else "",
    }


def _chosen(form: AnswerForm) -> list[str]:
    values = form["answer"].data
    return values if isinstance(values, list) else [values]


def _stimulus(item: Item) -> dict[str, Any]:
    recipe = item.generation.recipe
    return {
        "recipe": recipe,
        "image_url": image_url(item.generation),
        "pixel_art": is_pixel_art(recipe),
    }


def is_pixel_art(recipe: Recipe) -> bool:
    return max(recipe.height, recipe.width) <= PIXEL_ART


def _likert(item: Item, study: Study) -> dict[str, Any]:
    word, text = item.word, item.word.prompt.text
    return {
        "before": text[: word.start],
        "target": text[word.start : word.end],
        "after": text[word.end :],
        "overlay_url": heat_map_url(item.generation, word, layer="overlay"),
        "map_url": heat_map_url(item.generation, word, layer="map"),
        "answers": likert_ratings(study, get_language() or ""),
        "opt_outs": questions.LIKERT_OPT_OUTS,
    }


def _presence(item: Item, enrolment: Enrolment) -> dict[str, Any]:
    nouns = [(FIRST, item.word.text), (SECOND, item.second_word.text if item.second_word else "")]
    # Half of the raters see an item's nouns in the other order, and so does each rater for half of the items.
    if (enrolment.pk + item.position) % 2:
        nouns.reverse()
    choices = [questions.Choice(value, str(key), text) for key, (value, text) in enumerate(nouns, start=1)]
    return {"answers": choices, "opt_outs": questions.PRESENCE_OPT_OUTS}


def answer_words(judgement: Judgement) -> str:
    """A given answer, as the rater read it."""
    return given_words(judgement, judgement.seat.item, judgement.seat.study)


def given_words(given: Judgement | PracticeAnswer, item: Item, study: Study) -> str:
    """An answer to an item, in the words of the answers."""
    if given.opt_out:
        choices = questions.LIKERT_OPT_OUTS if study.kind == Study.Kind.LIKERT else questions.PRESENCE_OPT_OUTS
        return next(str(choice.label) for choice in choices if choice.value == given.opt_out)
    if given.rating:
        return f"{given.rating} {texts_of(study, get_language() or '').anchors[given.rating]}"
    second = item.second_word.text if item.second_word else ""
    seen = [(given.first_present, item.word.text), (given.second_present, second)]
    return _(" and ").join(text for present, text in seen if present) or str(questions.NEITHER.label)


def end_page(enrolment: Enrolment) -> dict[str, Any]:
    """Thanks, the code, and what was collected."""
    study = enrolment.study
    answers = enrolment.judgements.filter(current=True)
    open_to_them = assignment.may_rate(enrolment)
    return {
        "study": study,
        "enrolment": enrolment,
        "answers": answers.count(),
        # For those who took part, and for those who came when nothing was left; not for whoever waits for a first item.
        "has_code": not enrolment.excluded_at and (answers.exists() or enrolment.completed_at is not None),
        "opted_out": answers.exclude(opt_out="").count(),
        "can_undo": open_to_them,
        "can_continue": open_to_them and assignment.places_left(enrolment) > 0,
        "screened_out": enrolment.screened_out_at is not None,
        "paused": study.state == Study.State.PAUSED and not enrolment.excluded_at,
    }
