"""Approved amounts, paid at Prolific: the reward by approving, the rest as a bonus, asked for as often as one likes."""

from __future__ import annotations

import pytest
from django.utils import timezone

from annotation_site.payments import approving, deciding, queue
from annotation_site.payments.accounts import accounts
from annotation_site.payments.approving import preview
from annotation_site.payments.models import Entry, Errand
from annotation_site.payments.payers import Line, PaymentError, PaymentRefused, State, payer_of
from annotation_site.raters import identities
from annotation_site.raters.models import Enrolment
from annotation_site.recruitment.client import Prolific
from annotation_site.recruitment.models import Action, ProlificStudy, Submission
from annotation_site.recruitment.payer import ProlificPayer
from annotation_site.recruitment.submissions import sync
from tests.annotation_site.payments.conftest import make_scheme
from tests.annotation_site.recruitment.fake_prolific import TOKEN

pytestmark = pytest.mark.django_db
WHY = "You failed both of the checks that told you which answer to choose, so we cannot use any of your answers. Sorry."


@pytest.fixture
def payer(fake) -> ProlificPayer:
    return ProlificPayer(lambda: Prolific(TOKEN, fake.base, sleep=lambda seconds: None))


def line(enrolment, amount: int, *, key: str = "line-1", currency: str = "GBP") -> Line:
    return Line(key, enrolment, amount, currency, "for 12 answers")


def paid(payer, *lines: Line):
    return list(payer.pay(lines))


def test_raters_from_prolific_are_paid_by_prolific(participant):
    assert isinstance(payer_of(participant().source), ProlificPayer)


def test_the_reward_is_approved_and_the_rest_is_a_bonus_once(fake, payer, participant):
    enrolment = participant()
    for _asked in range(3):
        [outcome] = paid(payer, line(enrolment, 325))
        assert (outcome.state, outcome.key) == (State.PAID, "line-1")
    assert fake.submissions["SUB1"]["status"] == "APPROVED"
    assert fake.paid == [("SUB1", 125)]
    assert "SUB1" in outcome.reference
    assert "bulk-1" in outcome.reference


def test_once_paid_the_participants_id_is_forgotten_and_more_can_still_be_paid(fake, payer, participant):
    enrolment = participant()
    assert identities.reveal(enrolment, "person") == "PID1"
    paid(payer, line(enrolment, 200))
    assert identities.reveal(enrolment, "person") is None
    assert [o.state for o in paid(payer, line(enrolment, 40, key="line-2"))] == [State.PAID]


def test_exactly_the_reward_needs_no_bonus(fake, payer, participant):
    assert [o.state for o in paid(payer, line(participant(), 200))] == [State.PAID]
    assert fake.paid == []


def test_a_second_line_is_a_bonus_alone(fake, payer, participant):
    enrolment = participant()
    paid(payer, line(enrolment, 200))
    assert [o.state for o in paid(payer, line(enrolment, 40, key="line-2"))] == [State.PAID]
    assert fake.paid == [("SUB1", 40)]


def test_less_than_the_reward_cannot_be_paid_so(fake, payer, participant):
    [outcome] = paid(payer, line(participant(), 150))
    assert outcome.state == State.REFUSED
    assert "approve at least the reward" in outcome.problem
    assert fake.submissions["SUB1"]["status"] == "AWAITING REVIEW"


def test_another_currency_is_refused(payer, participant):
    [outcome] = paid(payer, line(participant(), 300, currency="USD"))
    assert outcome.state == State.REFUSED
    assert "pays in GBP" in outcome.problem


def test_who_gave_it_back_gets_all_of_it_as_a_bonus(fake, payer, participant):
    assert [o.state for o in paid(payer, line(participant(status="RETURNED"), 80))] == [State.PAID]
    assert fake.paid == [("SUB1", 80)]


@pytest.mark.parametrize("known", ["TIMED-OUT", "RETURNED", "ACTIVE"])
def test_prolific_is_asked_how_the_submission_stands_before_the_amount_is_split(fake, payer, participant, known):
    """The event that told of the code was lost: as a bonus, all of it would be paid beside the reward."""
    enrolment = participant(status=known)
    fake.submissions["SUB1"]["status"] = "AWAITING REVIEW"
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.PAID]
    assert fake.submissions["SUB1"]["status"] == "APPROVED"
    assert fake.paid == [("SUB1", 125)]


def test_who_gave_it_back_unheard_gets_all_of_it_as_a_bonus(fake, payer, participant):
    enrolment = participant()
    fake.submissions["SUB1"]["status"] = "RETURNED"
    assert [o.state for o in paid(payer, line(enrolment, 80))] == [State.PAID]
    assert fake.paid == [("SUB1", 80)]


