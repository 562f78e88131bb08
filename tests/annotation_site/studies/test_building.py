"""A study's rows from stimuli."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from django.core.exceptions import ValidationError

from annotation_site.stimuli.models import Generation, Prompt, Recipe
from annotation_site.studies.building import Stimulus, StudyExists, build_study, interleave
from annotation_site.studies.models import Study
from attribution import records

pytestmark = pytest.mark.django_db


def prompt(text: str, tag: str = "NOUN") -> records.Prompt:
    word = records.Word(text, 0, len(text), tag, text, 0, "root")
    return records.Prompt(text, (word,), source_id=text)


def build(stimuli: list[Stimulus], slug: str = "study", seed: int = 0, **settings: object) -> Study:
    recipe = Recipe.objects.ensure(records.Recipe(model="test-model", height=64, width=64))
    return build_study(
        slug=slug, title="T", kind="likert", stimuli=stimuli, recipe=recipe, seed=seed, source="test", **settings
    )


def test_every_stimulus_becomes_an_item_with_a_queued_generation_of_its_own(db):
    study = build([Stimulus(prompt(text), 0) for text in ("ant", "bee", "cat")])
    items = list(study.items.select_related("generation", "word__prompt"))
    assert study.state == "draft"
    assert [item.position for item in items] == [0, 1, 2]
    assert {item.word.prompt.text for item in items} == {"ant", "bee", "cat"}
    assert {item.generation.state for item in items} == {"queued"}
    assert len({item.generation.seed for item in items}) == 3
    for item in items:
        assert item.generation.identity == item.generation.record().identity
        assert item.word.prompt.text[item.word.start : item.word.end] == item.word.text


def test_the_seed_decides_order_and_image_seeds(db):
    stimuli = [Stimulus(prompt(f"w{n}"), 0) for n in range(20)]

    def outcome(slug: str, seed: int) -> list[tuple[str, int]]:
        return [(i.word.text, i.generation.seed) for i in build(stimuli, slug, seed).items.all()]

    assert outcome("one", 1) == outcome("same", 1)
    assert outcome("one-more", 1) != outcome("other", 2)


def test_the_same_image_wanted_by_two_studies_is_made_once(db):
    stimuli = [Stimulus(prompt(f"w{n}"), 0) for n in range(5)]
    build(stimuli, "one", 7)
    build(stimuli, "two", 7)
    assert Generation.objects.count() == 5
    assert Prompt.objects.count() == 5


def test_two_words_of_one_caption_get_two_images(db):
    words = (
        records.Word("red", 0, 3, "ADJ", "red", 1, "amod"),
        records.Word("ant", 4, 7, "NOUN", "ant", 1, "root"),
    )
    both = records.Prompt("red ant", words)
    study = build([Stimulus(both, 0), Stimulus(both, 1)])
    assert Prompt.objects.count() == 1
    assert study.items.values("generation").distinct().count() == 2


def test_interleaving_spreads_tags_in_proportion():
    stimuli = [Stimulus(prompt(f"n{n}"), 0) for n in range(30)] + [
        Stimulus(prompt(f"v{n}", "VERB"), 0) for n in range(10)
    ]
    order = [stimulus.stratum for stimulus in interleave(stimuli, random.Random(0))]
    for start in range(0, 40, 8):
        # Of any eight in a row six are nouns and two verbs, give or take one at the edges.
        assert abs(Counter(order[start : start + 8])["VERB"] - 2) <= 1


def test_a_slug_is_taken_once_and_nothing_is_stored_the_second_time(db):
    build([Stimulus(prompt("ant"), 0)])
    with pytest.raises(StudyExists, match="'study' already"):
        build([Stimulus(prompt("bee"), 0)])
    assert not Prompt.objects.filter(text="bee").exists()


def test_settings_out_of_range_are_refused_by_name(db):
    with pytest.raises(ValidationError, match="cap_share"):
        build([Stimulus(prompt("ant"), 0)], cap_share=1.5)
    assert not Study.objects.exists()
