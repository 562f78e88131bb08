"""The verbs of heat maps, on numbers small enough to check by eye."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from attribution.errors import WordError
from attribution.maps import Alignment, HeatMap, HeatMaps, Token

ALIGNMENT = Alignment(
    "a corgi runs",
    (
        Token("<|startoftext|>", 0, 0, True),
        Token("a</w>", 0, 1),
        Token("cor", 2, 5),
        Token("gi</w>", 5, 7),
        Token("runs</w>", 8, 12),
        Token("<|endoftext|>", 0, 0, True),
        Token("<|endoftext|>", 0, 0, True),
    ),
)


def made(kept: tuple[int, ...] = tuple(range(7))) -> HeatMaps:
    """Token i's map is i everywhere but for its first pixel, which is 2i."""
    tokens = np.array([[[2 * i, i], [i, i]] for i in kept], np.float32)
    return HeatMaps(tokens, ALIGNMENT, kept, steps=3, layers=2)


def test_a_word_is_the_mean_of_its_tokens() -> None:
    word = made().word(2, 7)
    assert (word.text, word.start, word.end) == ("corgi", 2, 7)
    assert word.values.tolist() == [[5, 2.5], [2.5, 2.5]]
    assert made().word("corgi").values.tolist() == word.values.tolist()


def test_words_lists_them_in_order() -> None:
    assert [word.text for word in made().words()] == ["a", "corgi", "runs"]


def test_only_some_words_kept() -> None:
    maps = made(kept=(1, 4))
    assert maps.word("runs").values.tolist() == [[8, 4], [4, 4]]
    assert [word.text for word in maps.words()] == ["a", "runs"]
    with pytest.raises(WordError, match=r"'corgi' \(2:7\) was not traced"):
        maps.word("corgi")


def test_one_offset_is_not_a_word() -> None:
    with pytest.raises(TypeError, match="start and end"):
        made().word(2)  # type: ignore[call-overload]


def test_normalised_spans_up_to_one() -> None:
    assert made().word("runs").normalised().values.tolist() == [[1, 0.5], [0.5, 0.5]]
    tokens = made().normalised().tokens
    assert tokens[0].tolist() == [[0, 0], [0, 0]]
    assert tokens[3].tolist() == [[1, 0.5], [0.5, 0.5]]


def test_mask_is_at_least_tau_of_the_largest() -> None:
    word = made().word("runs")
    assert word.mask(0.5).tolist() == [[True, True], [True, True]]
    assert word.mask(0.51).tolist() == [[True, False], [False, False]]
    assert made().mask(1)[1:].sum(axis=(1, 2)).tolist() == [1] * 6
    assert not made().mask(0.5)[0].any(), "an all-zero map marks nothing"


@pytest.mark.parametrize("tau", [0, -0.1, 1.1, float("nan")])
def test_mask_refuses_shares_that_are_none(tau: float) -> None:
    with pytest.raises(ValueError, match="tau"):
        made().word("runs").mask(tau)


def test_resized_is_clamped_at_zero() -> None:
    spike = np.zeros((8, 8), np.float32)
    spike[4, 4] = 1
    large = HeatMap(spike).resized(24, 32).values
    assert large.shape == (24, 32)
    assert large.min() == 0
    assert large.max() > 0.8
    assert made().resized(6, 4).tokens.shape == (7, 6, 4)


def test_overlays_have_the_images_size() -> None:
    image = Image.new("RGB", (30, 20), "white")
    assert made().word("runs").overlay(image).size == (30, 20)
    assert [layer.size for layer in made(kept=(1, 4)).overlay(image)] == [(30, 20)] * 2


def test_without_padding_ends_at_the_end_marker() -> None:
    maps = made().without_padding()
    assert maps.kept == (0, 1, 2, 3, 4, 5)
    assert maps.word("runs").values.tolist() == made().word("runs").values.tolist()


def test_positions_and_maps_must_agree() -> None:
    with pytest.raises(ValueError, match="2 kept positions"):
        HeatMaps(np.zeros((3, 2, 2), np.float32), ALIGNMENT, (1, 2), 1, 1)