def test_who_ran_out_of_time_is_approved_so_that_the_code_pays_nothing_more(fake, payer, participant):
    enrolment = participant(status="TIMED-OUT")
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.PAID]
    assert fake.submissions["SUB1"]["status"] == "APPROVED"
    assert fake.paid == [("SUB1", 125)]


def test_who_ran_out_of_time_and_is_not_approved_waits_for_a_person(fake, payer, participant):
    enrolment = participant(status="TIMED-OUT")
    fake.fail("POST .*/transition/", "400")
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.REFUSED]
    assert fake.paid == []
    # They bring the code after all, and Prolific approves it by itself.
    fake.submissions["SUB1"]["status"] = "APPROVED"
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.PAID]
    assert fake.paid == [("SUB1", 125)]


def test_a_bonus_without_an_answer_stays_the_whole_amount_when_the_submission_comes_back(fake, payer, participant):
    enrolment = participant(status="RETURNED")
    fake.pays_later = True
    fake.fail("/pay/", "lost")
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.LATER]
    fake.submissions["SUB1"]["status"] = "AWAITING REVIEW"
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.LATER]
    fake.pays_later = False
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.PAID]
    assert fake.paid == [("SUB1", 325)]
    assert fake.count("POST .*/transition/") == 0


def test_another_reward_in_the_meantime_changes_nothing_of_what_was_begun(fake, payer, participant):
    enrolment = participant()
    fake.fail("POST .*/transition/", "429", times=9)
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.LATER]
    fake.faults.clear()
    ProlificStudy.objects.update(reward=300)
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.PAID]
    assert fake.paid == [("SUB1", 125)]


def test_a_second_line_waits_for_the_reward_of_the_first_and_is_a_bonus(fake, payer, participant):
    enrolment = participant()
    fake.fail("POST .*/transition/", "429", times=9)
    first, second = line(enrolment, 325), line(enrolment, 40, key="line-2")
    assert [o.state for o in paid(payer, first, second)] == [State.LATER, State.LATER]
    fake.faults.clear()
    fake.pays_later = True
    fake.fail("/pay/", "lost")
    assert [o.state for o in paid(payer, first, second)] == [State.LATER, State.LATER]
    fake.pays_later = False
    assert [o.state for o in paid(payer, first, second)] == [State.PAID, State.PAID]
    assert fake.paid == [("SUB1", 125), ("SUB1", 40)]


def test_the_submission_begun_last_is_paid_whichever_was_heard_of_last(fake, payer, participant, api, at_prolific):
    fake.add("SUB0", participant="PID1", status="RETURNED", started_at="2020-01-01T10:00:00Z")
    enrolment = participant()
    sync(at_prolific, api, now=timezone.now())
    # Even if the rater opened the link of the first one again.
    Submission.objects.filter(submission_id="SUB0").update(started_at=timezone.now())
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.LATER]
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.PAID]
    assert fake.submissions["SUB1"]["status"] == "APPROVED"
    assert fake.paid == [("SUB1", 125)]


def approve(enrolment: Enrolment) -> Entry:
    wanted = [enrolment.pk]
    shown = preview(enrolment.study, wanted)
    batch = approving.approve(enrolment.study, wanted, shown.digest, by="ada", now=timezone.now())
    return batch.entries.get(kind="approval", reverses__isnull=True)


def test_what_was_paid_of_a_line_that_is_refused_is_in_the_ledger_and_only_the_rest_is_owed(
    admin_client, fake, participant
):
    enrolment, who = participant(), {"by": "ada", "now": timezone.now()}
    make_scheme(enrolment.study, per_item=50, currency="GBP")
    deciding.bonus(enrolment, amount=325, reason="what was agreed", **who)
    fake.fail("bonus-payments", "400")
    approval = approve(enrolment)
    assert queue.run(now=timezone.now()) == 0
    payment = Entry.objects.get(kind="payment")
    assert (payment.amount, payment.reference) == (200, "Prolific submission SUB1")
    [account] = accounts(enrolment.study, only=[enrolment.pk])
    assert (account.approved, account.paid, account.owed, account.to_approve) == (200, 200, 125, 125)
    assert "2.00 GBP, approved by ada" in admin_client.get("/payments/study/batches/1/").content.decode()
    assert "2.00 GBP of it are paid" in Entry.objects.get(reverses=approval).reason
    # Neither can what was paid be taken back as if it were not, nor the refused line be asked for once more.
    with pytest.raises(deciding.Refused, match="taken back already"):
        deciding.take_back(approval, reason="another way", **who)
    with pytest.raises(deciding.Refused, match="This was paid"):
        deciding.take_back(payment.settles, reason="another way", **who)
    assert not queue.try_again(approval, now=timezone.now())
    approve(enrolment)
    assert queue.run(now=timezone.now()) == 1
    assert fake.paid == [("SUB1", 125)]
    assert sorted(Entry.objects.filter(kind="payment").values_list("amount", flat=True)) == [125, 200]


