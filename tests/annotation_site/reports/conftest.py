"""Judgements written down directly, so that each test's numbers can be worked out by hand."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

import pytest
from django.utils import timezone

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item, Study

ABSTRACT, POOR = {"opt_out": "word_too_abstract"}, {"opt_out": "image_too_poor"}
BOTH, FIRST, SECOND, NEITHER = (
    {"first_present": first, "second_present": second}
    for first, second in ((True, True), (True, False), (False, True), (False, False))
)


def as_answer(given: int | str | dict[str, object]) -> dict[str, object]:
    """5, "A" (too abstract) or "P" (too poor); "B", "1", "2", "0" say which nouns are present."""
    named = {"A": ABSTRACT, "P": POOR, "B": BOTH, "1": FIRST, "2": SECOND, "0": NEITHER}
    if isinstance(given, dict):
        return given
    return {"rating": given} if isinstance(given, int) else named[given]


@pytest.fixture
def enrol(db) -> Callable[..., Enrolment]:
    def make(study: Study, *, simulated: bool = False) -> Enrolment:
        return Enrolment.objects.create(rater=Rater.objects.create(simulated=simulated), study=study)

    return make


@pytest.fixture
def judge(db) -> Callable[..., Judgement]:
    """``judge(item, enrolment, 5)``: the enrolment takes the item's first free seat and answers."""

    def make(item: Item, enrolment: Enrolment, given: int | str, *, seat: Seat | None = None, **fields) -> Judgement:
        if seat is None:
            seat = item.seats.filter(state="free").order_by("round").first()
            Seat.objects.filter(pk=seat.pk).update(state="done", enrolment=enrolment)
        now = timezone.now()
        values = {"key": uuid.uuid4(), "shown_at": now, "answered_at": now} | as_answer(given) | fields
        return Judgement.objects.create(seat=seat, enrolment=enrolment, **values)

    return make


@pytest.fixture
def fill(enrol, judge) -> Callable[..., list[Enrolment]]:
    """``fill(study, {"NOUN": [(4, 5, 5), ...]})``: each tuple answers the next item of a tag or condition."""

    def make(
        study: Study, answers: dict[str, Sequence[Sequence[int | str]]], *, simulated: bool = False
    ) -> list[Enrolment]:
        group = "word__tag" if study.kind == "likert" else "condition"
        cast = [enrol(study, simulated=simulated) for place in range(study.seats_per_item)]
        for name, each in answers.items():
            items = study.items.filter(**{group: name}).order_by("position")
            for item, given in zip(items, each, strict=False):
                for enrolment, answer in zip(cast, given, strict=False):
                    judge(item, enrolment, answer)
        return cast

    return make


@pytest.fixture
def rated(make_study, fill) -> Study:
    """Three pairs each of four tags: plain, mixed, unanimous, and all too abstract."""
    study = make_study(items=12)
    fill(
        study,
        {
            "NOUN": [(4, 5, 5), (3, 4, 2), (2, 2, 1)],
            "VERB": [(5, "A", 4), (4, "P", 3), (4,)],
            "ADJ": [(4, 4, 4), (4, 4, 4), (4, 4, 4)],
            "DET": [("A", 2, 2), ("A", "A", 1), (3, 3, "A")],
        },
    )
    return study
