"""The items behind a number of a report: picture, map, answers and score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Prefetch

from annotation_site.rating.models import Judgement, Seat
from annotation_site.reports.data import StudyData
from annotation_site.reports.loading import load
from annotation_site.reports.outcomes import Outcomes, outcomes
from annotation_site.stimuli.addresses import image_url
from annotation_site.studies.addresses import map_picture_url
from annotation_site.studies.models import Item, Study
from attribution.analysis.aggregation import Status


@dataclass(frozen=True)
class Outcome:
    """What became of the item at a position: its status, and its score in words."""

    position: int
    status: Status
    score: str


@dataclass(frozen=True)
class Shown:
    """One item as its page shows it; the prompt comes in parts so that the target can be marked."""

    outcome: Outcome
    before: str
    target: str
    after: str
    image: str
    heat_map: str
    answers: tuple[str, ...]
    second: str
    second_image: str
    second_prompt: str


def outcomes_of(study: Study, group: str, *, simulated: bool = False) -> list[Outcome]:
    """Every item of a tag or condition, by position; empty when the study has no such group."""
    data = load(study, only=group)
    found = outcomes(data, data.counted(simulated=simulated))
    in_use = (~data.items.withdrawn).nonzero()[0]
    return [_outcome(data, found, int(item)) for item in in_use]


def outcome_at(study: Study, position: int) -> Outcome | None:
    """What became of one item, people's answers counted; None for a withdrawn one."""
    data = load(study, position=position)
    found = outcomes(data, data.counted())
    return None if data.items.withdrawn[0] else _outcome(data, found, 0)


def _outcome(data: StudyData, found: Outcomes, item: int) -> Outcome:
    position, status = int(data.items.position[item]), found.status_of(item)
    if status is not Status.SCORED:
        return Outcome(position, status, "")
    score = float(found.score[item])
    if data.facts.kind == "likert":
        return Outcome(position, status, f"{score:g}")
    if data.facts.kind == "change":
        return Outcome(position, status, "background changed" if score else "background unchanged")
    return Outcome(position, status, "both present" if score else "not both present")


def shown(study: Study, chosen: Iterable[Outcome], *, simulated: bool = False) -> list[Shown]:
    """The chosen items in full, in their order, by three queries."""
    wanted = {outcome.position: outcome for outcome in chosen}
    judgements = Judgement.objects.filter(enrolment__rater__simulated=simulated).counted().order_by("id")
    seats = Seat.objects.order_by("round").prefetch_related(Prefetch("judgements", queryset=judgements))
    items = (
        Item.objects.filter(study=study, position__in=wanted)
        .order_by("position")
        .select_related("generation__prompt", "word", "second_word", "second_generation__prompt")
    )
    return [
        _shown(item, wanted[item.position], study) for item in items.prefetch_related(Prefetch("seats", queryset=seats))
    ]


def _shown(item: Item, outcome: Outcome, study: Study) -> Shown:
    text, word, done = item.generation.prompt.text, item.word, item.generation.is_done
    other = item.second_generation
    likert_map = done and study.kind == Study.Kind.LIKERT
    return Shown(
        outcome=outcome,
        before=text[: word.start],
        target=text[word.start : word.end],
        after=text[word.end :],
        image=image_url(item.generation) if done else "",
        heat_map=map_picture_url(item, layer="overlay", colours=study.colours) if likert_map else "",
        answers=tuple(
            answer_words(judgement, item) for seat in item.seats.all() for judgement in seat.judgements.all()
        ),
        second=item.second_word.text if item.second_word else "",
        second_image=image_url(other) if other is not None and other.is_done else "",
        second_prompt=other.prompt.text if other is not None else "",
    )


def answer_words(judgement: Judgement, item: Item) -> str:
    if judgement.change:
        return judgement.change
    if judgement.opt_out or judgement.rating:
        return str(judgement.get_opt_out_display() if judgement.opt_out else judgement.rating)
    second = item.second_word.text if item.second_word else "second"
    seen = [
        word for word, there in ((item.word.text, judgement.first_present), (second, judgement.second_present)) if there
    ]
    return " and ".join(seen) or "neither"