def test_while_a_part_is_on_its_way_the_page_says_what_was_paid(fake, payer, participant):
    enrolment = participant()
    fake.fail("/pay/", "500")
    [outcome] = paid(payer, line(enrolment, 325))
    assert (outcome.state, outcome.part) == (State.LATER, 0)
    assert outcome.problem.startswith("2.00 GBP of it are paid. ")


def test_who_was_screened_out_gets_the_screen_out_reward_and_the_rest(fake, payer, participant):
    ProlificStudy.objects.update(screen_out_reward=50, screen_out_slots=5)
    enrolment = participant()
    Enrolment.objects.update(screened_out_at=timezone.now())
    enrolment.refresh_from_db()
    assert [o.state for o in paid(payer, line(enrolment, 60))] == [State.PAID]
    assert fake.submissions["SUB1"]["status"] == "SCREENED OUT"
    assert fake.paid == [("SUB1", 10)]


@pytest.mark.parametrize("how", ["lost", "500 after"])
def test_after_a_lost_answer_it_is_asked_for_and_paid_once(fake, payer, participant, how):
    enrolment = participant()
    fake.pays_later = True
    fake.fail("/pay/", how)
    for _asked in range(3):
        assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.LATER]
    fake.pays_later = False
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.PAID]
    assert fake.paid == [("SUB1", 125)]


def test_one_rater_without_a_submission_does_not_hold_the_others_up(fake, payer, participant):
    first, second = participant("1"), participant("2")
    Submission.objects.filter(submission_id="SUB1").update(enrolment=None)
    outcomes = paid(payer, line(first, 200), line(second, 200, key="line-2"))
    assert [outcome.state for outcome in outcomes] == [State.REFUSED, State.PAID]


def test_without_a_token_all_of_it_waits(fake, participant, settings):
    settings.PROLIFIC_TOKEN = ""
    with pytest.raises(PaymentError, match="PROLIFIC_TOKEN"):
        list(ProlificPayer().pay([line(participant(), 200)]))


@pytest.mark.parametrize("reason", ["Bad.", WHY[:99], WHY[:99] + " "])
def test_a_rejection_that_prolific_would_not_take_is_not_written_down(fake, participant, reason):
    enrolment = participant()
    make_scheme(enrolment.study, per_item=50, currency="GBP")
    with pytest.raises(deciding.Refused, match="at least 100"):
        deciding.reject(enrolment, reason=reason, by="ada", now=timezone.now())
    assert not Entry.objects.exists()
    deciding.reject(enrolment, reason=WHY[:100], by="ada", now=timezone.now())
    assert Errand.objects.get().state == "waiting"


def test_a_rejection_that_comes_too_early_is_told_again_when_a_person_asks(fake, payer, participant):
    enrolment = participant(status="ACTIVE")
    with pytest.raises(PaymentRefused, match="it is ACTIVE"):
        payer.reject(enrolment, WHY, key="no")
    fake.submissions["SUB1"]["status"] = "AWAITING REVIEW"
    payer.reject(enrolment, WHY, key="no")
    assert fake.submissions["SUB1"]["status"] == "REJECTED"


def test_the_raters_page_says_why_a_rejection_was_refused(client, admin_user, fake, participant):
    enrolment, now = participant(status="ACTIVE"), timezone.now()
    make_scheme(enrolment.study, per_item=50, currency="GBP")
    deciding.reject(enrolment, reason=WHY, by="ada", now=now)
    assert queue.run(now=now) == 0
    client.force_login(admin_user)
    page = client.get(f"/payments/study/raters/{enrolment.rater.pseudonym}/").content.decode()
    assert "Only a submission that awaits review is rejected; it is ACTIVE." in page
    assert "Try again" in page


def test_what_prolific_refused_is_paid_when_a_person_asks_again(fake, payer, participant, settings):
    """A token that ran out refuses everything; with a new one nothing is lost."""
    enrolment = participant()
    fake.fail("POST .*/transition/", "403")
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.REFUSED]
    fake.fail("bonus-payments", "400")
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.REFUSED]
    assert [o.state for o in paid(payer, line(enrolment, 325))] == [State.PAID]
    assert fake.count("POST .*/transition/") == 2
    assert fake.paid == [("SUB1", 125)]


def test_a_rejection_is_told_once_and_needs_a_reason(fake, payer, participant):
    enrolment = participant()
    with pytest.raises(PaymentError, match="at least 100"):
        payer.reject(enrolment, "Bad.", key="no")
    for _told in range(2):
        payer.reject(enrolment, WHY, key="no")
    assert fake.submissions["SUB1"]["status"] == "REJECTED"
    assert fake.count("POST .*/transition/") == 1
    assert Action.objects.get().category == "LOW_EFFORT"
    [outcome] = paid(payer, line(enrolment, 200))
    assert outcome.state == State.REFUSED
