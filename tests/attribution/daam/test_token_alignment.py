"""Words and tokens with the tokenizer that Stable Diffusion uses."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from attribution.daam.alignment import align
from attribution.errors import TraceError, WordPastTheCut
from attribution.maps import Alignment


@pytest.fixture(scope="session")
def clip(shared_data: Path) -> CLIPTokenizer:
    folder = shared_data / "clip_tokenizer"
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    merges = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()[1:]
    return CLIPTokenizer(vocabulary, [tuple(merge.split()) for merge in merges if merge], model_max_length=77)


def texts(alignment: Alignment, start: int, end: int) -> list[str]:
    return [alignment.tokens[position].text for position in alignment.positions(start, end)]


def test_tokens_are_those_that_the_pipeline_feeds(clip: CLIPTokenizer) -> None:
    alignment = align(clip, "a corgi")
    ids = clip("a corgi", padding="max_length", max_length=77, truncation=True)["input_ids"]
    assert [token.text for token in alignment.tokens] == clip.convert_ids_to_tokens(ids)
    assert [token.special for token in alignment.tokens] == [True, False, False, *[True] * 74]
    assert alignment.cut is None


@pytest.mark.parametrize(
    ("prompt", "span", "expected"),
    [
        ("this isn't it", (5, 7), ["isn</w>"]),
        ("this isn't it", (7, 10), ["isn</w>", "'t</w>"]),
        ("hey!!!", (4, 5), ["!!!</w>"]),
        ("a red dog, a dog", (6, 9), ["dog</w>"]),
        ("A RED dog", (2, 5), ["red</w>"]),
        ("a  red\n dog", (8, 11), ["dog</w>"]),
        ("42 cats", (0, 2), ["4</w>", "2</w>"]),
        ("naive na", (6, 8), ["na</w>"]),
        ("a cafe\u0301 terrace", (2, 7), ["cafÃ©</w>"]),
    ],
)
def test_words_of_english(clip: CLIPTokenizer, prompt: str, span: tuple[int, int], expected: list[str]) -> None:
    assert texts(align(clip, prompt), *span) == expected


@pytest.mark.parametrize(("prompt", "word"), [("eine Straße", "Straße"), ("一只狗在跑", "狗"), ("a 🐕 runs", "🐕")])
def test_words_beyond_ascii(clip: CLIPTokenizer, prompt: str, word: str) -> None:
    alignment = align(clip, prompt)
    positions = alignment.positions(*alignment.find(word))
    assert positions
    decoded = clip.decode([clip.convert_tokens_to_ids(alignment.tokens[p].text) for p in positions])
    assert word.lower() in decoded.replace(" ", "")


def test_a_sharp_s_may_be_two_tokens_with_one_span(clip: CLIPTokenizer) -> None:
    alignment = align(clip, "ß 狗")
    shared = [token for token in alignment.tokens if not token.special and (token.start, token.end) == (2, 3)]
    assert len(shared) == len(alignment.positions(2, 3)) >= 2


def test_a_repeated_word_has_its_own_tokens(clip: CLIPTokenizer) -> None:
    alignment = align(clip, "a dog and a dog")
    assert [alignment.positions(*alignment.find("dog", n)) for n in (1, 2)] == [(2,), (5,)]


def test_a_literal_end_marker_is_part_of_the_prompt(clip: CLIPTokenizer) -> None:
    prompt = "a <|endoftext|> dog"
    alignment = align(clip, prompt)
    assert texts(alignment, 2, 15) == ["<|endoftext|>"]
    assert texts(alignment, 16, 19) == ["dog</w>"]
    assert not alignment.tokens[2].special


def test_padding_that_is_also_a_word(clip: CLIPTokenizer) -> None:
    """Stable Diffusion 2 pads with '!'."""
    tokenizer = CLIPTokenizer(clip.get_vocab(), clip._merges, model_max_length=77, pad_token="!")
    alignment = align(tokenizer, "hey !")
    assert alignment.positions(4, 5) == (2,)
    assert [token.text for token in alignment.tokens[-2:]] == ["!", "!"]


def test_the_cut_is_where_the_75th_token_ends(clip: CLIPTokenizer) -> None:
    assert align(clip, "dog " * 75).cut is None
    alignment = align(clip, "dog " * 75 + "cat sits")
    assert alignment.cut == 300
    assert alignment.positions(296, 299) == (75,)
    with pytest.raises(WordPastTheCut, match="'cat'"):
        alignment.positions(300, 303)


def test_a_word_cut_in_two_is_past_the_cut(clip: CLIPTokenizer) -> None:
    prompt = "dog " * 74 + "xyzzyplugh"
    alignment = align(clip, prompt)
    assert len(texts(align(clip, "xyzzyplugh"), 0, 10)) > 1
    with pytest.raises(WordPastTheCut, match="xyzzyplugh"):
        alignment.positions(296, 306)


def test_no_offsets_no_alignment() -> None:
    with pytest.raises(TraceError, match="SimpleNamespace gives no character offsets"):
        align(SimpleNamespace(is_fast=False), "a dog")


@settings(max_examples=60, deadline=None)
@given(prompt=st.text(max_size=40))
def test_any_unicode_prompt(clip: CLIPTokenizer, prompt: str) -> None:
    """Every visible character belongs to a token, offsets stay within the prompt, and spans go left to right."""
    alignment = align(clip, prompt)
    assert len(alignment.tokens) == 77
    words = [token for token in alignment.tokens if not token.special]
    assert all(0 <= token.start < token.end <= len(prompt) for token in words)
    assert [token.start for token in words] == sorted(token.start for token in words)
    if alignment.cut is not None:
        assert words[-1].start <= alignment.cut < len(prompt)
    for start, end in alignment.words():
        assert alignment.positions(start, end)
