"""What a study's database rows add up to: one grouped query, streamed, item by item.

Everything in a report comes from this one query, so that its totals fit together however many answers arrive while it
is read. What counts is what ``Judgement.objects.counted()`` says.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet

from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item, Study

JUDGEMENT = "seats__judgements__"
NO_GROUP = "none"
# How many of an item's judgements meet each condition, in the conditions' order.
Counts = tuple[int, ...]


class Answers(NamedTuple):
    """Counted answers to one item. ``given`` are ratings 1 to 5, or: both, first only, second only, neither."""

    given: tuple[int, ...]
    too_abstract: int
    too_poor: int

    @property
    def total(self) -> int:
        return sum(self.given) + self.too_abstract + self.too_poor


class ItemTally(NamedTuple):
    """One item in use: how many of its places are answered by anybody, and the counted answers."""

    item: int
    image: int
    group: str
    answered: int
    answers: Answers


@dataclass
class Totals:
    """Every stored judgement of a study in exactly one place; checked first to last in this order."""

    stored: int = 0
    superseded: int = 0
    surplus: int = 0
    simulated: int = 0
    withdrawn: int = 0
    excluded: int = 0
    counted: int = 0


@dataclass
class Tallies:
    """A study's items as they stream by, with the totals so far; ``only`` one tag or condition of it, if given."""

    study: Study
    simulated: bool = False
    only: str | None = None
    totals: Totals = field(default_factory=Totals)

    def __iter__(self) -> Iterator[ItemTally]:
        """Items in use, by position; ``totals`` is complete when the last one has passed."""
        seen: Counter[tuple[bool, Counts]] = Counter()
        known: dict[Counts, tuple[int, Answers]] = {}
        for item, image, withdrawn_at, group, *numbers in self._rows().iterator(chunk_size=2000):
            # Few combinations of counts occur, however many items: each is read once.
            counts = tuple(numbers)
            seen[withdrawn_at is not None, counts] += 1
            if withdrawn_at is None:
                if counts not in known:
                    known[counts] = self._answers(counts)
                yield ItemTally(item, image, group or NO_GROUP, *known[counts])
        self.totals = Totals()
        for (withdrawn, counts), items in seen.items():
            self._add(dict(zip(self._conditions(), counts, strict=True)), withdrawn=withdrawn, items=items)

    @property
    def group(self) -> str:
        return "word__tag" if self.study.kind == Study.Kind.LIKERT else "condition"

    def _rows(self) -> QuerySet[Any, tuple[Any, ...]]:
        items = Item.objects.filter(study=self.study, purpose=Item.Purpose.RATED).order_by("position")
        if self.only is not None:
            items = items.filter(**{self.group: "" if self.only == NO_GROUP else self.only})
        counts = {name: Count(JUDGEMENT + "pk", filter=which) for name, which in self._conditions().items()}
        fields = ("pk", "generation_id", "withdrawn_at", self.group)
        return items.values(*fields).annotate(**counts).values_list(*fields, *counts)

    def _conditions(self) -> dict[str, Q]:
        current = _where(current=True)
        seated = current & _where(surplus=False)
        simulated = _where(enrolment__rater__simulated=True)
        excluded = _where(enrolment__excluded_at__isnull=False)
        counted = seated & ~excluded & (simulated if self.simulated else ~simulated)
        return {
            "stored": _where(pk__isnull=False),
            "superseded": _where(current=False),
            "surplus": current & _where(surplus=True),
            "simulated": seated & simulated,
            "excluded": seated & ~simulated & excluded,
            # Whoever gave it, counted or not: the place is taken.
            "answered": seated,
        } | {name: counted & which for name, which in answer_conditions(self.study.kind).items()}

    def _add(self, number: dict[str, int], *, withdrawn: bool, items: int) -> None:
        """Count items of one kind into the totals."""
        totals = self.totals
        for name in ("stored", "superseded", "surplus", "simulated"):
            setattr(totals, name, getattr(totals, name) + items * number[name])
        people = number["stored"] - number["superseded"] - number["surplus"] - number["simulated"]
        if withdrawn:
            totals.withdrawn += items * people
        else:
            totals.excluded += items * number["excluded"]
            totals.counted += items * (people - number["excluded"])

    def _answers(self, counts: Counts) -> tuple[int, Answers]:
        number = dict(zip(self._conditions(), counts, strict=True))
        given = tuple(number[name] for name in GIVEN[self.study.kind])
        return number["answered"], Answers(given, number.get("too_abstract", 0), number["too_poor"])


GIVEN = {
    "likert": tuple(f"rating_{value}" for value in range(1, 6)),
    "presence": ("both", "first", "second", "neither"),
}


def answer_conditions(kind: str) -> dict[str, Q]:
    """The question's answers in order, each as a condition on judgements joined to items."""
    too_poor = _where(opt_out=Judgement.OptOut.IMAGE_TOO_POOR)
    if kind == Study.Kind.LIKERT:
        ratings = {name: _where(rating=value) for value, name in enumerate(GIVEN[kind], start=1)}
        return ratings | {"too_abstract": _where(opt_out=Judgement.OptOut.WORD_TOO_ABSTRACT), "too_poor": too_poor}
    seen = zip(GIVEN[kind], [(True, True), (True, False), (False, True), (False, False)], strict=True)
    present = {name: _where(first_present=first, second_present=second) for name, (first, second) in seen}
    return present | {"too_poor": too_poor}


def _where(**conditions: object) -> Q:
    return Q(**{JUDGEMENT + name: value for name, value in conditions.items()})


@dataclass
class Group:
    """The items of a tag or condition, by how they were answered; flat however many items there are."""

    items: Counter[tuple[int, Answers]] = field(default_factory=Counter)
    images: array[int] = field(default_factory=lambda: array("q"))
    medians: array[float] = field(default_factory=lambda: array("d"))

    def add(self, tally: ItemTally, median: float | None) -> None:
        self.items[tally.answered, tally.answers] += 1
        if median is not None:
            self.images.append(tally.image)
            self.medians.append(median)


@dataclass(frozen=True)
class Raters:
    """Raters with counted answers, and the largest share one of them gave."""

    number: int
    largest: int


def raters(study: Study, *, simulated: bool) -> Raters:
    counted = Judgement.objects.filter(seat__study=study, enrolment__rater__simulated=simulated).counted()
    given = [row["given"] for row in counted.order_by().values("enrolment").annotate(given=Count("pk"))]
    return Raters(len(given), max(given, default=0))


@dataclass(frozen=True)
class Seats:
    """Places of a study's items in use, by state."""

    pending: int
    free: int
    leased: int
    done: int

    @property
    def total(self) -> int:
        return self.pending + self.free + self.leased + self.done

    @property
    def left(self) -> int:
        return self.total - self.done


def seats(study: Study) -> Seats:
    states = Seat.objects.filter(study=study, item__in=Item.objects.in_use()).order_by().values_list("state")
    number = dict(states.annotate(Count("pk")))
    return Seats(*(number.get(state, 0) for state in ("pending", "free", "leased", "done")))
