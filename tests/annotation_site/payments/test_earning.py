"""Earnings against sums done by hand; no database."""

from __future__ import annotations

import pytest
from babel.numbers import get_currency_precision, list_currencies

from annotation_site.payments.earning import Facts, by_scheme, earned, hourly
from annotation_site.payments.money import (
    CURRENCIES,
    DECIMALS,
    NotAnAmount,
    currency_code,
    decimals,
    parsed,
    plain,
    spoken,
)
from annotation_site.payments.work import Answered, Record, worked
from tests.annotation_site.payments.conftest import START, after, scheme_of

# Consent to instructions 60 s, to the first item 30 s. Then: a pause of 5 s and 10 s on seat 1; seat 2 was sent while
# seat 1 was before the rater, so its 7 s begin with the answer before; then an hour away, and 200 s on seat 3.
RECORD = Record(
    moments=(START, after(60), after(90)),
    answers=(
        Answered(1, after(95), after(105)),
        Answered(2, after(100), after(112)),
        Answered(3, after(5000), after(5200)),
    ),
)


def facts(**more: object) -> Facts:
    return Facts(enrolled_at=START, record=RECORD, completed=True, **more)


def test_time_worked_is_counted_by_stretches_that_are_capped():
    time = worked(RECORD, most_seconds=120)
    assert time.items == {1: 10_000, 2: 7_000, 3: 120_000}
    assert time.other == (60 + 30 + 5 + 120) * 1000
    assert time.total == 352_000


def test_a_correction_adds_its_own_time_and_no_item():
    again = Record(answers=(*RECORD.answers, Answered(3, after(5000), after(5204))))
    assert again.items == 3
    assert worked(again, most_seconds=120).items[3] == 124_000


def test_a_clock_that_ran_backwards_counts_nothing():
    assert worked(Record(answers=(Answered(1, after(9), after(4)),)), most_seconds=120).total == 0


def test_base_items_and_minutes_add_up():
    # Seconds paid: 10 + 10 (7, lifted to the least) + 120 + 215 = 355; 355/60 minutes at 30 are 177.5, rounded up.
    scheme = scheme_of(base=100, per_item=20, per_minute=30, item_seconds_least=10, item_seconds_most=120)
    found = by_scheme(scheme, facts())
    assert [(part.what, part.number, part.amount) for part in found.parts] == [
        ("base", 1, 100),
        ("per_item", 3, 60),
        ("per_minute", 355_000, 178),
    ]
    assert found.amount == 338
    # 3.38 USD for 352 s: 338 * 3600 / 352 = 3456.8.
    assert hourly(found.amount, found.time.total) == 3456


@pytest.mark.parametrize(
    ("fields", "amount"),
    [
        ({"per_item": 20}, 60),
        ({"per_item": 20, "least": 100}, 100),
        ({"per_item": 20, "most": 45}, 45),
        ({"per_item": 20, "most": 45, "bonus_complete": 50}, 95),
        ({"per_item": 20, "bonus_checks": 30, "bonus_checks_percent": 75}, 90),
        ({"per_item": 20, "bonus_checks": 30, "bonus_checks_percent": 76}, 60),
    ],
)
def test_bounds_and_bonuses(fields, amount):
    assert by_scheme(scheme_of(**fields), facts(checks=4, checks_passed=3)).amount == amount


ALL = {"per_item": 20, "bonus_complete": 50, "screen_out": 15}


@pytest.mark.parametrize(
    ("given", "more", "amount"),
    [
        ({}, {}, 110),
        ({"simulated": True}, {}, 0),
        ({"simulated": True}, {"by": "code"}, 0),
        ({"unpaid": True}, {}, 0),
        ({"unpaid": True}, {"by": "code"}, 110),
        ({"screened_out": True}, {}, 15),
        ({"excluded": True}, {}, 60),
        ({"excluded": True}, {"excluded": "nothing"}, 0),
        ({"left": True}, {}, 60),
    ],
)
def test_how_a_rater_ended_decides(given, more, amount):
    assert by_scheme(scheme_of(**ALL, **more), facts(**given)).amount == amount


def test_who_stopped_gets_no_bonus_and_who_gave_no_answer_gets_nothing():
    assert by_scheme(scheme_of(**ALL), Facts(START, RECORD)).amount == 60
    assert by_scheme(scheme_of(base=100, least=100), Facts(START, Record(moments=RECORD.moments))).amount == 0


def test_the_version_at_enrolment_pays_unless_a_later_one_for_everyone_gives_more():
    first = scheme_of(per_item=20)
    later = scheme_of(version=2, per_item=90, made_at=after(1))
    everyone = scheme_of(version=3, per_item=30, made_at=after(2), everyone=True)
    less = scheme_of(version=4, per_item=5, made_at=after(3), everyone=True)
    assert earned([first, later], facts()).amount == 60
    found = earned([first, later, everyone, less], facts())
    assert (found.scheme, found.amount) == (everyone, 90)
    # Who came before the first version is paid by it.
    assert earned([later], facts()).amount == 270


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [("12.30", "USD", 1230), (" 7 ", "KRW", 7), ("1.234", "KWD", 1234), ("0.1", "EUR", 10)],
)
def test_amounts_are_read_to_the_last_unit(text, currency, amount):
    assert parsed(text, currency) == amount
    assert parsed(plain(amount, currency), currency) == amount


@pytest.mark.parametrize("text", ["12.345", "-1", "1e30", "NaN", "Infinity", "twelve", "", "1,50"])
def test_what_is_no_amount_is_refused_in_words(text):
    with pytest.raises(NotAnAmount, match=r"\w{3}"):
        parsed(text, "USD")


def test_amounts_are_written_in_the_major_unit():
    assert spoken(121230, "USD") == "1,212.30 USD"
    assert spoken(5, "KRW") == "5 KRW"
    assert plain(5, "USD") == "0.05"


def test_the_currencies_are_among_those_of_the_unicode_consortium_and_have_their_decimals():
    assert len(CURRENCIES) > 150
    assert set(list_currencies()) >= CURRENCIES
    assert set(DECIMALS) <= CURRENCIES
    places = {code: get_currency_precision(code) for code in ("USD", "JPY", "KRW", "KWD", "TND")}
    assert places == {code: decimals(code) for code in places} == {"USD": 2, "JPY": 0, "KRW": 0, "KWD": 3, "TND": 3}


@pytest.mark.parametrize(("text", "code"), [("gbp", "GBP"), (" krw ", "KRW")])
def test_a_currency_is_read(text, code):
    assert currency_code(text) == code


@pytest.mark.parametrize("text", ["NON", "", "pounds", "XAU", "£"])
def test_what_nobody_is_paid_in_is_no_currency(text):
    with pytest.raises(NotAnAmount, match="no currency"):
        currency_code(text)
