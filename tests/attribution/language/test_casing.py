from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.language.casing import casing, truecased


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("A dog on a Honda motorcycle.", "normal"),
        ("a dog on a motorcycle", "lower"),
        ("A DOG ON A MOTORCYCLE", "upper"),
        ("tHERE ARE MANY DOGS", "upper"),
        ("A Dog Riding on a Motorcycle Down the Street", "title"),
        ("Red Sox", "normal"),
        ("12:30", "lower"),
        ("", "lower"),
    ],
)
def test_casing(text: str, kind: str):
    assert casing(text) == kind


def test_only_meaningless_capitals_are_taken_away():
    assert truecased("A DOG IN ROME") == "a dog in rome"
    assert truecased("A Dog Riding A Bike") == "a dog riding a bike"
    assert truecased("A dog in Rome") == "A dog in Rome"


def test_a_letter_whose_lower_case_is_longer_stays():
    assert truecased("\u0130STANBUL AT NIGHT") == "\u0130stanbul at night"


@given(st.text(max_size=60))
def test_truecasing_preserves_every_offset(text: str):
    result = truecased(text)
    assert len(result) == len(text)
    assert all(new in (old, old.lower()) for new, old in zip(result, text, strict=True))
