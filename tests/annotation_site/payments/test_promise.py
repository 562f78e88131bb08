"""What the page where people agree says of pay: the newest scheme's lines, and about what the whole comes to."""

from __future__ import annotations

import pytest
from django.utils import timezone

from annotation_site.payments.earning import Facts, by_scheme
from annotation_site.payments.models import PayScheme
from annotation_site.payments.money import spoken
from annotation_site.payments.promise import promised
from annotation_site.payments.work import Answered, Record
from annotation_site.raters.models import Source
from tests.annotation_site.payments.conftest import START, after

pytestmark = pytest.mark.django_db


def scheme(study, version: int = 1, **amounts) -> PayScheme:
    return PayScheme.objects.create(
        study=study, version=version, currency="USD", made_at=timezone.now(), made_by="rosa", **amounts
    )


def test_the_newest_scheme_is_told_and_added_up(client, make_study):
    study = make_study(items=4)
    scheme(study, base=999)
    scheme(study, 2, base=100, per_item=10, per_minute=20, bonus_complete=50)
    # 1.00 + 4 x 0.10 + 3 x 0.20 + 0.50
    found = promised(study, None, answers=4, minutes=3)
    assert (found.kind, found.whole) == ("paid", "2.50 USD")
    assert "0.10 USD for each answer" in found.lines
    page = client.get("/studies/study/").content.decode()
    assert "It pays about" in page
    assert "9.99" not in page


@pytest.mark.parametrize(("bounds", "whole"), [({"most": 30}, "0.30 USD"), ({"least": 700}, "7.00 USD")])
def test_the_bounds_hold(make_study, bounds, whole):
    study = make_study()
    scheme(study, per_item=10, **bounds)
    assert promised(study, None, answers=4, minutes=1).whole == whole


@pytest.mark.parametrize("bounds", [{}, {"least": 700}, {"most": 30}, {"least": 50, "most": 50}])
def test_whoever_works_as_long_as_was_said_is_paid_what_was_promised(make_study, bounds):
    paying = scheme(make_study(), base=100, per_item=10, per_minute=20, bonus_complete=50, **bounds)
    # Four answers of 45 seconds: three minutes.
    answers = tuple(Answered(seat, after(45 * seat), after(45 * seat + 45)) for seat in range(4))
    paid = by_scheme(paying, Facts(enrolled_at=START, record=Record(answers=answers), completed=True))
    assert promised(paying.study, None, answers=4, minutes=3).whole == spoken(paid.amount, "USD")


@pytest.mark.parametrize(
    ("paid_by", "kind"), [("none", "unpaid"), ("outside", "elsewhere"), ("code", "paid"), ("prolific", "paid")]
)
def test_who_pays_decides_what_is_said(make_study, paid_by, kind):
    study = make_study()
    scheme(study, per_item=10)
    source = Source.objects.create(study=study, name="way", kind="open", paid_by=paid_by)
    assert promised(study, source, answers=4, minutes=1).kind == kind


def test_nothing_is_said_where_nothing_is_known(client, make_study):
    study = make_study()
    assert promised(study, None, answers=4, minutes=1).kind == ""
    assert 'class="pay"' not in client.get("/studies/study/").content.decode()
