"""Control maps and contact sheets."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from attribution.errors import WordError
from attribution.maps import Alignment, HeatMap, HeatMaps, Token
from attribution.maps.controls import another_words, blobs, centred_blob, of_other_words, uniform, uniforms
from attribution.maps.sheet import CAPTION, GAP, contact_sheet

DOG = HeatMap(np.arange(20, dtype=np.float32).reshape(4, 5), "dog", 2, 5)


def made(*words: str) -> HeatMaps:
    """One token a word; word i's map is i everywhere."""
    prompt, tokens = " ".join(words), []
    for word in words:
        start = prompt.index(word)
        tokens.append(Token(word, start, start + len(word)))
    values = np.arange(len(words), dtype=np.float32)[:, None, None] * np.ones((1, 2, 2), np.float32)
    return HeatMaps(values, Alignment(prompt, tuple(tokens)), tuple(range(len(words))), 1, 1)


def test_uniform_marks_everything() -> None:
    assert uniform(DOG).mask(1).all()
    assert (uniform(DOG).text, uniform(DOG).start) == ("dog", 2)


def test_the_blob_is_in_the_middle_and_round() -> None:
    blob = centred_blob(DOG, spread=0.25)
    assert blob.values.shape == (4, 5)
    assert np.unravel_index(blob.values.argmax(), (4, 5)) in {(1, 2), (2, 2)}
    np.testing.assert_allclose(blob.values, blob.values[::-1, ::-1])
    # One deviation is 0.25 * 4 = 1 pixel: a pixel aside of (1.5, 2), by 0.5 down and 1 across.
    assert blob.values[2, 3] == pytest.approx(np.exp(-(0.5**2 + 1) / 2))


@pytest.mark.parametrize("spread", [0, -1, float("nan")])
def test_a_blob_has_a_size(spread: float) -> None:
    with pytest.raises(ValueError, match="spread"):
        centred_blob(DOG, spread)


def test_another_words_map_under_this_words_name() -> None:
    maps = made("red", "dog", "runs")
    seen = {float(another_words(maps, 4, 7, seed=seed).values[0, 0]) for seed in range(30)}
    assert seen == {0.0, 2.0}
    assert another_words(maps, 4, 7, seed=3).text == "dog"
    first, second = (another_words(maps, 4, 7, seed=5).values for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_no_other_word() -> None:
    with pytest.raises(WordError, match="'dog' is the only word"):
        another_words(made("dog"), 0, 3, seed=0)


@pytest.mark.parametrize(("words", "columns", "rows"), [(0, 1, 1), (1, 2, 1), (3, 2, 2), (4, 3, 2)])
def test_sheets_are_about_square(words: int, columns: int, rows: int) -> None:
    image = Image.new("RGB", (200, 160), "red")
    sheet = contact_sheet(image, [DOG] * words)
    assert sheet.size == (columns * (200 + GAP) + GAP, rows * (160 + CAPTION + GAP) + GAP)
    assert sheet.getpixel((GAP, GAP)) == (255, 0, 0)


def test_sheets_show_overlays_and_names() -> None:
    image = Image.new("RGB", (200, 160), "red")
    sheet = contact_sheet(image, [DOG], "grey")
    left = 2 * GAP + 200
    shown = sheet.crop((left, GAP, left + 200, GAP + 160))
    assert np.array_equal(shown, DOG.overlay(image, "grey"))
    caption = np.asarray(sheet.crop((left, GAP + 160, left + 200, GAP + 160 + CAPTION)))
    assert caption.min() < 100, "something is written below"


def test_small_images_are_enlarged_by_whole_pixels() -> None:
    assert contact_sheet(Image.new("RGB", (64, 64)), []).size == (192 + 2 * GAP, 192 + CAPTION + 2 * GAP)


def test_controls_of_all_words_at_once() -> None:
    maps = made("a", "red", "dog")
    assert [(uniforms(maps).word(word.text).values == 1).all() for word in maps.words()] == [True] * 3
    np.testing.assert_array_equal(blobs(maps, 0.3).word("dog").values, centred_blob(maps.word("red"), 0.3).values)
    assert (uniforms(maps).method, blobs(maps).method) == ("uniform", "blob")


@pytest.mark.parametrize("seed", range(5))
def test_every_word_gets_another_ones_map(seed: int) -> None:
    """Padding belongs to no word, and is left out."""
    maps = made("a", "red", "dog")
    padded = HeatMaps(
        np.concatenate([maps.tokens, np.full((1, 2, 2), 9, np.float32)]),
        Alignment(maps.prompt, (*maps.alignment.tokens, Token("<pad>", 0, 0, True))),
        (0, 1, 2, 3),
        1,
        1,
    )
    others = of_other_words(padded, seed=seed)
    assert (others.kept, others.method) == ((0, 1, 2), "other-word")
    for index, word in enumerate(others.words()):
        value = word.values[0, 0]
        assert (word.values == value).all()
        assert value in {0, 1, 2} - {index}
    np.testing.assert_array_equal(others.tokens, of_other_words(padded, seed=seed).tokens)
