"""What is done to many raters or items at once, with a reason: said beforehand, done one by one, noted by each deed.

Each deed is a conditional update, so that sent twice the second changes nothing; what others changed since the page was
read is told apart from what was done now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotation_site.counting import number
from annotation_site.raters.models import Enrolment
from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item

#: So many at once: as many as somebody reads through on a page before they confirm.
MOST = 200


@dataclass(frozen=True)
class Deed:
    """Done to each row: ``stands`` says why nothing would change for it, ``do`` whether it did change."""

    name: str
    label: str | Promise
    brings: tuple[str | Promise, ...]
    stands: Callable[[Any], str | Promise]
    do: Callable[[Any, str], bool]


@dataclass
class Outcome:
    """How many rows were changed, how many stood already, and why others were refused."""

    done: int = 0
    stood: int = 0
    refused: list[str] = field(default_factory=list)


def perform(deed: Deed, rows: Iterable[Any], reason: str) -> Outcome:
    outcome = Outcome()
    for row in rows:
        try:
            changed = deed.do(row, reason)
        except assignment.RatingError as error:
            outcome.refused.append(str(error))
            continue
        outcome.done += changed
        outcome.stood += not changed
    return outcome


def brought(deed: Deed, rows: Iterable[Any]) -> dict[str, Any]:
    """What a page says before the deed: each row with why nothing would change for it, and what is changed in all."""
    shown = [(row, deed.stands(row)) for row in rows]
    changing = [row for row, stands in shown if not stands]
    answers, leased = (sum(getattr(row, name) for row in changing) for name in ("answers", "leased"))
    return {"deed": deed, "rows": shown, "changing": changing, "answers": answers, "leased": leased}


def raters(rows: QuerySet[Enrolment]) -> QuerySet[Enrolment]:
    """With ``answers``, their current ones that hold a seat, and ``leased``, the seats that they hold unanswered."""
    given = Judgement.objects.filter(enrolment=OuterRef("pk"), current=True, surplus=False)
    leased = Seat.objects.filter(enrolment=OuterRef("pk"), state=Seat.State.LEASED)
    answers, held = (number(found.order_by().values("enrolment")) for found in (given, leased))
    return rows.select_related("rater", "study").annotate(answers=answers, leased=held).order_by("pk")


def items(rows: QuerySet[Item]) -> QuerySet[Item]:
    """With ``answers``, the current ones that hold a seat, and ``leased``, the seats that raters hold unanswered."""
    answered = Q(seats__judgements__current=True, seats__judgements__surplus=False)
    leased = Count("seats", filter=Q(seats__state="leased"), distinct=True)
    shown = rows.select_related("word", "second_word", "generation__prompt", "study")
    counted = shown.annotate(answers=Count("seats__judgements", filter=answered, distinct=True), leased=leased)
    return counted.order_by("study", "position")


def _is_excluded(rater: Enrolment) -> str | Promise:
    return _("excluded already: the first reason stands") if rater.excluded_at else ""


def _is_not_excluded(rater: Enrolment) -> str | Promise:
    return "" if rater.excluded_at else _("not excluded")


def _holds_nothing(rater: Any) -> str | Promise:
    return "" if rater.leased else _("holds no place")


def _is_withdrawn(item: Item) -> str | Promise:
    return _("withdrawn already") if item.withdrawn_at else ""


def _is_in_use(item: Item) -> str | Promise:
    return "" if item.withdrawn_at else _("in use")


FOR_RATERS = {
    deed.name: deed
    for deed in (
        Deed(
            "exclude",
            _("Exclude"),
            (
                _("Their answers stay stored, and no report counts them."),
                _("They are handed nothing more; their places stay taken until you give them to others."),
                _("It can be undone: they are restored, with their answers."),
            ),
            _is_excluded,
            lambda rater, reason: rater.exclude(reason, assignment.database_now()),
        ),
        Deed(
            "restore",
            _("Restore"),
            (
                _("Their answers count again, but for those whose places were given to others."),
                _("They may go on rating by the link that they have."),
            ),
            _is_not_excluded,
            lambda rater, reason: rater.restore(reason),
        ),
        Deed(
            "replace",
            _("Give their places to others"),
            (
                _("The places of these excluded raters are free for others."),
                _("Their answers stay stored, and never count again, not even if the raters are restored."),
            ),
            _is_not_excluded,
            lambda rater, reason: bool(assignment.reopen_seats(rater, reason=reason)),
        ),
        Deed(
            "release",
            _("Take back places"),
            (
                _("What they hold unanswered is free for others at once."),
                _("Answers given stay. A late answer is still taken where nobody else has the place by then."),
            ),
            _holds_nothing,
            lambda rater, reason: bool(assignment.take_back(rater, reason=reason)),
        ),
    )
}
FOR_ITEMS = {
    deed.name: deed
    for deed in (
        Deed(
            "withdraw",
            _("Withdraw"),
            (
                _("Nobody is asked about them any more, and who has one open is not counted for it."),
                _("Their answers stay stored, and no report counts them."),
                _("It can be undone: they are put back, with their answers."),
            ),
            _is_withdrawn,
            lambda item, reason: assignment.withdraw_item(item, reason=reason),
        ),
        Deed(
            "put-back",
            _("Put back"),
            (
                _("They are asked and counted again, with the answers that they have."),
                _("One whose raters judged another item in its place, and would pass the cap, stays withdrawn."),
            ),
            _is_in_use,
            lambda item, reason: assignment.put_item_back(item, reason=reason),
        ),
    )
}
