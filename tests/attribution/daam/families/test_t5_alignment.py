"""Words and tokens with a tokenizer of T5's kind, and with a pipeline that rewrites its prompts."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attribution.daam.alignment import align
from attribution.daam.families import pixart
from attribution.maps import Alignment

LENGTH = 64
ARGUMENTS = {"prompt_embeds": None, "num_images_per_prompt": 1, "do_classifier_free_guidance": True}


@pytest.fixture
def t5(pipelines: dict[str, Any]) -> Any:
    return pipelines["flux"].tokenizer_2


def texts(alignment: Alignment, start: int, end: int) -> list[str]:
    return [alignment.tokens[position].text for position in alignment.positions(start, end)]


@pytest.mark.parametrize(
    ("prompt", "span", "expected"),
    [
        ("a dog", (2, 5), ["\u2581dog"]),
        ("a dog's ball", (2, 7), ["\u2581dog", "'", "s"]),
        ("chasing", (0, 7), ["\u2581", "chas", "ing"]),
        ("a  red\n dog", (8, 11), ["\u2581dog"]),
        ("two dogs, two", (10, 13), ["\u2581two"]),
        ("a \u72d7 dog", (2, 3), ["\u2581", "\u72d7"]),
        ("a \ufb01g", (2, 4), ["\u2581", "f", "i", "g"]),
        ("a dog!", (5, 6), ["!"]),
    ],
)
def test_pieces_of_words(t5: Any, prompt: str, span: tuple[int, int], expected: list[str]) -> None:
    alignment = align(t5, prompt, LENGTH)
    found = texts(alignment, *span)
    assert ["<unk>" if piece == "\u72d7" else piece for piece in expected if piece != "\u2581"] == [
        piece for piece in found if piece != "\u2581"
    ]
    assert len(alignment.tokens) == LENGTH


def test_the_end_marker_and_padding_belong_to_no_word(t5: Any) -> None:
    alignment = align(t5, "a dog", 5)
    assert [(token.text, token.special) for token in alignment.tokens] == [
        ("\u2581a", False),
        ("\u2581dog", False),
        ("</s>", True),
        ("<pad>", True),
        ("<pad>", True),
    ]
    assert alignment.cut is None


def test_the_cut_is_where_the_last_piece_ends(t5: Any) -> None:
    alignment = align(t5, "a dog a red cat", 4)
    assert [token.text for token in alignment.tokens] == ["\u2581a", "\u2581dog", "\u2581a", "</s>"]
    assert alignment.cut == 8


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=st.text(max_size=30))
def test_any_unicode_prompt(t5: Any, prompt: str) -> None:
    """Every word has a token, offsets stay within the prompt, and spans go left to right."""
    check(align(t5, prompt, LENGTH), prompt)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=st.text(max_size=30))
def test_any_unicode_prompt_that_is_put_in_lower_case(pipelines: dict[str, Any], prompt: str) -> None:
    """Lower case may be longer, and a strip moves everything; offsets are still those of the prompt as written."""
    arguments = {**ARGUMENTS, "prompt": prompt, "clean_caption": False, "max_sequence_length": LENGTH}
    (alignment,) = pixart.request(pipelines["pixart"], arguments).alignments
    check(alignment, prompt)
    for token in alignment.tokens:
        if len(token.text) == 2 and token.text[0] == "\u2581" and token.text[1].isalpha():
            assert token.text[1] in normalize("NFKC", prompt[token.start : token.end].lower())


def check(alignment: Alignment, prompt: str) -> None:
    assert (alignment.prompt, len(alignment.tokens)) == (prompt, LENGTH)
    words = [token for token in alignment.tokens if not token.special]
    assert all(0 <= token.start <= token.end <= len(prompt) for token in words)
    assert [token.start for token in words] == sorted(token.start for token in words)
    for start, end in alignment.words():
        assert alignment.positions(start, end)
