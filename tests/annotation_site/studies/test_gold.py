"""Items with known answers, and the masks they show."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.exceptions import ValidationError

from annotation_site.rating import assignment
from annotation_site.stimuli import files
from annotation_site.studies.gold import NotAMask, StudyStarted, add_gold_item, add_known_item, store_mask
from annotation_site.studies.maps import item_map
from annotation_site.studies.models import Item, KnownAnswer

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(make_study):
    return make_study(items=2, opened=False)


def left_half() -> np.ndarray:
    mask = np.zeros((4, 6), dtype=bool)
    mask[:, :3] = True
    return mask


def test_a_mask_is_a_good_map_and_its_complement_a_poor_one(draft):
    rated = draft.items.first()
    good = add_gold_item(draft, rated.generation, rated.word, left_half(), good=True)
    poor = add_gold_item(draft, rated.generation, rated.word, left_half(), good=False)
    expected = np.array([[1, 1, 1, 0, 0, 0]] * 4, dtype=np.float32)
    np.testing.assert_array_equal(item_map(good), expected)
    np.testing.assert_array_equal(item_map(poor), 1 - expected)
    assert (good.known.lowest, good.known.highest, poor.known.lowest, poor.known.highest) == (4, 5, 1, 2)
    assert (good.purpose, good.position, poor.position) == ("gold", 2, 3)


def test_adding_it_again_finds_it(draft):
    rated = draft.items.first()
    for _ in range(2):
        add_gold_item(draft, rated.generation, rated.word, left_half(), good=True)
    assert Item.objects.filter(purpose="gold").count() == KnownAnswer.objects.count() == 1


@pytest.mark.parametrize("mask", [np.ones((3, 3), bool), np.zeros((3, 3), bool), np.ones(9, bool)])
def test_a_mask_that_tells_nothing_is_refused(mask):
    with pytest.raises(NotAMask, match="must mark some, and not all"):
        store_mask(mask)


def test_known_items_make_no_seats_and_are_not_asked(draft):
    rated = draft.items.first()
    add_gold_item(draft, rated.generation, rated.word, left_half(), good=True)
    assert assignment.open_study(draft) == 2 * draft.seats_per_item


def test_an_open_study_gets_none(draft):
    assignment.open_study(draft)
    draft.refresh_from_db()
    rated = draft.items.first()
    with pytest.raises(StudyStarted, match="before it opens"):
        add_gold_item(draft, rated.generation, rated.word, left_half(), good=True)


@pytest.mark.parametrize(
    "known", [{}, {"lowest": 4}, {"lowest": 5, "highest": 4}, {"lowest": 0, "highest": 2}, {"first_present": True},
              {"lowest": 1, "highest": 2, "first_present": True, "second_present": True}, {"opt_out": "tired"}]
)  # fmt: skip
def test_a_known_answer_must_be_one(draft, known):
    rated = draft.items.first()
    with pytest.raises(ValidationError):
        add_known_item(draft, rated.generation, rated.word, purpose="practice", known=known)
    assert not Item.objects.exclude(purpose="").exists()


def test_a_word_without_a_map_is_found_before_a_rater_finds_it(draft):
    rated = draft.items.first()
    files.write(str(rated.generation.maps.name), b"torn")
    with pytest.raises(ValidationError, match="has no map to show"):
        add_known_item(draft, rated.generation, rated.word, purpose="practice", known={"lowest": 1, "highest": 2})
    assert not Item.objects.exclude(purpose="").exists()
