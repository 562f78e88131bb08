"""What a rater has earned by a pay scheme: a function of their answers, their time and how they ended. No rows.

=====================  ====================================================================================
rater                  earns
=====================  ====================================================================================
simulated              nothing, ever
of an unpaid source    nothing, unless the scheme says who pays everyone
screened out           the scheme's ``screen_out``, and nothing else
excluded               their work without bonuses, or nothing, as the scheme says
gave their part back   their work until then, without bonuses
stopped on the way     their work, without the bonuses for the end
finished               their work, and the bonuses they reached
nobody who answered    nothing
=====================  ====================================================================================

Whoever is held back or rejected earns what they earn; the ledger says that it is not to be paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotation_site.payments.models import PayScheme
from annotation_site.payments.work import Record, Time, worked

MINUTE = 60_000
HOUR = 60 * MINUTE
NOTHING = Record()


@dataclass(frozen=True)
class Facts:
    """What an amount depends on, beside the scheme."""

    enrolled_at: datetime
    record: Record = NOTHING
    simulated: bool = False
    screened_out: bool = False
    excluded: bool = False
    left: bool = False
    unpaid: bool = False
    completed: bool = False
    checks: int = 0
    checks_passed: int = 0


@dataclass(frozen=True)
class Part:
    """One line of why: what for, how many (items, or milliseconds), and the amount."""

    what: str
    number: int
    amount: int

    def as_dict(self) -> dict[str, Any]:
        return {"what": self.what, "number": self.number, "amount": self.amount}


@dataclass(frozen=True)
class Earned:
    """What was earned by which version of the scheme, and of what it is made up."""

    scheme: PayScheme
    time: Time
    parts: tuple[Part, ...] = ()

    @property
    def amount(self) -> int:
        return sum(part.amount for part in self.parts)


def earned(schemes: Sequence[PayScheme], facts: Facts) -> Earned:
    """By the version that held when the rater enrolled, or a later one made for everyone where that gives more."""
    held = [scheme for scheme in schemes if scheme.made_at <= facts.enrolled_at]
    # Those who came before the first version were promised nothing yet, and get what it says.
    first = held[-1] if held else schemes[0]
    later = [scheme for scheme in schemes if scheme.version > first.version and scheme.everyone]
    return max((by_scheme(scheme, facts) for scheme in (first, *later)), key=lambda each: each.amount)


def by_scheme(scheme: PayScheme, facts: Facts) -> Earned:
    """What one version gives."""
    time = worked(facts.record, most_seconds=scheme.item_seconds_most)
    return Earned(scheme, time, tuple(part for part in _parts(scheme, facts, time) if part.amount))


def bounded(scheme: PayScheme, work: int) -> int:
    """What work's amount comes to within the scheme's least and most."""
    lifted = max(work, scheme.least)
    return lifted if scheme.most is None else min(lifted, scheme.most)


def hourly(amount: int, milliseconds: int) -> int | None:
    """The amount an hour, rounded down: a rate is never flattered; None without any time."""
    return amount * HOUR // milliseconds if milliseconds else None


def _parts(scheme: PayScheme, facts: Facts, time: Time) -> list[Part]:
    if facts.simulated or (facts.unpaid and not scheme.by):
        return []
    if facts.screened_out:
        return [Part("screen_out", 1, scheme.screen_out)]
    if not facts.record.answers or (facts.excluded and scheme.excluded == PayScheme.Excluded.NOTHING):
        return []
    work = _work(scheme, facts.record.items, time)
    return [*work, *_bound(scheme, sum(part.amount for part in work)), *_bonuses(scheme, facts)]


def _work(scheme: PayScheme, items: int, time: Time) -> list[Part]:
    least, most = scheme.item_seconds_least * 1000, scheme.item_seconds_most * 1000
    paid = sum(min(most, max(least, milliseconds)) for milliseconds in time.items.values()) + time.other
    # Up to the next minor unit, once for each rater: what a rounding leaves is theirs.
    minutes = -(-scheme.per_minute * paid // MINUTE)
    return [
        Part("base", 1, scheme.base),
        Part("per_item", items, scheme.per_item * items),
        Part("per_minute", paid, minutes),
    ]


def _bound(scheme: PayScheme, work: int) -> list[Part]:
    """What lifts the work's amount to the least, or cuts it to the most."""
    bound = bounded(scheme, work)
    return [Part("least" if bound > work else "most", 1, bound - work)]


def _bonuses(scheme: PayScheme, facts: Facts) -> list[Part]:
    if facts.excluded or facts.left or not facts.completed:
        return []
    enough = facts.checks > 0 and facts.checks_passed * 100 >= scheme.bonus_checks_percent * facts.checks
    checks = [Part("bonus_checks", facts.checks_passed, scheme.bonus_checks)] if enough else []
    return [Part("bonus_complete", 1, scheme.bonus_complete), *checks]
