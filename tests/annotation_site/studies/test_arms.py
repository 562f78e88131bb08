"""Arms: every word with every map, balanced, and refused where they make no comparison."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from annotation_site.rating.assignment import open_study
from annotation_site.studies.arms import ArmError, check_arms, rotated
from annotation_site.studies.maps import item_map


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        (["daam", "magic"], "Arm 'magic' is not known: choose from daam, other-word, blob, uniform"),
        (["daam", "blob", "blob"], "name one twice"),
        (["blob", "uniform"], "name 'daam' and at least one other"),
        (["daam"], "at least one other"),
    ],
)
def test_arms_that_compare_nothing_are_refused(arms, said):
    with pytest.raises(ArmError, match=said):
        check_arms(arms)


def test_every_stretch_holds_each_thing_once_and_the_arms_alike():
    order = list(rotated("abcdef", ("daam", "blob", "uniform")))
    assert len(set(order)) == 18
    for turn in range(3):
        stretch = order[6 * turn : 6 * turn + 6]
        assert [thing for thing, _ in stretch] == list("abcdef")
        assert set(Counter(arm for _, arm in stretch).values()) == {2}


def test_each_word_is_shown_with_each_map_on_one_image(make_study):
    study = make_study(items=4, seats_per_item=2, arms=("daam", "other-word", "blob"))
    items = list(study.items.select_related("generation", "word", "map_word"))
    assert len(items) == 12
    assert len({item.generation_id for item in items}) == 4
    assert study.seats.count() == 24
    for item in items:
        assert item.map_source == {"daam": "own"}.get(item.arm, item.arm)
        if item.arm == "other-word":
            assert item.map_word.prompt_id == item.word.prompt_id
            assert item.map_word.text != item.word.text
    by_arm = {item.arm: item_map(item) for item in items if item.generation_id == items[0].generation_id}
    assert not np.array_equal(by_arm["daam"], by_arm["blob"])
    assert not np.array_equal(by_arm["daam"], by_arm["other-word"])


def test_another_method_s_maps_join_a_draft(make_study, tmp_path):
    study = make_study(items=2, opened=False)
    for item in study.items.select_related("generation", "word"):
        name = f"{item.generation.identity}-{item.word.start}-{item.word.end}.npy"
        np.save(tmp_path / name, np.eye(8, dtype=np.float32))
    call_command("add_arm", "study", "--arm", "attention rollout", "--maps", str(tmp_path))
    assert Counter(study.items.values_list("arm", flat=True)) == {"daam": 2, "attention rollout": 2}
    added = study.items.filter(arm="attention rollout").first()
    assert np.array_equal(item_map(added), np.eye(8, dtype=np.float32))
    with pytest.raises(CommandError, match="'attention rollout' is taken"):
        call_command("add_arm", "study", "--arm", "attention rollout", "--maps", str(tmp_path))
    open_study(study)
    with pytest.raises(CommandError, match="is open: arms are added to a draft"):
        call_command("add_arm", "study", "--arm", "third", "--maps", str(tmp_path))


def test_a_missing_or_broken_map_adds_nothing(make_study, tmp_path):
    study = make_study(items=2, opened=False)
    with pytest.raises(CommandError, match="cannot be read: give a map for every word"):
        call_command("add_arm", "study", "--arm", "third", "--maps", str(tmp_path))
    for item in study.items.select_related("generation", "word"):
        name = f"{item.generation.identity}-{item.word.start}-{item.word.end}.npy"
        np.save(tmp_path / name, np.full((4, 4), -1, dtype=np.float32))
    with pytest.raises(CommandError, match="negative or not finite"):
        call_command("add_arm", "study", "--arm", "third", "--maps", str(tmp_path))
    assert set(study.items.values_list("arm", flat=True)) == {""}
