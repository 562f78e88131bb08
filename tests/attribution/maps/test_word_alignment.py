"""Words and tokens, on alignments written by hand."""

from __future__ import annotations

import pytest

from attribution.errors import WordError, WordNotInPrompt, WordPastTheCut
from attribution.maps.alignment import Alignment, Token, occurrences


def aligned(prompt: str | None, *pieces: tuple[str, int, int], cut: int | None = None) -> Alignment:
    special = (Token("<|startoftext|>", 0, 0, True),)
    return Alignment(prompt, (*special, *(Token(*piece) for piece in pieces), Token("<|endoftext|>", 0, 0, True)), cut)


def test_a_word_of_several_tokens_owns_them_all() -> None:
    alignment = aligned("a corgi", ("a</w>", 0, 1), ("cor", 2, 5), ("gi</w>", 5, 7))
    assert alignment.positions(2, 7) == (2, 3)


def test_words_that_cut_across_tokens_share_them() -> None:
    # spaCy: is|n't, CLIP: isn|'t
    alignment = aligned("isn't", ("isn</w>", 0, 3), ("'t</w>", 3, 5))
    assert (alignment.positions(0, 2), alignment.positions(2, 5)) == ((1,), (1, 2))


def test_three_words_in_one_token() -> None:
    alignment = aligned("!!!", ("!!!</w>", 0, 3))
    assert [alignment.positions(i, i + 1) for i in range(3)] == [(1,), (1,), (1,)]


def test_a_character_in_two_tokens_of_one_span() -> None:
    alignment = aligned("a 狗", ("a</w>", 0, 1), ("ç", 2, 3), ("ĭ</w>", 2, 3))
    assert alignment.positions(*alignment.find("狗")) == (2, 3)


def test_special_tokens_are_never_a_words() -> None:
    alignment = Alignment("ab", (Token("<s>", 0, 2, True), Token("ab</w>", 0, 2), Token("<pad>", 0, 1, True)))
    assert alignment.positions(0, 2) == (1,)


@pytest.mark.parametrize("span", [(-1, 2), (0, 0), (3, 2), (0, 99), (1, 2)])
def test_offsets_that_name_no_word(span: tuple[int, int]) -> None:
    alignment = aligned("a dog", ("a</w>", 0, 1), ("dog</w>", 2, 5))
    with pytest.raises(WordNotInPrompt, match="a dog"):
        alignment.positions(*span)


def test_a_word_past_the_cut_is_named() -> None:
    alignment = aligned("a dog runs", ("a</w>", 0, 1), ("dog</w>", 2, 5), cut=6)
    assert alignment.positions(2, 5) == (2,)
    with pytest.raises(WordPastTheCut, match=r"'runs' \(6:10\)"):
        alignment.positions(6, 10)


def test_half_a_word_is_past_the_cut_too() -> None:
    alignment = aligned("a corgi", ("a</w>", 0, 1), ("cor", 2, 5), cut=5)
    with pytest.raises(WordPastTheCut, match="corgi"):
        alignment.positions(2, 7)


def test_no_text_no_words() -> None:
    with pytest.raises(WordError, match="precomputed embeddings"):
        aligned(None).find("dog")


@pytest.mark.parametrize(
    ("prompt", "word", "expected"),
    [
        ("a dog and a dog", "dog", [(2, 5), (12, 15)]),
        ("a naive na", "na", [(8, 10)]),
        ("a dog, a dog's ball", "dog", [(2, 5), (9, 12)]),
        ("snake_case snake", "snake", [(11, 16)]),
        ("一只狗在跑", "狗", [(2, 3)]),
        ("Straße und Stra", "Stra", [(11, 15)]),
        ("hey!!! you", "!", [(3, 4), (4, 5), (5, 6)]),
        ("hot dog stand", "hot dog", [(0, 7)]),
        ("A dog", "a", []),
        ("a dog", "", []),
        ("a dog", " ", []),
        ("x.y (x.y)", "x.y", [(0, 3), (5, 8)]),
    ],
)
def test_whole_words_only(prompt: str, word: str, expected: list[tuple[int, int]]) -> None:
    assert occurrences(prompt, word) == expected


def test_occurrences_count_from_one() -> None:
    alignment = aligned("a dog and a dog")
    assert alignment.find("dog", 2) == (12, 15)
    for occurrence in (0, 3, -1):
        with pytest.raises(WordNotInPrompt, match="2 times"):
            alignment.find("dog", occurrence)


def test_words_in_reading_order_up_to_the_cut() -> None:
    alignment = aligned("A dog's half-eaten, 2nd ball.", cut=20)
    assert alignment.words() == [(0, 1), (2, 7), (8, 18)]
