from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import SamplingError
from attribution.language.sampling import (
    CASING_RULE,
    CONJUNCTION_RULE,
    REPEAT_RULE,
    Sample,
    TagRow,
    sample_pairs,
)
from attribution.records import Prompt, Word


def prompt(analysis: str, text: str | None = None) -> Prompt:
    """'A/DET cat/NOUN' as a prompt; offsets are those of the words joined by spaces."""
    words, start = [], 0
    for item in analysis.split():
        form, tag = item.rsplit("/", 1)
        words.append(Word(form, start, start + len(form), tag, form.lower(), 0, "dep"))
        start += len(form) + 1
    return Prompt(text or " ".join(word.text for word in words), tuple(words))


def drawn(sample: Sample) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for pair in sample.pairs:
        result.setdefault(pair.tag, []).append(f"{pair.word.text} {pair.prompt.text}")
    return {tag: sorted(pairs) for tag, pairs in result.items()}


CAPTIONS = [
    prompt("A/DET cat/NOUN sees/VERB a/DET cat/NOUN"),
    prompt("The/DET dog/NOUN barks/VERB"),
    prompt("The/DET dog/NOUN barks/VERB"),
    prompt("Dogs/NOUN bark/VERB"),
]


def test_the_table_counts_words_rules_candidates_and_distinct_words():
    sample = sample_pairs(CAPTIONS, per_tag=2, seed=0, tags=2)
    # The second "The dog barks" is the same caption; "a" and "cat" occur twice in the first one.
    assert sample.table == (
        TagRow("NOUN", words=4, candidates=3, filtered={REPEAT_RULE: 1}, distinct_words=3, sampled=2),
        TagRow("DET", words=3, candidates=2, filtered={REPEAT_RULE: 1}, distinct_words=2, sampled=2),
    )
    assert sample.left_out == (TagRow("VERB", 3, 3, {}, 3, 0),)


def test_every_candidate_is_drawn_when_all_are_asked_for():
    sample = sample_pairs(CAPTIONS, per_tag=3, seed=5, tags=1)
    assert drawn(sample) == {"NOUN": ["Dogs Dogs bark", "cat A cat sees a cat", "dog The dog barks"]}


def test_white_space_is_no_tag():
    sample = sample_pairs([prompt("cat/NOUN _/SPACE _/SPACE")], per_tag=1, seed=0, tags=1)
    assert [row.tag for row in sample.table + sample.left_out] == ["NOUN"]


@pytest.mark.parametrize(
    ("analysis", "kept"),
    [
        ("A/DET Honda/PROPN on/ADP a/DET road/NOUN", ["Honda"]),
        ("Boston/PROPN has/VERB a/DET team/NOUN", []),
        ('"/PUNCT Boston/PROPN has/VERB a/DET team/NOUN', []),
        ("A/DET road/NOUN ./PUNCT Boston/PROPN waits/VERB there/ADV", []),
        ("A/DET zebra/PROPN in/ADP Kenya/PROPN today/NOUN", ["Kenya"]),
        ("A/DET DOG/PROPN IN/ADP ROME/PROPN", []),
        ("A/DET Dog/PROPN In/ADP The/DET City/PROPN", []),
    ],
)
def test_proper_nouns_need_a_capital_amid_a_normally_cased_sentence(analysis: str, kept: list[str]):
    sample = sample_pairs([prompt(analysis)], per_tag=9, seed=0, allow_fewer=True)
    rows = {row.tag: row for row in sample.table}
    assert [pair.word.text for pair in sample.pairs if pair.tag == "PROPN"] == kept
    assert rows["PROPN"].filtered.get(CASING_RULE, 0) == rows["PROPN"].words - len(kept)


def test_subordinating_conjunctions_come_from_a_closed_list():
    sample = sample_pairs([prompt("While/SCONJ with/SCONJ cats/NOUN")], per_tag=1, seed=0, allow_fewer=True)
    rows = {row.tag: row for row in sample.table}
    assert rows["SCONJ"] == TagRow("SCONJ", 2, 1, {CONJUNCTION_RULE: 1}, 1, 1)


