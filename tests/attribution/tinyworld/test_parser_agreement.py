"""The shipped language pipeline reads the grammar's captions with the grammar's own tags."""

from __future__ import annotations

from collections import defaultdict

import pytest

from attribution.language import load_parser
from attribution.tinyworld import captions


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str]]:
    """(the grammar's tag, the parser's tag) of every word whose offsets both agree on."""
    drawn = captions(250, 12)
    pairs = []
    for caption, prompt in zip(drawn, load_parser().parse([c.text for c in drawn]), strict=True):
        parsed = {(word.start, word.end): word.tag for word in prompt.words}
        pairs += [(word.tag, parsed.get((word.start, word.end), "another word")) for word in caption.words]
    return pairs


def test_words_are_cut_alike(pairs):
    assert sum(tag == "another word" for _, tag in pairs) / len(pairs) < 0.005


def test_tags_agree(pairs):
    assert sum(ours == theirs for ours, theirs in pairs) / len(pairs) > 0.93


def test_each_tag_is_found_in_most_of_its_words(pairs):
    hits = defaultdict(list)
    for ours, theirs in pairs:
        hits[ours].append(ours == theirs)
    shares = {tag: sum(found) / len(found) for tag, found in hits.items()}
    assert len(shares) == 14
    assert min(shares.values()) > 0.6, shares
