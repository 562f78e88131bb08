"""The segmenter on true scenes, where the right answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from attribution.tinyworld import Caption, Thing, captions
from attribution.tinyworld.lexicon import GROUNDS, NAMES, NOUNS
from attribution.tinyworld.scenes import draw
from attribution.tinyworld.scoring import assign, score
from attribution.tinyworld.segmenter import Found, find, ground_mask, ground_of


@pytest.mark.parametrize("ground", GROUNDS)
def test_an_empty_ground_is_recognised_and_holds_nothing(ground):
    scene = draw(Caption("", (), (), ground, "centre"), np.random.default_rng(0))
    assert ground_of(scene.pixels) == ground
    assert find(scene.pixels) == []


@pytest.mark.parametrize("noun", [*NOUNS, *NAMES])
def test_a_single_thing_is_found_with_its_mask(noun):
    thing = Thing(noun, "" if noun in NAMES else "purple")
    scene = draw(Caption("", (), (thing,), "sky", "centre"), np.random.default_rng(1))
    (found,) = find(scene.pixels)
    assert (found.noun, found.colour) == (thing.noun, thing.colour)
    mask = scene.things[0]
    assert (found.mask & mask).sum() / (found.mask | mask).sum() > 0.8


def test_its_ceiling_on_true_scenes_is_high():
    drawn = captions(300, 77)
    scenes = [draw(caption, np.random.default_rng(k), jitter=4.0) for k, caption in enumerate(drawn)]
    scores = [score(caption, scene.pixels) for caption, scene in zip(drawn, scenes, strict=True)]
    assert sum(s.both for s in scores) / sum(s.things for s in scores) > 0.93
    assert np.mean([s.count for s in scores]) > 0.9
    assert np.mean([s.ground for s in scores]) > 0.98


def test_ground_mask_is_the_scene_s_own():
    caption = Caption("", (), (Thing("circle", "red"),), "grass", "centre")
    scene = draw(caption, np.random.default_rng(2))
    mask = ground_mask(scene.pixels, "grass")
    assert (mask & scene.ground).sum() / (mask | scene.ground).sum() > 0.95


def test_scores_count_shapes_colours_and_both():
    shown = Caption("", (), (Thing("circle", "red"), Thing("square", "blue")), "plain", "row")
    asked = Caption("", (), (Thing("circle", "blue"), Thing("square", "blue")), "sky", "row")
    seen = score(asked, draw(shown, np.random.default_rng(0), jitter=0.0).pixels)
    assert (seen.shapes, seen.colours, seen.both) == (2, 1, 1)
    assert seen.count
    assert not seen.ground
    assert not seen.right


def test_found_things_are_assigned_by_noun_and_colour_first():
    empty = np.zeros((64, 64), dtype=bool)
    red, blue = (Found("star", colour, empty, 0.0) for colour in ("red", "blue"))
    caption = Caption("", (), (Thing("star", "blue"), Thing("star", "pink"), Thing("fish", "red")), "plain", "three")
    assert assign(caption, [red, blue]) == [blue, red, None]
