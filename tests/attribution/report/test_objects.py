"""``analyse objects`` with masks from files, and with the tiny world's segmenter on its own scenes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from attribution.__main__ import main
from attribution.tinyworld.grammar import captions
from attribution.tinyworld.scenes import draw
from tests.attribution.generations import prompt, store

PAIR = prompt(
    ("teddy", "NOUN", 1, "compound"), ("bear", "NOUN", 1, "root"), ("and", "CCONJ", 3, "cc"),
    ("teapot", "NOUN", 1, "conj"),
)  # fmt: skip


def half(left: float, right: float) -> np.ndarray:
    return np.repeat(np.array([[left, right]], dtype=np.float32), 2, axis=0)


def rows(out, table="rows"):
    found = json.loads((out / "report.json").read_text())["tables"][table]
    return {next(iter(row.values())): row for row in found}


def analyse(folder, out, *more: str) -> int:
    return main(["analyse", "objects", str(folder), "--out", str(out), *more])


def test_masks_by_hand_are_compared_with_maps_and_with_other_masks(tmp_path):
    """The bear's two words mark the left half of an image of 16 x 16, the teapot's the right; what is true is given."""
    folder, truth, other = tmp_path / "g", tmp_path / "truth", tmp_path / "other"
    for name in "ab":
        store(folder / name, PAIR, [half(1, 0), half(1, 0), half(1, 1), half(0, 1)])
        (truth / name).mkdir(parents=True)
        (other / name).mkdir(parents=True)
        for noun, part in (("teddy bear", np.s_[:, :8]), ("teapot", np.s_[:, 12:])):
            mask = np.zeros((16, 16), dtype=np.uint8)
            mask[part] = 255
            Image.fromarray(mask).save(truth / name / f"{noun}.png")
    Image.new("L", (16, 16), 255).save(other / "a" / "teapot.png")
    assert analyse(folder, tmp_path / "out", "--truth", f"files:{truth}", "--compare", f"files:{other}") == 0
    found = rows(tmp_path / "out")
    # Bicubic at the middle: at 0.5 of the peak each map ends where its half does.
    assert found["DAAM 0.5"]["coco"]["value"] == 1
    assert found["DAAM 0.5"]["all"]["value"] == pytest.approx((1 + 1 / 2) / 2)
    assert found["whole image"]["all"]["value"] == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert found[f"files:{other}"]["all"]["value"] == pytest.approx((1 / 4) / 4)
    assert set(rows(tmp_path / "out", "nouns")) == {"teddy bear", "teapot"}
    assert "sofa, loveseat" in rows(tmp_path / "out", "coco")["couch"]["nouns"]
    assert "chosen on these very images" in (tmp_path / "out" / "index.html").read_text()


def test_a_true_map_beats_the_whole_image_on_the_tiny_world(tmp_path):
    """Maps that are the exact masks of drawn scenes: the segmenter, given only the pixels, must agree with them."""
    drawn = [caption for caption in captions(60, 7) if len(caption.things) == 1][:12]
    assert len(drawn) == 12
    for k, caption in enumerate(drawn):
        scene = draw(caption, np.random.default_rng(k))
        rows_ = [(word.text, word.tag, 0, "dep", _lemma(word, caption)) for word in caption.words]
        maps = [np.asarray(_exact(scene, word), dtype=np.float32) for word in caption.words]
        text = prompt(*rows_)
        store(tmp_path / "g" / f"{k}", text, maps, image=scene.pixels)
    assert analyse(tmp_path / "g", tmp_path / "out", "--truth", "tinyworld") == 0
    found = rows(tmp_path / "out")
    assert found["DAAM 0.5"]["all"]["low"] > 0.8
    assert found["DAAM 0.5"]["over_whole"]["low"] > 0.4
    assert found["whole image"]["all"]["high"] < 0.6


def _lemma(word, caption) -> str:
    return caption.things[word.things[0]].noun if word.shows == "object" and word.things else word.text.lower()


def _exact(scene, word) -> np.ndarray:
    mask = scene.mask(word)
    return np.zeros((64, 64), dtype=bool) if mask is None else mask


def test_nouns_that_the_truth_does_not_see_are_counted(tmp_path):
    store(tmp_path / "g" / "a", PAIR, [half(1, 0)] * 4, cut=len("teddy bear and"))
    (tmp_path / "truth").mkdir()
    assert analyse(tmp_path / "g", tmp_path / "out", "--truth", f"files:{tmp_path / 'truth'}") == 0
    assert rows(tmp_path / "out")["DAAM 0.4"]["all"]["undefined"] == "no values"
    assert "1 nouns for which" in (page := (tmp_path / "out" / "index.html").read_text())
    assert "1 nouns without a map" in page


def test_an_image_of_another_size_is_skipped_by_name(tmp_path, capsys):
    store(tmp_path / "g" / "a", PAIR, [half(1, 0)] * 4)
    assert analyse(tmp_path / "g", tmp_path / "out", "--truth", "tinyworld") == 0
    assert "skipped: a: the image of 'a' is 16 x 16 pixels" in capsys.readouterr().out


def test_a_missing_checkpoint_stops_the_run(tmp_path, capsys):
    store(tmp_path / "g" / "a", PAIR, [half(1, 0)] * 4)
    assert analyse(tmp_path / "g", tmp_path / "out", "--truth", "clipseg:nobody/nothing") == 2
    assert "hf download nobody/nothing" in capsys.readouterr().err


def test_the_truth_must_be_named_and_methods_once(tmp_path, capsys):
    (tmp_path / "g").mkdir()
    assert analyse(tmp_path / "g", tmp_path / "out") == 2
    assert "--truth" in capsys.readouterr().err
    assert (
        analyse(tmp_path / "g", tmp_path / "out", "--truth", "whole", "--compare", "whole", "--compare", "whole") == 2
    )
    assert "compared twice" in capsys.readouterr().err
