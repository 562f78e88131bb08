"""Ids of raters are kept as long as somebody is to be paid or led back by them, and no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client

from annotation_site.payments import deciding
from annotation_site.payments.forgetting import sweep
from annotation_site.payments.tasks import forget_ids
from annotation_site.raters import identities
from annotation_site.raters.models import Enrolment, Source
from annotation_site.rating import assignment
from annotation_site.rating.assignment import database_now
from annotation_site.studies.models import Study
from tests.annotation_site.payments.conftest import came_by, make_scheme, rated
from tests.annotation_site.payments.test_approving import WHO, approve_all

pytestmark = pytest.mark.django_db


def named(study: Study, source: Source, answers: int = 2, **fields) -> Enrolment:
    """Someone who came by the source under an id, and worked."""
    rater = rated(study, answers, source=source)
    Enrolment.objects.filter(pk=rater.pk).update(**fields)
    identities.store(rater, "person", f"P-{rater.pk}")
    return rater


def known() -> set[int]:
    """Whose ids are kept."""
    return set(identities.Identity.objects.values_list("enrolment", flat=True))


def close(study: Study, days: int = 2) -> None:
    assignment.close_study(study)
    study.changes.filter(state="closed").update(at=database_now() - timedelta(days=days))


def test_whom_the_panel_pays_is_forgotten_once_all_is_approved(paying):
    panel = came_by(paying, "outside")
    ended, working = named(paying, panel), named(paying, panel, completed_at=None)
    deciding.bonus(ended, amount=5, reason="thanks", **WHO)
    approve_all(paying, ended, working)
    assert known() == {working.pk}


@pytest.fixture
def came(paying):
    """``came()``: the same person opens the panel's link, and agrees if that is asked for."""
    panel = came_by(paying, "outside")
    panel.parameters = {"person": "id"}
    panel.save()

    def come() -> Enrolment:
        browser = Client()
        first = browser.get("/studies/study/from/outside/?id=PERSON-1")
        if first["Location"].startswith("/studies/"):
            browser.post(first["Location"], {"consent": "yes"})
        return Enrolment.objects.get(arrived_by=panel)

    return come


def test_who_was_paid_and_comes_again_is_not_written_down_again_unless_more_is_owed(paying, came):
    rater = came()
    assert came() == rater
    assert known() == {rater.pk}
    deciding.bonus(rater, amount=5, reason="thanks", **WHO)
    Enrolment.objects.update(completed_at=database_now())
    approve_all(paying, rater)
    assert came() == rater
    assert known() == set()
    deciding.bonus(rater, amount=7, reason="thanks again", **WHO)
    came()
    assert identities.reveal(rater, "person") == "PERSON-1"


def test_a_day_after_the_study_has_closed_all_are_forgotten_who_are_owed_nothing(paying):
    code, panel, nobody = (came_by(paying, way) for way in ("code", "outside", "none"))
    owed, rejected, held = (named(paying, code) for _ in range(3))
    unpaid = named(paying, nobody)
    at_panel = named(paying, panel)
    returned = named(paying, panel, answers=0, completed_at=None, left_at=database_now())
    deciding.reject(rejected, reason="two accounts", **WHO)
    deciding.hold(held, reason="two accounts?", **WHO)
    everyone = {each.pk for each in (owed, rejected, held, unpaid, at_panel, returned)}
    assert sweep(database_now()) == 0
    close(paying, days=0)
    assert sweep(database_now()) == 0
    assert known() == everyone
    close(paying)
    assert sweep(database_now()) == 3
    assert known() == {owed.pk, held.pk, at_panel.pk}
    approve_all(paying, at_panel)
    deciding.release(held, reason="one account", **WHO)
    deciding.reject(held, reason="two after all", **WHO)
    call_command("pay_raters")
    assert known() == {owed.pk}
    deciding.reject(owed, reason="all of it by a script", **WHO)
    assert forget_ids() == 1
    assert known() == set()


def test_without_a_scheme_those_stay_whom_we_may_still_pay(make_study):
    study = make_study(items=4, seats_per_item=6)
    code, panel = came_by(study, "code"), came_by(study, "outside")
    ours, theirs = named(study, code), named(study, panel)
    close(study)
    assert sweep(database_now()) == 1
    assert known() == {ours.pk} != {theirs.pk}
    make_scheme(study, per_item=0)
    assert sweep(database_now()) == 1
