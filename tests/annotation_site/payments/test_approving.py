"""Approving by a preview: exactly what was shown, once; and what people decide about one rater."""

from __future__ import annotations

import pytest

from annotation_site.payments import deciding
from annotation_site.payments.accounts import accounts, schemes_of, summary
from annotation_site.payments.approving import Changed, approve, preview
from annotation_site.payments.finance import NothingToPay, mark_paid
from annotation_site.payments.models import Batch, Entry
from annotation_site.raters import identities
from tests.annotation_site.payments.conftest import after, came_by, make_scheme, rated
from tests.annotation_site.rating.test_assignment_races import in_threads

NOW = after(1000)
WHO = {"by": "ada", "now": NOW}


def approve_all(study, *raters) -> Batch:
    wanted = [rater.pk for rater in raters]
    return approve(study, wanted, preview(study, wanted).digest, **WHO)


def account(study, rater):
    (found,) = accounts(study, only=[rater.pk])
    return found


def amounts(kind: str) -> list[int]:
    return list(Entry.objects.filter(kind=kind).order_by("id").values_list("amount", flat=True))


@pytest.mark.django_db
def test_what_was_shown_is_written_and_then_paid(paying):
    first, second = rated(paying, 2), rated(paying, 3)
    shown = preview(paying, [first.pk, second.pk])
    assert shown.total == 250
    batch = approve(paying, [first.pk, second.pk], shown.digest, **WHO)
    assert sorted(amounts("accrual")) == sorted(amounts("approval")) == [100, 150]
    assert account(paying, second).owed == 150
    assert preview(paying, [first.pk, second.pk]).rows == ()
    with pytest.raises(NothingToPay):
        mark_paid(batch, total=249, reference="t-1", **WHO)
    assert mark_paid(batch, total=250, reference="t-1", **WHO) == 2
    with pytest.raises(NothingToPay):
        mark_paid(batch, total=250, reference="t-1", **WHO)
    assert sorted(amounts("payment")) == [100, 150]
    assert (account(paying, second).owed, account(paying, second).paid) == (0, 150)


@pytest.mark.django_db
def test_a_preview_that_no_longer_holds_approves_nothing(paying):
    rater = rated(paying)
    digest = preview(paying, [rater.pk]).digest
    deciding.bonus(rater, amount=1, reason="thanks", **WHO)
    with pytest.raises(Changed):
        approve(paying, [rater.pk], digest, **WHO)
    with pytest.raises(Changed):
        approve(paying, [], preview(paying, []).digest, **WHO)
    assert not Batch.objects.exists()
    approve_all(paying, rater)
    assert amounts("approval") == [101]
    assert amounts("accrual") == [100]


@pytest.mark.django_db
def test_confirmed_again_it_is_the_same_batch(paying):
    rater = rated(paying)
    digest = preview(paying, [rater.pk]).digest
    first, again = (approve(paying, [rater.pk], digest, **WHO) for _ in range(2))
    assert first == again
    assert amounts("approval") == [100]


@pytest.mark.django_db(transaction=True)
def test_confirmed_in_two_windows_at_once_it_is_paid_once(paying, ledger_left):
    raters = [rated(paying).pk, rated(paying).pk]
    digest = preview(paying, raters).digest
    batches: list[int] = []
    in_threads(4, lambda _: batches.append(approve(paying, raters, digest, **WHO).pk))
    assert len(batches) == 4
    assert len(set(batches)) == 1
    assert amounts("approval") == [100, 100]
    batch, counts = Batch.objects.get(), []

    def pay(_: int) -> None:
        try:
            counts.append(mark_paid(batch, total=200, reference="t-1", **WHO))
        except NothingToPay:
            counts.append(0)

    in_threads(4, pay)
    assert sorted(counts) == [0, 0, 0, 2]
    assert amounts("payment") == [100, 100]


@pytest.mark.django_db
def test_simulated_raters_and_volunteers_are_never_paid(paying):
    simulated, volunteer = rated(paying, simulated=True), rated(paying, source=came_by(paying, "none"))
    paid = rated(paying)
    everyone = [simulated.pk, volunteer.pk, paid.pk]
    assert [row.enrolment for row in preview(paying, everyone).rows] == [paid]
    assert simulated not in [row.enrolment for row in accounts(paying)]
    with pytest.raises(deciding.Refused, match="simulated"):
        deciding.bonus(simulated, amount=100, reason="thanks", **WHO)
    with pytest.raises(deciding.Refused, match="first say who does"):
        deciding.bonus(volunteer, amount=100, reason="thanks", **WHO)
    # 1.00 USD for 20 s is 180 an hour; the volunteer's hour is not counted.
    found = summary(accounts(paying), schemes_of(paying)[-1])
    assert (found.owed, found.hour) == (100, 18000)


