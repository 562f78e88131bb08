"""Programs that answer like raters, for demonstrations and load tests: marked as such, never counted as people."""

from __future__ import annotations

import random
import uuid

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.assignment import Answer
from annotation_site.rating.models import Judgement
from annotation_site.studies.models import Item, KnownAnswer, Study

# How good maps of a tag tend to be, and how often its words are called too abstract: made up, for plausible tables.
QUALITY = {"NOUN": 4.2, "PROPN": 4.1, "ADJ": 3.9, "VERB": 3.7, "NUM": 3.3, "ADV": 3.2}
TOO_ABSTRACT = 0.45
# How much worse raters like a map that is not the word's own: made up as well.
WORSE = {"other-word": 1.0, "blob": 0.8, "uniform": 1.6}
CHANGES = ("object", "background", "both", "nothing")


def simulate(study: Study, *, raters: int, seed: int) -> int:
    """Let ``raters`` new simulated raters answer whatever they are given; how many answers they gave."""
    given = 0
    for number in range(raters):
        rng = random.Random(f"{seed} {number}")  # noqa: S311 - reproducible answers
        rater = Rater.objects.create(simulated=True)
        given += _answer_all(Enrolment.objects.create(rater=rater, study=study, source="simulation"), seed, rng)
    return given


def _answer_all(enrolment: Enrolment, seed: int, rng: random.Random) -> int:
    given = 0
    leniency = rng.gauss(0, 0.3)
    while (seat := assignment.claim_next(enrolment, rng=rng)) is not None:
        answer = _answer(seat.item, leniency, seed, rng)
        now = assignment.database_now()
        assignment.record(seat=seat, enrolment=enrolment, answer=answer, key=uuid.uuid4(), shown_at=now, now=now)
        given += not seat.item.purpose
    return given


def _right(known: KnownAnswer) -> Answer:
    """A program that simulates attentive raters passes every check."""
    if known.first_present is not None:
        return Answer(first_present=known.first_present, second_present=known.second_present)
    return Answer(rating=known.highest, opt_out="" if known.highest else known.opt_out)


def _answer(item: Item, leniency: float, seed: int, rng: random.Random) -> Answer:
    if item.purpose:
        return _right(item.known)
    # What raters of one item share comes from the item, so that they agree more than chance.
    shared = random.Random(f"{seed} {item.pk}")  # noqa: S311
    if item.second_generation_id is not None:
        # Most changes of an adjective reach the background, and raters of one pair mostly see the same.
        likely = shared.choices(CHANGES, weights=(3, 1, 5, 1))[0]
        return Answer(change=likely if rng.random() < 0.8 else rng.choice(CHANGES))
    if item.second_word_id is not None:
        quality = 0.75 if item.condition == Item.Condition.NON_COHYPONYMS else 0.6
        truth = [shared.random() < quality for _ in range(2)]
        seen = [present if rng.random() < 0.95 else not present for present in truth]
        return Answer(first_present=seen[0], second_present=seen[1])
    if item.word.tag not in QUALITY and shared.random() < 0.8 and rng.random() < TOO_ABSTRACT:
        return Answer(opt_out=Judgement.OptOut.WORD_TOO_ABSTRACT)
    if shared.random() < 0.05 and rng.random() < 0.5:
        return Answer(opt_out=Judgement.OptOut.IMAGE_TOO_POOR)
    quality = QUALITY.get(item.word.tag, 3.0) - WORSE.get(item.map_source, 0.0)
    score = quality + shared.gauss(0, 0.8) + leniency + rng.gauss(0, 0.6)
    return Answer(rating=min(5, max(1, round(score))))
