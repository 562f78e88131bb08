"""Scenes: what is drawn lies where the masks say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from attribution.tinyworld import Caption, CaptionWord, Thing, captions
from attribution.tinyworld.lexicon import COLOURS, GROUNDS, NAMES, NOUNS, VERBS
from attribution.tinyworld.scenes import Scene, draw


def one(thing: Thing, ground: str = "plain", layout: str = "centre", jitter: float = 0.0) -> Scene:
    return draw(Caption("", (), (thing,), ground, layout), np.random.default_rng(3), jitter=jitter)


def test_a_circle_has_its_area_its_colour_and_its_place():
    scene = one(Thing("circle", "red"))
    mask = scene.things[0]
    rows, columns = np.nonzero(mask)
    assert (rows.mean(), columns.mean()) == pytest.approx((30.5, 31.5), abs=0.7)
    # The radius is 0.95 of 18 pixels, varied by up to 6%.
    assert 0.95 * 16.9 < math.sqrt(mask.sum() / math.pi) < 0.95 * 19.2
    assert tuple(scene.pixels[31, 32]) == COLOURS["red"]


def test_pixels_off_every_mask_are_ground():
    scene = one(Thing("house", "blue", "", (("rest", 0),)), "sky")
    empty = ~(scene.things[0] | scene.effects[0])
    near = np.abs(scene.pixels.astype(int) - GROUNDS["sky"][0]).sum(-1) < 30
    assert (near & empty).sum() > 0.93 * empty.sum()  # all but the soft edges
    assert not (near & scene.things[0]).any()
    assert (scene.ground == empty).all()


def test_grass_lies_below_the_horizon():
    scene = one(Thing("star", "red"), "grass")
    assert not scene.ground[:37].any()
    assert scene.ground[60].all()


@pytest.mark.parametrize("noun", [*NOUNS, *NAMES])
def test_every_thing_is_large_enough_for_a_map(noun):
    scene = one(Thing(noun, "" if noun in NAMES else "red"))
    assert scene.things[0].mean() > 0.08


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_and_its_adverbs_change_how_much(verb):
    areas = [one(Thing("circle", "red", "", ((verb, strength),))).effects[0].sum() for strength in (0, 1, 2)]
    assert 10 < areas[1] < areas[0] < areas[2]


def test_masks_do_not_overlap_and_words_unite_their_things():
    caption = next(c for c in captions(200, 2) if len(c.things) == 3)
    scene = draw(caption, np.random.default_rng(0))
    assert (scene.things.sum(0) + scene.effects.sum(0) + scene.ground.astype(int)).max() <= 1
    noun = next(w for w in caption.words if w.shows == "object" and len(w.things) > 1)
    mask = scene.mask(noun)
    assert mask is not None
    assert mask.sum() == sum(scene.things[k].sum() for k in noun.things)


def test_words_that_show_nothing_have_no_mask():
    scene = one(Thing("circle", "red"))
    assert scene.mask(CaptionWord("a", 0, 1, "DET", "none")) is None


def test_jitter_moves_things_but_never_out_of_the_picture():
    centres = set()
    for seed in range(20):
        caption = Caption("", (), (Thing("star", "red"), Thing("fish", "blue")), "plain", "row")
        scene = draw(caption, np.random.default_rng(seed), jitter=8.0)
        for mask in scene.things:
            assert not mask[0].any()
            assert not mask[:, 0].any()
            assert not mask[-1].any()
        centres.add(tuple(np.argwhere(scene.things[0]).mean(0).round()))
    assert len(centres) > 8


def test_the_same_generator_state_draws_the_same_scene():
    caption = captions(1, 1)[0]
    first, second = (draw(caption, np.random.default_rng(7)) for _ in range(2))
    assert (first.pixels == second.pixels).all()
    assert (first.things == second.things).all()
