"""Swap sets: their prompts, ``python -m attribution swaps`` with the shipped model, and ``analyse adjectives``."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from attribution.__main__ import main
from attribution.errors import AnalysisError
from attribution.generations import names
from attribution.swaps import SWAP, Swap, read_swap, swap_prompts
from tests.attribution.generations import prompt, store


def test_the_prompts_of_a_set_and_where_the_words_stand():
    rusty, wooden = swap_prompts("a {rusty, wooden} shovel in a clean shed")
    assert (rusty.text, wooden.text) == ("a rusty shovel in a clean shed", "a wooden shovel in a clean shed")
    for one, adjective in ((rusty, "rusty"), (wooden, "wooden")):
        assert one.text[slice(*one.adjective)] == adjective
        assert one.text[slice(*one.noun)] == "shovel"
    (_, big) = swap_prompts("two {small,big} red toy [cars].")
    assert (big.text, big.text[slice(*big.noun)]) == ("two big red toy cars.", "cars")


@pytest.mark.parametrize(
    "template", ["a shovel", "a {rusty} shovel", "a {rusty, } shovel", "a {red, blue} {old, new} car", "a {red, blue}",
                 "a {red, blue} [car] and a [bus]", "a {red, blue}, car"],
)  # fmt: skip
def test_templates_that_are_none(template):
    with pytest.raises(AnalysisError, match="no swap set"):
        swap_prompts(template)


def rows(out) -> dict:
    found = json.loads((out / "report.json").read_text())["tables"]["rows"]
    return {row["group"]: row for row in found}


def test_what_changes_outside_of_the_noun_by_hand(tmp_path):
    """16 x 16 pixels; the noun marks the left half, the adjective all. A quarter of the change is on the right."""
    words = prompt(("red", "ADJ", 1, "amod"), ("car", "NOUN", 1, "root"))
    maps = [np.ones((2, 2)), np.array([[1, 0], [1, 0]])]
    black, changed = np.zeros((16, 16, 3), dtype=np.uint8), np.zeros((16, 16, 3), dtype=np.uint8)
    changed[0, :3] = changed[0, 15] = 255
    swap = Swap("a {red, blue} car", "0", (0, 3), (4, 7), replayed=False)
    for name, image in (("s/0", black), ("s/1", changed), ("s/2", black)):
        folder = store(tmp_path / "g" / name, words, maps, image=image)
        (folder / SWAP).write_text(json.dumps(asdict(swap)))
    # At half of the peak the noun's mask is the left half of the image too.
    arguments = ["analyse", "adjectives", str(tmp_path / "g"), "--out", str(tmp_path / "out"), "--tau", "0.5"]
    assert main(arguments) == 0
    row = rows(tmp_path / "out")["drawn by its own attention"]
    assert row["images"] == 2
    assert row["outside"]["value"] == pytest.approx((1 / 4 + 0) / 2)
    assert row["outside_area"]["value"] == pytest.approx(1 / 2)
    assert row["change"]["value"] == pytest.approx((4 * 100 / 256 + 0) / 2, rel=1e-3)
    assert (row["spread"]["value"], row["spread_mass"]["value"]) == (pytest.approx(1 / 2), pytest.approx(1 / 2))
    assert (tmp_path / "out" / "index.html").read_text().count("data:image/png") == 1


def test_images_that_are_of_no_set_are_skipped_by_name(tmp_path, capsys):
    words = prompt(("red", "ADJ", 1, "amod"), ("car", "NOUN", 1, "root"))
    store(tmp_path / "g" / "a", words, [np.ones((2, 2))] * 2)
    store(tmp_path / "g" / "b", words, [np.ones((2, 2))] * 2)
    (tmp_path / "g" / "b" / SWAP).write_text("{}")
    assert main(["analyse", "adjectives", str(tmp_path / "g"), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "0 images measured, 0 already there, 2 skipped." in said
    assert str(tmp_path / "g" / "b" / SWAP) in said


def test_swaps_are_drawn_and_replayed(tmp_path, capsys):
    """The shipped model, two steps: sets are whole, a second run draws nothing, replay keeps the first one's maps."""
    template = "a {red, blue} star in the sky"
    for folder, more in (("own", []), ("replayed", ["--replay"])):
        assert main(["swaps", template, "--steps", "2", "--out", str(tmp_path / folder), *more]) == 0
        assert list(names(tmp_path / folder)) == ["000-0/0", "000-0/1"]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    assert main(["swaps", template, "--steps", "2", "--out", str(tmp_path / "own")]) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    pictures = {path.relative_to(tmp_path).as_posix(): np.asarray(Image.open(path)) for path in before}
    np.testing.assert_array_equal(pictures["own/000-0/0/image.png"], pictures["replayed/000-0/0/image.png"])
    assert (pictures["own/000-0/1/image.png"] != pictures["replayed/000-0/1/image.png"]).any()
    swap = read_swap(tmp_path / "replayed" / "000-0" / "1")
    assert swap == Swap(template, "0", (2, 6), (7, 11), replayed=True)
    assert main(["analyse", "adjectives", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert {name: row["images"] for name, row in rows(tmp_path / "out").items()} == {
        "drawn by its own attention": 1, "drawn by the first one's attention": 1,
    }  # fmt: skip
