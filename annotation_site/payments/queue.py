"""Telling outside systems to pay or to reject, after the fact is committed: rows that are claimed, told and closed."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from annotation_site.payments.models import Entry, Errand
from annotation_site.payments.payers import Line, Outcome, Payer, PaymentError, PaymentRefused, State, payer_of
from annotation_site.payments.settling import settle, settle_part
from annotation_site.stimuli import bell

logger = logging.getLogger(__name__)
RUN = "annotation_site.payments.tasks.run_errands"
# Far longer than any call: two processes must never tell a payer at once, while one that died may keep an hour.
CLAIM = timedelta(hours=1)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)


def send(entry: Entry, *, now: datetime) -> Errand:
    """Have the rater's payer told of an approval or a rejection."""
    return Errand.objects.create(entry=entry, not_before=now)


def ring() -> None:
    """Wake a worker. Without one, or without a broker, beat or ``manage.py pay_raters`` does the work later."""
    bell.send(RUN)


def run(*, now: datetime) -> int:
    """Do what is due; how many errands are done. Safe to run in several processes at once."""
    groups: dict[tuple[str, int, str], list[Errand]] = defaultdict(list)
    for errand in _due(now).select_related("entry"):
        groups[errand.entry.way, errand.entry.study_id, errand.entry.kind].append(errand)
    return sum(_run(way, kind, errands, now) for (way, _, kind), errands in groups.items())


def take_back(entry: Entry) -> bool:
    """Call off what the payer was not told yet, or has refused; False if it may have been paid already."""
    errand = Errand.objects.filter(entry=entry)
    unsent = errand.filter(Q(state=Errand.State.WAITING, attempts=0) | Q(state=Errand.State.REFUSED))
    return not errand.exists() or bool(unsent.update(state=Errand.State.TAKEN_BACK, problem=""))


def try_again(entry: Entry, *, now: datetime) -> bool:
    """Have a refused errand done once more."""
    refused = Errand.objects.filter(entry=entry, state=Errand.State.REFUSED)
    return bool(refused.update(state=Errand.State.WAITING, not_before=now))


def _due(now: datetime) -> QuerySet[Errand]:
    to_do = Q(state__in=[Errand.State.WAITING, Errand.State.CLAIMED])
    return Errand.objects.filter(to_do, not_before__lte=now).order_by("id")


def _run(way: str, kind: str, errands: list[Errand], now: datetime) -> int:
    payer = payer_of(way)
    if payer is None:
        # Not claimed, for nobody is told: each can still be taken back.
        problem = f"Nobody is registered who pays raters by “{way}”."
        logger.warning("Paying by %s: %s", way, problem)
        _due(now).filter(pk__in=[errand.pk for errand in errands]).update(problem=problem)
        return 0
    mine = [errand for errand in errands if _claim(errand, now)]
    if kind == Entry.Kind.REJECTION:
        return sum(_reject(payer, errand, now) for errand in mine)
    try:
        return _pay(payer, mine, now) if mine else 0
    except Exception as error:  # A payer may fail in any way; what it did not answer for is asked again.
        _failed(mine, error, now)
        return Errand.objects.filter(pk__in=[errand.pk for errand in mine], state=Errand.State.DONE).count()


def _failed(errands: list[Errand], error: Exception, now: datetime) -> None:
    expected, way = isinstance(error, PaymentError), errands[0].entry.way
    logger.log(logging.WARNING if expected else logging.ERROR, "Paying by %s: %s", way, error, exc_info=not expected)
    for errand in errands:
        _put_back(errand, str(error) if expected else f"{type(error).__name__}: {error}", now)


def _claim(errand: Errand, now: datetime) -> bool:
    """The row count decides; one that was claimed, and whose process died, is claimed again after an hour."""
    before, errand.attempts = errand.attempts, errand.attempts + 1
    claimed = _due(now).filter(pk=errand.pk, attempts=before)
    return bool(claimed.update(state=Errand.State.CLAIMED, not_before=now + CLAIM, attempts=errand.attempts))


def _pay(payer: Payer, errands: list[Errand], now: datetime) -> int:
    by_key = {str(errand.entry.key): errand for errand in errands}
    done = 0
    for outcome in payer.pay([line_of(errand.entry) for errand in errands]):
        errand = by_key.pop(outcome.key, None)
        if errand is None:
            raise PaymentError(f"The payer spoke of a payment {outcome.key} that it was not asked for.")
        done += _close(errand, outcome, now)
    for errand in by_key.values():
        _put_back(errand, "The payer gave no answer.", now)
    return done


def _close(errand: Errand, outcome: Outcome, now: datetime) -> bool:
    if outcome.state == State.LATER:
        _put_back(errand, outcome.problem, now)
    elif outcome.state == State.REFUSED:
        _refused(errand, outcome, now)
    else:
        with transaction.atomic():
            if _claimed(errand).update(state=Errand.State.DONE, problem=""):
                settle(errand.entry, reference=outcome.reference, by="", now=now)
                return True
    return False


@transaction.atomic
def _refused(errand: Errand, outcome: Outcome, now: datetime) -> None:
    """It waits for a person; but where a part was paid, that is written, and only the rest is to be approved anew."""
    state = Errand.State.TAKEN_BACK if outcome.part else Errand.State.REFUSED
    if _claimed(errand).update(state=state, problem=outcome.problem) and outcome.part:
        reason = f"Paid in part only: {outcome.problem}"
        settle_part(errand.entry, outcome.part, reference=outcome.reference, reason=reason, now=now)


def _reject(payer: Payer, errand: Errand, now: datetime) -> bool:
    """Each by itself: what goes wrong with one rater is nothing to the next."""
    entry = errand.entry
    try:
        payer.reject(entry.enrolment, entry.reason, key=str(entry.key))
    except PaymentRefused as refusal:
        _claimed(errand).update(state=Errand.State.REFUSED, problem=str(refusal))
    except Exception as error:
        _failed([errand], error, now)
    else:
        return bool(_claimed(errand).update(state=Errand.State.DONE, problem=""))
    return False


def _claimed(errand: Errand) -> QuerySet[Errand]:
    """The errand while it is still ours: whoever was so slow that another has claimed it closes nothing."""
    return Errand.objects.filter(pk=errand.pk, state=Errand.State.CLAIMED, attempts=errand.attempts)


def _put_back(errand: Errand, problem: str, now: datetime) -> None:
    """For later, twice as late each time."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(errand.attempts - 1, 10))
    _claimed(errand).update(state=Errand.State.WAITING, not_before=now + wait, problem=problem)


def line_of(approval: Entry) -> Line:
    """An approval as its payer is told of it."""
    why = ", ".join(f"{part['what']}: {part['amount']}" for part in approval.details)
    return Line(str(approval.key), approval.enrolment, approval.amount, approval.currency, why)
