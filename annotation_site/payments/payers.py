"""Who hands the money over: the finance office, the raters' own panel, or another system's API.

One payer for each way that a source names.

An app registers its payer once, in its app's ``ready``::

    register("prolific", ProlificPayer())

Attest calls a payer from its queue only, after the approval is committed, and never for one line in two processes at a
time. A call may be repeated: after a crash or a lost response Attest asks again for every line without an outcome. So a
payer is free to raise at any point, and must make certain, by the line's ``key`` or by asking the other system what it
has already paid, that a line asked for twice is paid once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from annotation_site.raters.models import Enrolment


class PaymentError(Exception):
    """A payer cannot do what was asked now; the message says why and what to do. Attest tries again later."""


class PaymentRefused(PaymentError):
    """The other system will not do what was asked, however often it is asked; a person must decide."""


class State(StrEnum):
    PAID = "paid"
    REFUSED = "refused"  # for good: it will never be paid so, and a person must decide
    LATER = "later"  # not known yet, or not yet possible: asked for again


@dataclass(frozen=True)
class Line:
    """An approved amount for one rater: integers of the currency's minor unit, never floats.

    ``key`` is this line's own for ever (a UUID).
    """

    key: str
    enrolment: Enrolment
    amount: int
    currency: str
    why: str


@dataclass(frozen=True)
class Outcome:
    """What became of the line with this key. ``reference`` is the other system's name for the payment.

    ``part`` is what was paid of a refused line all the same: so much is written as paid, and the rest is approved anew.
    """

    key: str
    state: State
    reference: str = ""
    problem: str = ""
    part: int = 0


class Payer(Protocol):
    """Pays and rejects the raters of sources that are paid one way."""

    def pay(self, lines: Sequence[Line]) -> Iterable[Outcome]:
        """Pay these lines, all of one study; an outcome for each, in any order, as soon as it is known.

        A line without an outcome is asked for again. Raises PaymentError, which leaves the rest for later.
        """

    def check_rejection(self, enrolment: Enrolment, reason: str) -> None:
        """Raise PaymentRefused for a rejection that the other system would not take; asked before one is written."""

    def reject(self, enrolment: Enrolment, reason: str, *, key: str) -> None:
        """Tell the other system that this rater is not paid; told twice under one key it changes nothing.

        Raises PaymentRefused, which leaves it to a person, or PaymentError, after which it is told again later.
        """


class ByPanel:
    """The panel pays its raters, or books credit for them, by their completion code: nothing goes by us."""

    def pay(self, lines: Sequence[Line]) -> Iterable[Outcome]:
        for line in lines:
            yield Outcome(line.key, State.PAID, reference=f"code {line.enrolment.study.completion_code}")

    def check_rejection(self, enrolment: Enrolment, reason: str) -> None:
        """Any reason will do."""

    def reject(self, enrolment: Enrolment, reason: str, *, key: str) -> None:
        """Nobody is told: the panel knows only the code."""


_payers: dict[str, Payer] = {}


def register(way: str, payer: Payer) -> None:
    """Let ``payer`` pay raters whose source is ``paid_by`` this way; the last one registered counts."""
    _payers[way] = payer


def payer_of(way: str) -> Payer | None:
    """Who pays raters this way; None if the app that would is not there."""
    return _payers.get(way)
