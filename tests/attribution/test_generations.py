"""Folders of generations, as the maps command and the worker leave them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from attribution.errors import GenerationError
from attribution.generations import Reader, StoredGeneration, Unreadable, names
from attribution.records import Prompt
from tests.attribution.generations import cells, heat_maps, prompt, store

DOG = prompt(("a", "DET", 1, "det"), ("dog", "NOUN", 1, "root"), ("runs", "VERB", 1, "acl", "run"))
MAPS = [cells((4, 4), (0, 0)), cells((4, 4), (1, 1), (1, 2)), cells((4, 4), (3, 3))]


def test_a_generation_has_its_words_and_their_maps(tmp_path):
    store(tmp_path / "b" / "one", DOG, MAPS)
    store(tmp_path / "a", DOG, MAPS)
    (tmp_path / "notes.txt").write_text("no generation")
    assert list(names(tmp_path)) == ["a", "b/one"]
    found = Reader(tmp_path).read("b/one")
    assert found.prompt == DOG
    assert found.places == {0: 0, 1: 1, 2: 2}
    np.testing.assert_array_equal(found.word_maps, np.stack(MAPS))
    assert found.image().size == (16, 16)


def test_a_folder_that_is_itself_a_generation_is_one(tmp_path):
    store(tmp_path / "only", DOG, MAPS)
    assert list(names(tmp_path / "only")) == ["."]
    assert Reader(tmp_path / "only").read(".").prompt == DOG


def test_a_prompt_without_words_is_parsed_once(tmp_path):
    for name in "abc":
        store(tmp_path / name, DOG, MAPS, words=False)
    asked = []

    def parse(texts):
        for text in texts:
            asked.append(text)
            yield Prompt(text, DOG.words)

    reader = Reader(tmp_path, parse)
    assert [found.prompt for found in reader.stream(names(tmp_path))] == [DOG] * 3
    assert asked == [DOG.text]
    (unparsed,) = Reader(tmp_path).stream(["a"])
    assert "give a parser" in unparsed.reason


def test_words_past_the_cut_have_no_map(tmp_path):
    store(tmp_path / "cut", DOG, MAPS, cut=len("a dog"))
    found = Reader(tmp_path).read("cut")
    assert found.places == {0: 0, 1: 1}
    assert found.unmapped == 1
    assert found.word_maps.shape == (2, 4, 4)


def test_a_damaged_file_is_named_and_the_rest_is_read(tmp_path):
    for name in ("1", "2", "3", "4", "5"):
        store(tmp_path / name, DOG, MAPS)
    archive = (tmp_path / "1" / "maps.npz").read_bytes()
    (tmp_path / "1" / "maps.npz").write_bytes(archive[: len(archive) // 2])
    (tmp_path / "2" / "maps.json").unlink()
    (tmp_path / "3" / "words.json").write_text('[{"text": "a"}]')
    rows = json.loads((tmp_path / "4" / "words.json").read_text())
    (tmp_path / "4" / "words.json").write_text(json.dumps([row | {"head": 9} for row in rows]))
    found = list(Reader(tmp_path).stream(names(tmp_path)))
    assert [type(one) for one in found] == [Unreadable] * 4 + [StoredGeneration]
    for broken, file in zip(found, ("maps.npz", "maps.json", "words.json", "words.json"), strict=False):
        assert isinstance(broken, Unreadable)
        assert str(tmp_path / broken.name / file) in broken.reason


def test_an_image_made_from_embeddings_has_no_words(tmp_path):
    folder = store(tmp_path / "x", DOG, MAPS)
    description = json.loads((folder / "maps.json").read_text()) | {"prompt": None}
    (folder / "maps.json").write_text(json.dumps(description))
    (found,) = Reader(tmp_path).stream(["x"])
    assert "embeddings" in found.reason


def test_a_picture_that_is_none_is_named(tmp_path):
    folder = store(tmp_path / "x", DOG, MAPS)
    (folder / "image.png").write_bytes(b"not a picture")
    with pytest.raises(GenerationError, match=r"image\.png"):
        Reader(tmp_path).read("x").image()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(GenerationError, match="nowhere"):
        next(names(tmp_path / "nowhere"))


def test_words_that_share_a_token_are_known(tmp_path):
    maps = heat_maps(DOG, MAPS)
    assert maps.word(2, 5).values[1, 1] == 1
    found = StoredGeneration("x", tmp_path, maps, DOG)
    assert found.tokens_of == {0: frozenset({1}), 1: frozenset({2}), 2: frozenset({3})}
