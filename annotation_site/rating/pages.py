"""What the rater's pages show, as template context."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotation_site.raters.models import Enrolment, Outcome, PracticeAnswer
from annotation_site.raters.sources.endings import ending
from annotation_site.rating import assignment
from annotation_site.rating.forms import FIRST, SECOND, AnswerForm
from annotation_site.rating.models import Judgement, Seat
from annotation_site.rating.outcomes import outcome_of
from annotation_site.rating.tickets import Ticket, submission_key
from annotation_site.stimuli.addresses import colour_bar_url, colour_table_url, image_url
from annotation_site.stimuli.drawing import canvas_size
from annotation_site.stimuli.models import Generation, Recipe, Word
from annotation_site.studies import questions
from annotation_site.studies.addresses import DRAWING, map_picture_url, map_url
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
        **stimulus(item, enrolment, turn=seat.round),
    }


def stimulus(item: Item, enrolment: Enrolment, *, turn: int | None = None) -> dict[str, Any]:
    """An item's picture and map, its question and its answers, for whatever the rater answers it.

    ``turn`` is the seat's round, by which the order of two nouns alternates; the rater's number where there is no seat.
    """
    study = enrolment.study
    turn = enrolment.pk if turn is None else turn
    return {
        "question": item_question(item, study, get_language() or ""),
        "own_instructions": texts_of(study, get_language() or "").instructions,
        **_picture(item, study),
        **_asked(item, study, turn),
    }


def _asked(item: Item, study: Study, turn: int) -> dict[str, Any]:
    if study.kind == Study.Kind.CHANGE:
        return _change(item, study, turn)
    return _likert(item, study) if study.kind == Study.Kind.LIKERT else _presence(item, turn)


def sent(form: AnswerForm | None) -> dict[str, Any]:
    """What was sent with a form that has an error, and the error."""
    return {
        "chosen": _chosen(form) if form else [],
        "error": form.errors["answer"][0] if form else "",
        "sent": form.data if form else {},
    }


def _chosen(form: AnswerForm) -> list[str]:
    values = form["answer"].data
    return values if isinstance(values, list) else [values]


def _picture(item: Item, study: Study) -> dict[str, Any]:
    recipe = item.generation.recipe
    return {
        "recipe": recipe,
        "image_url": image_url(item.generation, study.link_minutes),
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
        **map_addresses(item, study),
        "overlay_url": map_picture_url(item, layer="overlay", colours=study.colours, minutes=study.link_minutes),
        "opaque_url": map_picture_url(item, layer="map", colours=study.colours, minutes=study.link_minutes),
        "bar_url": colour_bar_url(study.colours),
        "renderer": f"server {DRAWING}",
        "answers": likert_ratings(study, get_language() or ""),
        "opt_outs": questions.LIKERT_OPT_OUTS,
    }


def map_addresses(item: Item, study: Study) -> dict[str, Any]:
    """What a browser needs to draw the item's map: its bytes, the colours, and the size of the drawing in pixels."""
    height, width = canvas_size(item.generation)
    return {
        "map": map_url(item, study.link_minutes),
        "colours": colour_table_url(study.colours),
        "width": width,
        "height": height,
    }


def ahead(item: Item, study: Study) -> dict[str, Any]:
    """The pictures of an item that comes next, to be fetched and drawn beforehand."""
    drawing = map_addresses(item, study) if study.kind == Study.Kind.LIKERT else {}
    second = {"second": image_url(item.second_generation, study.link_minutes)} if item.second_generation else {}
    return {"image": image_url(item.generation, study.link_minutes), **second, **drawing}


def _presence(item: Item, turn: int) -> dict[str, Any]:
    nouns = [(FIRST, item.word.text), (SECOND, item.second_word.text if item.second_word else "")]
    if _turned(item, turn):
        nouns.reverse()
    choices = [questions.Choice(value, str(key), text) for key, (value, text) in enumerate(nouns, start=1)]
    return {"answers": choices, "opt_outs": questions.PRESENCE_OPT_OUTS}


def _turned(item: Item, turn: int) -> bool:
    """Whether the second comes first.

    An item's raters see both orders, as often as each other. Which comes first is as good as drawn by lot for each
    item, so that no rater sees one condition in one order.
    """
    return bool((turn + blake2b(str(item.pk).encode(), digest_size=1).digest()[0]) % 2)


def _change(item: Item, study: Study, turn: int) -> dict[str, Any]:
    pictures = [_compared(generation, word, study) for generation, word in compared(item)]
    if _turned(item, turn):
        pictures.reverse()
    return {"pictures": pictures, "answers": questions.CHANGES, "opt_outs": questions.CHANGE_OPT_OUTS}


def compared(item: Item) -> list[tuple[Generation, Word]]:
    """The two pictures of an item of a swap set, each with its swapped word; the set's first one first."""
    if item.second_generation is None or item.second_word is None:
        raise ValueError(f"Item {item.pk} of study {item.study_id} has no second picture to compare with.")
    return [(item.generation, item.word), (item.second_generation, item.second_word)]


def _compared(generation: Generation, word: Word, study: Study) -> dict[str, Any]:
    text = word.prompt.text
    return {
        "image_url": image_url(generation, study.link_minutes),
        "word": word,
        "before": text[: word.start],
        "target": text[word.start : word.end],
        "after": text[word.end :],
    }


def answer_words(judgement: Judgement) -> str:
    """A given answer, as the rater read it."""
    return given_words(judgement, judgement.seat.item, judgement.seat.study)


def given_words(given: Judgement | PracticeAnswer, item: Item, study: Study) -> str:
    """An answer to an item, in the words of the answers."""
    if given.opt_out:
        choices = questions.opt_outs(study.kind)
        return next(str(choice.label) for choice in choices if choice.value == given.opt_out)
    if isinstance(given, Judgement) and given.change:
        return next(str(choice.label) for choice in questions.CHANGES if choice.value == given.change)
    if given.rating:
        return f"{given.rating} {texts_of(study, get_language() or '').anchors[given.rating]}"
    second = item.second_word.text if item.second_word else ""
    seen = [(given.first_present, item.word.text), (given.second_present, second)]
    return _(" and ").join(text for present, text in seen if present) or str(questions.NEITHER.label)


def end_page(enrolment: Enrolment) -> dict[str, Any]:
    """Thanks, the code of how it ended, and what was collected."""
    study = enrolment.study
    given = enrolment.judgements.filter(current=True)
    answers = given.count()
    open_to_them = assignment.may_rate(enrolment)
    outcome = outcome_of(enrolment, answers=answers)
    return {
        "study": study,
        "enrolment": enrolment,
        "answers": answers,
        "outcome": outcome,
        "complete": outcome in (Outcome.COMPLETE, Outcome.FULL),
        "end": ending(enrolment, outcome) if outcome else None,
        "opted_out": given.exclude(opt_out="").count(),
        "can_undo": open_to_them,
        "can_continue": open_to_them and assignment.places_left(enrolment) > 0,
        "practised": enrolment.practice_answers.count(),
        "screened_out": enrolment.screened_out_at is not None,
        "paused": study.state == Study.State.PAUSED and not enrolment.excluded_at and not enrolment.left_at,
    }
