"""Approvals, rejections and bonuses: whatever is lost on the way, nothing is paid twice and nothing is forgotten."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotation_site.recruitment import paying
from annotation_site.recruitment.client import Prolific
from annotation_site.recruitment.errors import Refused
from annotation_site.recruitment.models import Action, ProlificStudy, Submission
from tests.annotation_site.recruitment.fake_prolific import TOKEN

pytestmark = pytest.mark.django_db
State = Action.State
WHY = "You failed both of the checks that told you which answer to choose, so we cannot use any of your answers. Sorry."


@pytest.fixture
def now():
    return timezone.now()


def approve(enrolment, *, key: str, api: Prolific, now, kind: str = "approve", amount: int = 200) -> Action:
    """Written, then done, as a payer does it."""
    return paying.perform(paying.written(paying.submission_of(enrolment), kind, key, now, amount=amount), api, now=now)


def screen_out(enrolment, **given) -> Action:
    return approve(enrolment, kind="screen-out", amount=50, **given)


def bonus(enrolment, amount: int, **given) -> Action:
    return approve(enrolment, kind="bonus", amount=amount, **given)


def test_an_approval_pays_the_reward_once(fake, api, participant, now):
    enrolment = participant()
    for _again in range(2):
        assert approve(enrolment, key="k", api=api, now=now).state == State.DONE
    assert fake.submissions["SUB1"]["status"] == "APPROVED"
    assert fake.count("POST .*/transition/") == 1
    assert Submission.objects.get().status == "APPROVED"


@pytest.mark.parametrize("how", ["lost", "500 after", "500", "429"])
def test_an_approval_whose_answer_is_lost_is_asked_for_and_done(fake, api, participant, now, how):
    enrolment = participant()
    fake.fail("POST .*/transition/", how, times=9)
    action = approve(enrolment, key="k", api=api, now=now)
    assert action.state == (State.WAITING if how == "429" else State.UNCLEAR)
    fake.faults.clear()
    sent = fake.count("POST .*/transition/")
    action = approve(enrolment, key="k", api=api, now=now)
    assert action.state == State.DONE
    # Where it had its effect, Prolific's word was enough.
    assert fake.count("POST .*/transition/") == sent + (how in {"500", "429"})


def test_one_approved_at_prolific_already_needs_nothing_sent(fake, api, participant, now):
    enrolment = participant(status="APPROVED")
    assert approve(enrolment, key="k", api=api, now=now).state == State.DONE
    assert fake.count("POST .*/transition/") == 0


def test_what_was_given_back_is_not_approved(fake, api, participant, now):
    action = approve(participant(status="RETURNED"), key="k", api=api, now=now)
    assert action.state == State.REFUSED
    assert "RETURNED, which stays" in action.problem


def test_a_submission_is_decided_once(fake, api, participant, now):
    enrolment = participant()
    approve(enrolment, key="k", api=api, now=now)
    with pytest.raises(Refused, match="decided already"):
        paying.reject(enrolment, message=WHY, category="FAILED_CHECK", key="other", api=api, now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Action.objects.create(submission=Submission.objects.get(), kind="approve", key="third", made_at=now)


def test_a_rejection_follows_prolifics_rules(fake, api, participant, now):
    enrolment = participant()
    for message, category, words in [
        ("Too short.", "FAILED_CHECK", "at least 100"),
        (WHY, "BECAUSE", "none of Prolific's categories"),
    ]:
        with pytest.raises(Refused, match=words):
            paying.reject(enrolment, message=message, category=category, key="k", api=api, now=now)
    assert not Action.objects.exists()
    done = paying.reject(enrolment, message=WHY, category="FAILED_CHECK", key="k", api=api, now=now)
    assert (done.state, fake.submissions["SUB1"]["status"]) == (State.DONE, "REJECTED")


def test_only_what_awaits_review_is_rejected(fake, api, participant, now):
    enrolment = participant(status="ACTIVE")
    done = paying.reject(enrolment, message=WHY, category="FAILED_CHECK", key="k", api=api, now=now)
    assert (done.state, fake.submissions["SUB1"]["status"]) == (State.REFUSED, "ACTIVE")


def test_a_screen_out_pays_its_own_reward_by_the_code(fake, api, participant, now):
    enrolment = participant()
    assert screen_out(enrolment, key="k", api=api, now=now).state == State.DONE
    assert fake.submissions["SUB1"]["status"] == "SCREENED OUT"


def test_a_bonus_is_paid_once_for_its_key(fake, api, participant, now):
    enrolment = participant()
    for _again in range(3):
        assert bonus(enrolment, 125, key="k", api=api, now=now).state == State.DONE
    assert fake.paid == [("SUB1", 125)]
    # Another key is another bonus, of the same amount as well.
    assert bonus(enrolment, 125, key="k2", api=api, now=now).state == State.DONE
    assert fake.paid == [("SUB1", 125)] * 2
    with pytest.raises(Refused, match="used for something else"):
        bonus(enrolment, 999, key="k", api=api, now=now)


@pytest.mark.parametrize("how", ["lost", "500 after"])
def test_a_bonus_whose_answer_is_lost_after_it_was_paid_is_never_sent_again(fake, api, participant, now, how):
    enrolment = participant()
    fake.fail("/pay/", how)
    fake.pays_later = True
    for _asked in range(4):
        action = bonus(enrolment, 125, key="k", api=api, now=now)
        assert action.state == State.UNCLEAR
    with pytest.raises(Refused, match="less than a day ago"):
        paying.send_again(action, api, now=now + timedelta(hours=23))
    fake.pays_later = False
    assert bonus(enrolment, 125, key="k", api=api, now=now).state == State.DONE
    assert fake.paid == [("SUB1", 125)]
    assert fake.count("/pay/") == 1


def test_a_bonus_that_was_really_lost_is_sent_again_by_a_person_a_day_later(fake, api, participant, now):
    enrolment = participant()
    fake.fail("/pay/", "500")
    action = bonus(enrolment, 125, key="k", api=api, now=now)
    assert (action.state, fake.paid) == (State.UNCLEAR, [])
    later = now + timedelta(days=1, seconds=1)
    assert bonus(enrolment, 125, key="k", api=api, now=later).state == State.UNCLEAR
    action.refresh_from_db()
    assert paying.send_again(action, api, now=later).state == State.DONE
    assert fake.paid == [("SUB1", 125)]
    with pytest.raises(Refused, match="Only an unclear bonus"):
        paying.send_again(action, api, now=later)


def test_an_equal_bonus_of_before_is_not_taken_for_the_lost_one(fake, api, participant, now):
    enrolment = participant()
    fake.pays_later = True
    assert bonus(enrolment, 125, key="first", api=api, now=now).state == State.DONE
    # The first is on its way and not listed yet when the second is sent and lost for good.
    fake.fail("/pay/", "500")
    assert bonus(enrolment, 125, key="second", api=api, now=now).state == State.UNCLEAR
    fake.pays_later = False
    assert bonus(enrolment, 125, key="second", api=api, now=now).state == State.UNCLEAR
    assert fake.paid == [("SUB1", 125)]


@pytest.mark.parametrize("how", ["lost", "500", "429"])
def test_a_bonus_that_failed_while_being_prepared_is_tried_again(fake, api, participant, now, how):
    enrolment = participant()
    fake.fail("bonus-payments", how, times=9)
    assert bonus(enrolment, 125, key="k", api=api, now=now).state == State.WAITING
    fake.faults.clear()
    assert bonus(enrolment, 125, key="k", api=api, now=now).state == State.DONE
    assert fake.paid == [("SUB1", 125)]


def test_too_little_money_leaves_it_waiting(fake, api, participant, now):
    enrolment = participant()
    fake.fail("/pay/", "429", times=9)
    assert bonus(enrolment, 125, key="k", api=api, now=now).state == State.WAITING
    fake.faults.clear()
    assert bonus(enrolment, 125, key="k", api=api, now=now).state == State.DONE
    assert fake.paid == [("SUB1", 125)]


def test_a_second_bonus_waits_for_one_that_is_unclear(fake, api, participant, now):
    enrolment = participant()
    fake.pays_later = True
    fake.fail("/pay/", "lost")
    bonus(enrolment, 125, key="first", api=api, now=now)
    assert bonus(enrolment, 50, key="second", api=api, now=now).state == State.WAITING
    assert fake.paid == [("SUB1", 125)]


def test_a_process_that_died_before_paying_is_taken_over_and_the_slow_one_pays_nothing(fake, participant, now):
    """One falls asleep while it prepares the bonus; another takes it up five minutes later, and pays it."""
    enrolment = participant()
    later = now + timedelta(minutes=6)
    outcome = []

    class Sleepy(Prolific):
        def set_up_bonus(self, *given):
            bulk = super().set_up_bonus(*given)
            with Prolific(TOKEN, fake.base) as other:
                outcome.append(bonus(enrolment, 125, key="k", api=other, now=later).state)
            return bulk

    with Sleepy(TOKEN, fake.base) as api:
        assert bonus(enrolment, 125, key="k", api=api, now=now).state == State.DONE
    assert outcome == [State.DONE]
    assert fake.paid == [("SUB1", 125)]


def test_a_process_that_died_while_paying_leaves_a_question_for_prolific(fake, api, participant, now):
    enrolment = participant()
    bonus(enrolment, 125, key="k", api=api, now=now)
    Action.objects.update(state=State.PAYING, sent_at=now, bonuses_before=[])
    assert bonus(enrolment, 125, key="k", api=api, now=now + timedelta(minutes=1)).state == State.PAYING
    assert bonus(enrolment, 125, key="k", api=api, now=now + timedelta(minutes=6)).state == State.DONE
    assert fake.paid == [("SUB1", 125)]


def test_without_a_submission_nothing_can_be_paid(fake, api, participant, now):
    enrolment = participant()
    Submission.objects.update(enrolment=None)
    with pytest.raises(Refused, match="no submission at Prolific"):
        approve(enrolment, key="k", api=api, now=now)


@pytest.mark.django_db(transaction=True)
def test_eight_processes_with_one_key_pay_one_bonus(fake, participant, now):
    enrolment = participant()
    gate, failed = threading.Barrier(8), []

    def run() -> None:
        try:
            gate.wait(timeout=30)
            with Prolific(TOKEN, fake.base) as api:
                bonus(enrolment, 125, key="k", api=api, now=now)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failed == []
    assert fake.paid == [("SUB1", 125)]
    assert Action.objects.get().state == State.DONE


def test_amounts_are_whole_and_above_nothing(at_prolific: ProlificStudy, now):
    row = Submission.objects.create(prolific_study=at_prolific, submission_id="S", status="ACTIVE", status_at=now)
    for wrong in ({"kind": "bonus", "amount": 0}, {"kind": "reject", "message": "", "category": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Action.objects.create(submission=row, key=str(wrong), made_at=now, **wrong)