def test_the_cap_bounds_each_word_whatever_its_case():
    captions = [prompt(f"And/CCONJ n{index}/NOUN") for index in range(5)]
    captions += [prompt(f"and/CCONJ m{index}/NOUN") for index in range(5)] + [prompt("but/CCONJ why/ADV")]
    sample = sample_pairs(captions, per_tag=9, seed=0, tags=2, cap_per_word=2, allow_fewer=True)
    words = [pair.word.text.lower() for pair in sample.pairs if pair.tag == "CCONJ"]
    assert sorted(words) == ["and", "and", "but"]


def test_fewer_pairs_than_asked_for_are_an_error_that_counts_them():
    message = r"asked for 3 pairs of 3 tags; the captions hold 3 tags: NOUN 3, DET 2, VERB 3\. .* --allow-fewer"
    with pytest.raises(SamplingError, match=message):
        sample_pairs(CAPTIONS, per_tag=3, seed=0, tags=3)
    with pytest.raises(SamplingError, match=r"of 14 tags; the captions hold 3 tags"):
        sample_pairs(CAPTIONS, per_tag=1, seed=0)
    with pytest.raises(SamplingError, match=r"with at most 1 of one word; .* NOUN 1"):
        sample_pairs([prompt("dog/NOUN a/X"), prompt("Dog/NOUN b/X")], per_tag=2, seed=0, tags=1, cap_per_word=1)
    assert len(sample_pairs(CAPTIONS, per_tag=3, seed=0, tags=3, allow_fewer=True).pairs) == 8


def test_no_captions_are_an_error_too():
    with pytest.raises(SamplingError, match="hold 0 tags: none"):
        sample_pairs([], per_tag=1, seed=0)


def test_distinct_captions_are_preferred_while_they_suffice():
    captions = [prompt(f"a{index}/NOUN b{index}/NOUN c{index}/VERB") for index in range(6)]
    sample = sample_pairs(captions, per_tag=3, seed=1, tags=2)
    assert len({pair.prompt.text for pair in sample.pairs}) == 6
    larger = sample_pairs(captions, per_tag=6, seed=1, tags=2)
    assert len(larger.pairs) == 12


TAGS = st.sampled_from(["NOUN", "VERB", "DET", "PROPN", "SCONJ", "SPACE", "X"])
ANALYSES = st.lists(
    st.tuples(st.sampled_from(["a", "A", "Dog", "dog", "as", "in"]), TAGS).map("/".join), min_size=1, max_size=6
)
PROMPTS = st.lists(ANALYSES.map(" ".join).map(prompt), max_size=12)


@given(PROMPTS, st.integers(0, 4), st.integers(0, 9), st.none() | st.integers(1, 2))
def test_pairs_are_distinct_capped_reproducible_and_as_the_table_says(
    prompts: list[Prompt], per_tag: int, seed: int, cap: int | None
):
    options = {"per_tag": per_tag, "seed": seed, "tags": 3, "cap_per_word": cap, "allow_fewer": True}
    sample = sample_pairs(prompts, **options)
    keys = [(pair.word.text.casefold(), pair.prompt.text) for pair in sample.pairs]
    assert len(set(keys)) == len(keys)
    assert all(pair.word.tag == pair.tag for pair in sample.pairs)
    assert sample == sample_pairs(prompts, **options)
    for row in sample.table:
        words = [pair.word.text.casefold() for pair in sample.pairs if pair.tag == row.tag]
        assert len(words) == row.sampled <= per_tag
        assert row.words == row.candidates + sum(row.filtered.values())
        assert cap is None or all(words.count(word) <= cap for word in words)
        if cap is None:
            assert row.sampled == min(per_tag, row.candidates)