@pytest.mark.django_db
def test_a_bonus_of_somebody_whom_nobody_pays_any_more_waits_until_somebody_does(paying):
    source = came_by(paying, "code")
    rater = rated(paying, source=source)
    deciding.bonus(rater, amount=100, reason="thanks", **WHO)
    source.paid_by = "none"
    source.save()
    assert (account(paying, rater).owed, account(paying, rater).to_approve) == (100, 0)
    assert preview(paying, [rater.pk]).rows == ()
    source.paid_by = "code"
    source.save()
    assert preview(paying, [rater.pk]).total == 200


@pytest.mark.django_db
def test_the_median_hour_is_held_against_the_minimum(make_study):
    study = make_study(items=4, seats_per_item=6)
    make_scheme(study, per_item=2, base=2, hourly_minimum=1000)
    # 4 for 10 s is 1440 an hour, 6 for 20 s 1080, 8 for 30 s 960, 10 for 40 s 900: the lower middle is 960.
    for answers in (1, 2, 3, 4):
        rated(study, answers)
    found = summary(accounts(study), schemes_of(study)[-1])
    assert (found.hour, found.below, found.too_little) == (960, 2, True)


@pytest.mark.django_db
def test_what_the_panel_pays_counts_as_paid(paying):
    approve_all(paying, rated(paying, source=came_by(paying, "outside")))
    payment = Entry.objects.get(kind="payment")
    assert (payment.amount, payment.way) == (100, "outside")
    assert payment.reference == f"code {paying.completion_code}"


@pytest.mark.django_db
def test_the_ids_of_a_rater_are_forgotten_once_all_is_paid(paying):
    rater = rated(paying, source=came_by(paying, "code"))
    identities.store(rater, "person", "P-123")
    batch = approve_all(paying, rater)
    deciding.bonus(rater, amount=30, reason="thanks", **WHO)
    mark_paid(batch, total=100, reference="t-1", **WHO)
    assert identities.reveal(rater, "person") == "P-123"
    mark_paid(approve_all(paying, rater), total=30, reference="t-2", **WHO)
    assert identities.reveal(rater, "person") is None


@pytest.mark.django_db
def test_who_is_held_or_rejected_is_not_paid_until_released(paying):
    rater = rated(paying)
    approve_all(paying, rater)
    deciding.hold(rater, reason="two accounts?", **WHO)
    assert amounts("approval") == [100, -100]
    assert (account(paying, rater).owed, account(paying, rater).to_approve) == (100, 0)
    deciding.reject(rater, reason="two accounts", **WHO)
    assert account(paying, rater).owed == 0
    with pytest.raises(deciding.Refused, match="decided already"):
        deciding.reject(rater, reason="again", **WHO)
    deciding.release(rater, reason="a brother", **WHO)
    approve_all(paying, rater)
    assert amounts("approval") == [100, -100, 100]
    assert sum(amounts("accrual")) == 100


@pytest.mark.django_db
def test_a_payment_that_came_back_is_owed_again(paying):
    rater = rated(paying)
    mark_paid(approve_all(paying, rater), total=100, reference="t-1", **WHO)
    with pytest.raises(deciding.Refused, match="This was paid"):
        deciding.take_back(Entry.objects.get(kind="approval"), reason="slip", **WHO)
    deciding.take_back(Entry.objects.get(kind="payment"), reason="account closed", **WHO)
    assert (account(paying, rater).paid, account(paying, rater).to_approve) == (0, 100)
    mark_paid(approve_all(paying, rater), total=100, reference="t-2", **WHO)
    assert sum(amounts("payment")) == 100


@pytest.mark.django_db
def test_every_decision_has_a_reason(paying):
    rater = rated(paying)
    with pytest.raises(deciding.Refused, match="reason"):
        deciding.hold(rater, reason="  ", **WHO)
    assert not Entry.objects.exists()
