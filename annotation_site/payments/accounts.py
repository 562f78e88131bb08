"""Where each rater of a study stands: what they earned, what was approved and paid, and whether they are to be paid.

Everything is worked out from answers and ledger rows each time; nothing is kept in step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median_low

from django.db.models import Q, QuerySet

from annotation_site.payments.earning import Earned, Facts, earned, hourly
from annotation_site.payments.models import Entry, PayScheme
from annotation_site.payments.settling import NOBODY, paid_by, way_of
from annotation_site.payments.work import Record, records
from annotation_site.raters.models import Enrolment
from annotation_site.rating import checks
from annotation_site.studies.models import Study

DECISIONS = (Entry.Kind.HOLD, Entry.Kind.REJECTION, Entry.Kind.RELEASE)


@dataclass(frozen=True)
class Ledger:
    """Sums of a rater's entries by kind, the last of them, and the last decision (none, or a release: to be paid)."""

    sums: dict[str, int] = field(default_factory=dict)
    last: int = 0
    decision: Entry | None = None

    def sum(self, kind: Entry.Kind) -> int:
        return self.sums.get(kind, 0)


@dataclass(frozen=True)
class Account:
    """A rater's money in a study, in minor units."""

    enrolment: Enrolment
    facts: Facts
    earned: Earned
    ledger: Ledger

    @property
    def total(self) -> int:
        return self.earned.amount + self.ledger.sum(Entry.Kind.BONUS)

    @property
    def approved(self) -> int:
        return self.ledger.sum(Entry.Kind.APPROVAL)

    @property
    def paid(self) -> int:
        return self.ledger.sum(Entry.Kind.PAYMENT)

    @property
    def way(self) -> str:
        return way_of(self.earned.scheme, self.enrolment)

    @property
    def held(self) -> bool:
        return self._decided(Entry.Kind.HOLD)

    @property
    def rejected(self) -> bool:
        return self._decided(Entry.Kind.REJECTION)

    def _decided(self, kind: Entry.Kind) -> bool:
        return self.ledger.decision is not None and self.ledger.decision.kind == kind

    @property
    def owed(self) -> int:
        """What the rater is still to get; who is held back is owed it all the same."""
        return 0 if self.rejected else max(0, max(self.total, self.approved) - self.paid)

    @property
    def to_approve(self) -> int:
        """What can be approved now; nothing where nobody would pay it."""
        unpayable = self.rejected or self.held or self.way == NOBODY
        return 0 if unpayable else max(0, self.total - self.approved)

    @property
    def to_accrue(self) -> int:
        return max(0, self.earned.amount - self.ledger.sum(Entry.Kind.ACCRUAL))

    @property
    def ended(self) -> bool:
        """Whether the rater can earn nothing more by working."""
        over = self.enrolment.study.state == Study.State.CLOSED
        facts = self.facts
        return over or facts.completed or facts.screened_out or facts.excluded or facts.left

    @property
    def an_hour(self) -> int | None:
        """What an hour of the rater's time is paid with, rejected or not: that is what the work was worth to us."""
        return hourly(self.total, self.earned.time.total)


def schemes_of(study: Study) -> list[PayScheme]:
    return list(PayScheme.objects.filter(study=study).order_by("version"))


def accounts(study: Study, *, only: Iterable[int] | None = None) -> list[Account]:
    """Everyone who may be owed anything, or was paid, by pseudonym; never a simulated rater. Empty without a scheme."""
    schemes = schemes_of(study)
    enrolments = Enrolment.objects.filter(study=study).people()
    enrolments = enrolments.filter(_has_something()) if only is None else enrolments.filter(pk__in=list(only))
    return _accounts(enrolments, schemes) if schemes else []


def _has_something() -> Q:
    worked = Q(pk__in=Enrolment.objects.filter(judgements__isnull=False).values("pk"))
    return worked | Q(screened_out_at__isnull=False) | Q(pk__in=Entry.objects.values("enrolment"))


def _accounts(enrolments: QuerySet[Enrolment], schemes: Sequence[PayScheme]) -> list[Account]:
    worked, written = records(enrolments), ledgers(enrolments)
    rows = enrolments.select_related("rater", "study", "arrived_by").prefetch_related(checks.with_answers())
    found = [_account(each, worked[each.pk], written.get(each.pk, Ledger()), schemes) for each in rows]
    return sorted(found, key=lambda account: account.enrolment.rater.pseudonym)


def _account(enrolment: Enrolment, record: Record, ledger: Ledger, schemes: Sequence[PayScheme]) -> Account:
    facts = _facts(enrolment, record)
    return Account(enrolment, facts, earned(schemes, facts), ledger)


def _facts(enrolment: Enrolment, record: Record) -> Facts:
    outcomes = [result.passed for result in checks.judged(enrolment.check_answers)]  # type: ignore[attr-defined]
    return Facts(
        enrolled_at=enrolment.created_at,
        record=record,
        simulated=enrolment.rater.simulated,
        unpaid=paid_by(enrolment) == NOBODY,
        left=enrolment.left_at is not None,
        screened_out=enrolment.screened_out_at is not None,
        excluded=enrolment.excluded_at is not None,
        completed=enrolment.completed_at is not None,
        checks=len(outcomes) - outcomes.count(None),
        checks_passed=outcomes.count(True),
    )


def ledgers(enrolments: QuerySet[Enrolment]) -> dict[int, Ledger]:
    """Each rater's ledger, by the enrolment's key; those without entries are left out."""
    found: dict[int, Ledger] = {}
    for entry in Entry.objects.filter(enrolment__in=enrolments.order_by().values("pk")).order_by("id"):
        before = found.get(entry.enrolment_id, Ledger())
        sums = before.sums | {entry.kind: before.sum(Entry.Kind(entry.kind)) + entry.amount}
        found[entry.enrolment_id] = Ledger(sums, entry.pk, entry if entry.kind in DECISIONS else before.decision)
    return found


@dataclass(frozen=True)
class Summary:
    """A study's money: what is owed and was paid, and the median hour of those who worked; None where nobody did."""

    currency: str
    owed: int
    paid: int
    hour: int | None
    minimum: int
    below: int

    @property
    def too_little(self) -> bool:
        return self.hour is not None and self.hour < self.minimum


def summary(found: Sequence[Account], scheme: PayScheme) -> Summary:
    """By the accounts and the newest scheme. Of two middle hours the one that pays less; volunteers have none."""
    worked = [account for account in found if account.facts.record.answers and account.way != NOBODY]
    hours = [account.an_hour for account in worked if account.an_hour is not None]
    return Summary(
        currency=scheme.currency,
        owed=sum(account.owed for account in found),
        paid=sum(account.paid for account in found),
        hour=median_low(hours) if hours else None,
        minimum=scheme.hourly_minimum,
        below=sum(hour < scheme.hourly_minimum for hour in hours),
    )
