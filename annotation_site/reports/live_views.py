"""The page of a running study, and the page of one item with everything that was said of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from annotation_site.accounts.roles import is_admin
from annotation_site.rating.assignment import database_now
from annotation_site.rating.models import Judgement
from annotation_site.rating.seats import seats
from annotation_site.reports import live, watching
from annotation_site.reports.access import researchers_only
from annotation_site.reports.actions import next_action
from annotation_site.reports.agreement import agreement
from annotation_site.reports.exports.fates import fate_of
from annotation_site.reports.items import answer_words, outcome_at
from annotation_site.reports.loading import load, rated_items, raters_of
from annotation_site.reports.outcomes import outcomes
from annotation_site.reports.rater_rows import crowd
from annotation_site.stimuli.addresses import image_url
from annotation_site.studies.access import is_open, may_run, study_to_read
from annotation_site.studies.addresses import map_picture_url
from annotation_site.studies.models import Item, Study


@researchers_only
def live_study(request: HttpRequest, slug: str) -> HttpResponse:
    study = study_to_read(request, slug)
    now = database_now()
    # Before the rows are read: what comes between the two is shown now, and once more.
    tag = watching.tag(request, watching.marks(study, now))
    return render(request, "reports/live.html", {**_now(request, study, now), "etag": tag})


@researchers_only
def live_part(request: HttpRequest, slug: str) -> HttpResponse:
    """What changes on the live page, for htmx: 304 where nothing has."""
    study = study_to_read(request, slug)
    now = database_now()
    tag = watching.tag(request, watching.marks(study, now))
    return watching.answer(
        request, tag, ended=study.state == Study.State.CLOSED,
        template="reports/_live.html", context=lambda: {**_now(request, study, now), "etag": tag},
    )  # fmt: skip


def _now(request: HttpRequest, study: Study, now: datetime) -> dict[str, Any]:
    data, places = load(study), seats(study)
    which = data.counted()
    found = outcomes(data, which)
    return {
        "study": study,
        "now": now,
        "seats": places,
        "action": next_action(study, places, admin=is_admin(request.user)),
        "summary": live.summary(study, places),
        "groups": live.seats_by_group(study),
        "pace": live.pace(data, places.left, now),
        "alpha": agreement(data, found, which),
        "crowd": crowd(data),
        "disagreements": live.disagreements(data, found),
        "too_poor": live.too_poor(data, found),
        "simulated": int(data.simulated[data.judgements.rater].sum()),
        "every": watching.seconds_between(study, quiet=not places.left),
        "may_run": may_run(request, study),
        "is_open": is_open(),
    }


@researchers_only
def item(request: HttpRequest, slug: str, position: int) -> HttpResponse:
    study = study_to_read(request, slug)
    rows = rated_items(study).select_related(
        "generation__prompt", "generation__recipe", "word", "second_word", "second_generation__prompt", "map_word"
    )
    shown = get_object_or_404(rows, position=position)
    outcome = outcome_at(study, position)
    if outcome is None and shown.withdrawn_at is None:
        raise Http404(f"Study {slug} has no item {position}.")
    text, word, done = shown.generation.prompt.text, shown.word, shown.generation.is_done
    second = shown.second_generation
    maps = done and study.kind == Study.Kind.LIKERT
    context = {
        "study": study,
        "item": shown,
        "outcome": outcome,
        "before": text[: word.start],
        "target": text[word.start : word.end],
        "after": text[word.end :],
        "image": image_url(shown.generation) if done else "",
        "second_image": image_url(second) if second is not None and second.is_done else "",
        "overlay": map_picture_url(shown, layer="overlay", colours=study.colours) if maps else "",
        "map": map_picture_url(shown, layer="map", colours=study.colours) if maps else "",
        "answers": _answers(study, shown),
        "others": list(rows.filter(generation=shown.generation, word=word).exclude(pk=shown.pk)),
    }
    return render(request, "reports/item.html", context)


def _answers(study: Study, shown: Item) -> list[dict[str, Any]]:
    """Every stored answer to the item, in the order given."""
    raters = raters_of(study)
    stored = Judgement.objects.filter(seat__item=shown).order_by("id")
    return [
        {
            "rater": raters[judgement.enrolment_id],
            "words": answer_words(judgement, shown),
            "judgement": judgement,
            "seconds": None if judgement.browser_milliseconds is None else judgement.browser_milliseconds / 1000,
            "fate": fate_of(
                judgement.current,
                judgement.surplus,
                raters[judgement.enrolment_id],
                withdrawn=shown.withdrawn_at is not None,
            ),
        }
        for judgement in stored
    ]
