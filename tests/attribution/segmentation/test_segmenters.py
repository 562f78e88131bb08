"""Segmenters that need no model, and which nouns are COCO's."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from attribution.errors import SegmentationError, SegmenterError
from attribution.segmentation import WholeImage, segmenter
from attribution.segmentation.coco import CLASSES, SYNONYMS, Noun, coco_class, nouns_of
from attribution.segmentation.files import MaskFiles
from attribution.tinyworld.grammar import Caption, Thing
from attribution.tinyworld.scenes import draw
from tests.attribution.generations import prompt

IMAGE = Image.new("RGB", (6, 4))


def test_the_whole_image_is_all_of_it():
    assert WholeImage().masks(IMAGE, ["cat"])["cat"].tolist() == [[True] * 6] * 4


def test_the_centred_box_is_a_quarter_of_the_image():
    found = segmenter("box").masks(Image.new("RGB", (8, 4)), ["cat"])["cat"]
    assert found.astype(int).tolist() == [[0] * 8, [0, 0, 1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1, 0, 0], [0] * 8]


def test_masks_come_from_files_by_generation_and_noun(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    grey = np.zeros((4, 6), dtype=np.uint8)
    grey[1, 2] = 200
    Image.fromarray(grey).save(tmp_path / "a" / "b" / "teddy bear.png")
    clear = np.zeros((4, 6, 4), dtype=np.uint8)
    clear[0, 5, 3] = 1
    Image.fromarray(clear).save(tmp_path / "a" / "b" / "cat.png")
    Image.fromarray(grey * 0).save(tmp_path / "a" / "b" / "dog.png")
    nouns = ["teddy bear", "cat", "dog", "cow", "..", "x/../cat"]
    found = segmenter(f"files:{tmp_path}").masks(IMAGE, nouns, generation="a/b")
    assert {noun: np.argwhere(mask).tolist() for noun, mask in found.items()} == {
        "teddy bear": [[1, 2]],
        "cat": [[0, 5]],
    }


def test_a_mask_of_another_size_and_one_that_is_no_picture_are_named(tmp_path):
    Image.new("L", (5, 5), 255).save(tmp_path / "cat.png")
    (tmp_path / "dog.png").write_text("no picture")
    with pytest.raises(SegmentationError, match=r"cat\.png is 5 x 5 pixels, its image 6 x 4"):
        MaskFiles(tmp_path).masks(IMAGE, ["cat"], generation=".")
    with pytest.raises(SegmentationError, match=r"dog\.png cannot be read"):
        MaskFiles(tmp_path).masks(IMAGE, ["dog"], generation=".")


def test_the_tiny_worlds_things_and_grounds():
    things = (Thing("star", "yellow", ""), Thing("Mars", "", ""))
    scene = draw(Caption("", (), things, "sky", "row"), np.random.default_rng(0))
    nouns = ["star", "mars", "sky", "moon", "grass"]
    found = segmenter("tinyworld").masks(Image.fromarray(scene.pixels), nouns)
    assert set(found) == {"star", "mars", "sky"}
    for noun, exact in (("star", scene.things[0]), ("mars", scene.things[1]), ("sky", scene.ground)):
        assert (found[noun] & exact).sum() / (found[noun] | exact).sum() > 0.85, noun


def test_the_tiny_worlds_segmenter_refuses_other_pictures():
    with pytest.raises(SegmentationError, match="6 x 4 pixels"):
        segmenter("tinyworld").masks(IMAGE, ["star"], generation="g")


def test_an_unknown_segmenter_and_a_missing_folder_are_named(tmp_path):
    with pytest.raises(SegmenterError, match="choose from whole"):
        segmenter("sam")
    with pytest.raises(SegmenterError, match="no folder of masks"):
        segmenter(f"files:{tmp_path / 'nowhere'}")


def test_the_classes_are_cocos_eighty():
    assert len(set(CLASSES)) == 80
    assert set(SYNONYMS) <= set(CLASSES)
    synonyms = [noun for nouns in SYNONYMS.values() for noun in nouns]
    assert len(synonyms) == len(set(synonyms)), "a noun means one class"
    assert not set(synonyms) & set(CLASSES)


@pytest.mark.parametrize(
    ("noun", "name"),
    [("cat", "cat"), ("Man", "person"), ("sofa", "couch"), ("scissor", "scissors"), ("teapot", None), ("animal", None)],
)
def test_synonyms(noun, name):
    assert coco_class(noun) == name


def test_the_nouns_of_a_prompt():
    words = prompt(
        ("two", "NUM", 2, "nummod"), ("teddy", "NOUN", 2, "compound"), ("bears", "NOUN", 2, "root", "bear"),
        ("eat", "VERB", 2, "acl"), ("Hot", "ADJ", 5, "amod", "hot"), ("dogs", "NOUN", 3, "obj", "dog"),
        ("near", "ADP", 7, "case"), ("Bob", "PROPN", 3, "obl", "Bob"), (",", "PUNCT", 2, "punct"),
        ("a", "DET", 10, "det"), ("teapot", "NOUN", 2, "conj"), ("and", "CCONJ", 12, "cc"),
        ("Bob", "PROPN", 2, "conj", "Bob"),
        ("it", "PRON", 2, "dep"), ("scissors", "NOUN", 2, "conj", "scissors"),
    ).words  # fmt: skip
    assert nouns_of(words) == [
        Noun("teddy bear", "teddy bear", (1, 2)),
        Noun("hot dog", "hot dog", (4, 5)),
        Noun("bob", None, (7, 12)),
        Noun("teapot", None, (10,)),
        Noun("scissors", "scissors", (14,)),
    ]
    assert nouns_of(()) == []
