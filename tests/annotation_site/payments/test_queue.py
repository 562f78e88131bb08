"""Telling an outside payer, who crashes, loses responses, refuses, and pays: each line is paid once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from annotation_site.payments import deciding, payers, queue
from annotation_site.payments.approving import approve, preview
from annotation_site.payments.models import Entry, Errand
from annotation_site.payments.payers import Line, Outcome, PaymentError, PaymentRefused, State
from tests.annotation_site.payments.conftest import after, came_by, rated
from tests.annotation_site.rating.test_assignment_races import in_threads

NOW = after(1000)
WHO = {"by": "ada", "now": NOW}


class Bank:
    """A payer as another system is: it books a key once, and may fail before or after it has booked."""

    def __init__(self) -> None:
        self.booked: dict[str, int] = {}
        self.asked, self.rejected = 0, []
        self.mishap = ""

    def pay(self, lines: Sequence[Line]) -> Iterator[Outcome]:
        for line in lines:
            self.asked += 1
            mishap, self.mishap = self.mishap, ""
            if mishap == "down":
                raise PaymentError("The bank is closed.")
            if mishap == "refuse":
                yield Outcome(line.key, State.REFUSED, problem="no such account")
                continue
            if mishap == "foreign":
                yield Outcome("another key", State.PAID)
            self.booked.setdefault(line.key, line.amount)
            if mishap == "lost":
                raise ConnectionResetError("lost response")
            if mishap == "killed":
                raise SystemExit
            if mishap != "silent":
                yield Outcome(line.key, State.PAID, reference=f"b-{len(self.booked)}")

    def check_rejection(self, enrolment, reason: str) -> None:
        if "#" in reason:
            raise PaymentRefused("The bank takes no # in a reason.")

    def reject(self, enrolment, reason: str, *, key: str) -> None:
        mishap, self.mishap = self.mishap, ""
        if mishap == "refuse":
            raise PaymentRefused("no such account")
        if mishap == "lost":
            raise ConnectionResetError("lost response")
        self.rejected.append((enrolment, reason))


@pytest.fixture
def bank(monkeypatch) -> Bank:
    bank = Bank()
    monkeypatch.setattr(payers, "_payers", {})
    payers.register("prolific", bank)
    return bank


@pytest.fixture
def approved(paying, bank):
    """Two raters whose source is paid by the bank, approved: 1.00 USD each."""
    source = came_by(paying, "prolific")
    raters = [rated(paying, source=source) for _ in range(2)]
    wanted = [rater.pk for rater in raters]
    approve(paying, wanted, preview(paying, wanted).digest, **WHO)
    return raters


def paid() -> list[int]:
    return list(Entry.objects.filter(kind="payment").values_list("amount", flat=True))


@pytest.mark.django_db
def test_what_is_approved_is_paid_once_however_often_the_bell_rings(approved, bank):
    assert queue.run(now=NOW) == 2
    assert queue.run(now=NOW + timedelta(days=1)) == 0
    assert paid() == [100, 100]
    assert bank.asked == 2


@pytest.mark.django_db
@pytest.mark.parametrize("mishap", ["down", "lost", "silent", "foreign"])
def test_after_any_mishap_it_is_asked_again_and_paid_once(approved, bank, mishap):
    bank.mishap = mishap
    queue.run(now=NOW)
    assert Errand.objects.exclude(state="done").exists()
    # Not at once: a minute is doubled with each try.
    queue.run(now=NOW)
    assert Errand.objects.exclude(state="done").exists()
    queue.run(now=NOW + timedelta(hours=2))
    assert paid() == [100, 100]
    assert list(bank.booked.values()) == [100, 100]


@pytest.mark.django_db
def test_a_killed_process_keeps_its_claim_an_hour_and_then_another_asks_again(approved, bank):
    bank.mishap = "killed"
    with pytest.raises(SystemExit):
        queue.run(now=NOW)
    assert queue.run(now=NOW + timedelta(minutes=59)) == 0
    assert queue.run(now=NOW + timedelta(minutes=61)) == 2
    assert paid() == [100, 100]
    assert list(bank.booked.values()) == [100, 100]


@pytest.mark.django_db
def test_what_was_refused_waits_for_a_person(approved, bank):
    bank.mishap = "refuse"
    queue.run(now=NOW)
    errand = Errand.objects.get(state="refused")
    assert errand.problem == "no such account"
    assert queue.run(now=NOW + timedelta(days=1)) == 0
    assert queue.try_again(errand.entry, now=NOW)
    assert queue.run(now=NOW) == 1
    assert paid() == [100, 100]


@pytest.mark.django_db
def test_what_may_have_been_paid_is_not_taken_back(approved, bank):
    bank.mishap = "down"
    queue.run(now=NOW)
    with pytest.raises(deciding.Refused, match="may have been paid"):
        deciding.reject(approved[0], reason="a program", **WHO)


@pytest.mark.django_db
def test_a_rejection_takes_back_what_was_not_sent_and_is_told(approved, bank):
    deciding.reject(approved[0], reason="a program", **WHO)
    queue.run(now=NOW)
    assert paid() == [100]
    assert bank.rejected == [(approved[0], "a program")]


@pytest.mark.django_db
def test_a_rejection_that_the_payer_would_not_take_is_not_written(approved, bank):
    with pytest.raises(deciding.Refused, match="no # in a reason"):
        deciding.reject(approved[0], reason="#1", **WHO)
    assert not Entry.objects.filter(kind="rejection").exists()
    assert queue.run(now=NOW) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(("mishap", "state"), [("refuse", "refused"), ("lost", "waiting")])
def test_a_rejection_that_fails_is_nothing_to_the_others(approved, bank, mishap, state):
    for rater in approved:
        deciding.reject(rater, reason="a program", **WHO)
    bank.mishap = mishap
    assert queue.run(now=NOW) == 1
    assert bank.rejected == [(approved[1], "a program")]
    assert list(Errand.objects.filter(entry__kind="rejection").values_list("state", flat=True)) == [state, "done"]


@pytest.mark.django_db
def test_a_refused_rejection_is_told_again_or_released_and_never_both(approved, bank):
    first, second = (deciding.reject(rater, reason="a program", **WHO) for rater in approved)
    for entry in (first, second):
        bank.mishap = "refuse"
        Errand.objects.exclude(entry=entry).update(not_before=NOW + timedelta(hours=1))
        queue.run(now=NOW)
        Errand.objects.update(not_before=NOW)
    assert set(Errand.objects.filter(entry__in=[first, second]).values_list("state", flat=True)) == {"refused"}
    deciding.release(approved[0], reason="a brother", **WHO)
    assert [queue.try_again(entry, now=NOW) for entry in (first, second)] == [False, True]
    queue.run(now=NOW)
    assert bank.rejected == [(approved[1], "a program")]


@pytest.mark.django_db
def test_without_a_payer_it_waits_and_says_so_and_can_be_taken_back(approved, monkeypatch, capsys):
    monkeypatch.setattr(payers, "_payers", {})
    call_command("pay_raters")
    assert "Nobody is registered who pays raters by “prolific”" in capsys.readouterr().out
    assert paid() == []
    deciding.take_back(Entry.objects.filter(kind="approval").first(), reason="paid in cash", **WHO)
    call_command("pay_raters")
    assert capsys.readouterr().out.count("Nobody is registered") == 1


@pytest.mark.django_db(transaction=True)
def test_who_took_longer_than_their_claim_closes_nothing_that_another_has_claimed(approved, bank, ledger_left):
    """One takes longer than an hour and is refused at last, while another who took it up is about to have it paid."""
    claimed, refused = threading.Event(), threading.Event()

    class Second(Bank):
        def pay(self, lines: Sequence[Line]) -> Iterator[Outcome]:
            claimed.set()
            assert refused.wait(timeout=30)
            yield from super().pay(lines)

    class First(Bank):
        def pay(self, lines: Sequence[Line]) -> Iterator[Outcome]:
            payers.register("prolific", Second())
            another.start()
            assert claimed.wait(timeout=30)
            yield from [Outcome(line.key, State.REFUSED, problem="too late") for line in lines]

    def take_up() -> None:
        queue.run(now=NOW + timedelta(minutes=61))
        connection.close()

    another = threading.Thread(target=take_up)
    payers.register("prolific", First())
    queue.run(now=NOW)
    refused.set()
    another.join(timeout=30)
    assert paid() == [100, 100]
    assert set(Errand.objects.values_list("state", flat=True)) == {"done"}


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_never_tell_a_payer_twice(approved, bank, ledger_left):
    in_threads(4, lambda _: queue.run(now=NOW))
    assert paid() == [100, 100]
    assert bank.asked == 2
