"""Practice before the first item: answers with feedback, a pass mark, and a set number of attempts.

The state is read off the stored answers, so a rater may leave at any point and go on at another device.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, QuerySet

from annotation_site.raters.models import Enrolment, PracticeAnswer
from annotation_site.rating.assignment import Answer
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item, Study

SHOWN = ("generation__recipe", "generation__prompt", "word__prompt", "second_word", "map_word", "known")


@dataclass(frozen=True)
class Practice:
    """Where a rater's practice stands: the attempt they are in, its items in order, and their answers by item."""

    attempt: int
    attempts: int
    pass_mark: int
    items: list[Item]
    answers: dict[int, PracticeAnswer]

    @property
    def unread(self) -> PracticeAnswer | None:
        """The answer whose feedback the rater has not read yet."""
        return next((answer for answer in self.answers.values() if answer.feedback_at is None), None)

    @property
    def item(self) -> Item | None:
        """The next item to answer; None when the attempt is complete."""
        return next((item for item in self.items if item.pk not in self.answers), None)

    @property
    def complete(self) -> bool:
        return self.item is None

    @property
    def right(self) -> int:
        return sum(answer.acceptable for answer in self.answers.values())

    @property
    def needed(self) -> int:
        """How many answers must be acceptable: the pass mark's percent of the items, rounded up."""
        return -(-self.pass_mark * len(self.items) // 100)

    @property
    def passed(self) -> bool:
        return self.complete and self.right >= self.needed

    @property
    def attempts_left(self) -> int:
        return max(0, self.attempts - self.attempt)

    @property
    def over(self) -> bool:
        """Whether nothing of the practice is left to do or to read."""
        return self.complete and self.unread is None and (self.passed or not self.attempts_left)


def items(study: Study) -> list[Item]:
    """What the study's raters practise on, in order: items with a known answer, whose pictures are made."""
    return list(_wanted(study).select_related(*SHOWN).order_by("position"))


def pass_without(enrolment: Enrolment, *, now: datetime) -> bool:
    """Let the rater through to the items of a study that has nothing to practise on, in one statement."""
    here = Enrolment.objects.filter(~Exists(_wanted(enrolment.study)), pk=enrolment.pk)
    passed = bool(here.update(ready_at=now))
    enrolment.ready_at = now if passed else None
    return passed


def _wanted(study: Study) -> QuerySet[Item]:
    return study.items.filter(
        purpose=Item.Purpose.PRACTICE,
        withdrawn_at__isnull=True,
        known__isnull=False,
        generation__state=Generation.State.DONE,
    )


def practice(enrolment: Enrolment) -> Practice:
    """Where this rater's practice stands; without items to practise on it is over."""
    study, todo = enrolment.study, items(enrolment.study)
    given = list(enrolment.practice_answers.filter(item__in=todo).order_by("id")) if todo else []
    now = _attempt(study, todo, given, max((answer.attempt for answer in given), default=1))
    if now.complete and now.unread is None and not now.over:
        return _attempt(study, todo, given, now.attempt + 1)
    return now


def _attempt(study: Study, todo: list[Item], given: list[PracticeAnswer], number: int) -> Practice:
    answers = {answer.item_id: answer for answer in given if answer.attempt == number}
    return Practice(number, study.practice_attempts, study.practice_pass_mark, todo, answers)


@transaction.atomic
def answer(enrolment: Enrolment, item: int, attempt: int, given: Answer, *, now: datetime) -> bool:
    """Store the answer to the item that is due; False, and nothing stored, if another one is due by now.

    So the first of two answers to one item stands, whether they come from a double click or from two tabs.
    """
    given.check(enrolment.study.kind)
    list(Enrolment.objects.select_for_update().filter(pk=enrolment.pk))
    state = practice(enrolment)
    due = state.item
    if due is None or state.unread is not None or (due.pk, state.attempt) != (item, attempt):
        return False
    # What changed between two pictures is asked without practice.
    answered = {name: value for name, value in given.as_dict().items() if name != "change"}
    PracticeAnswer.objects.create(
        enrolment=enrolment,
        item=due,
        attempt=attempt,
        acceptable=due.known.accepts(answered),
        answered_at=now,
        **answered,
    )
    return True


def read(enrolment: Enrolment, answer: int, *, now: datetime) -> bool:
    """Note that the feedback to an answer was read; False if it was before, or is another rater's."""
    unread = enrolment.practice_answers.filter(pk=answer, feedback_at__isnull=True)
    return bool(unread.update(feedback_at=now))
