"""A presence study of cohyponyms, by the command."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Study

pytestmark = pytest.mark.django_db


def make(slug: str = "pairs", **options: object) -> Study:
    call_command("cohyponym_study", study=slug, **{"prompts": 60, "seeds": 2, "ontology": "coco"} | options)
    return Study.objects.get(slug=slug)


def test_half_are_cohyponyms_and_each_noun_stands_as_often_on_both_sides():
    study = make()
    items = list(study.items.select_related("word__prompt", "second_word"))
    assert (study.kind, len(items)) == ("presence", 120)
    first, second = Counter(), Counter()
    for item in items:
        first[item.condition, item.word.text] += 1
        second[item.condition, item.second_word.text] += 1
    for side in (first, second):
        alike = {noun: number for (condition, noun), number in side.items() if condition == "cohyponyms"}
        apart = {noun: number for (condition, noun), number in side.items() if condition == "non-cohyponyms"}
        assert alike == apart
        assert sum(alike.values()) == 60


def test_every_prompt_is_drawn_from_as_many_seeds_and_nouns_of_two_words_stay_whole():
    study = make(prompts=400)
    generations = Generation.objects.filter(items__study=study)
    assert set(Counter(generations.values_list("prompt__text", flat=True)).values()) <= {2, 4, 6, 8}
    assert generations.values("seed").distinct().count() == 800
    words = {item.word.text: item.word for item in study.items.select_related("word__prompt")}
    for noun in ("hot dog", "cell phone", "elephant"):
        word = words[noun]
        assert word.prompt.text[word.start : word.end] == noun
    for word in words["elephant"].prompt.words.all():
        assert word.prompt.text[word.start : word.end] == word.text


def test_the_same_seed_gives_the_same_study():
    drawn = [
        list(make(slug, seed=seed).items.values_list("word__text", "second_word__text", "generation__seed"))
        for slug, seed in (("one", 1), ("two", 1), ("three", 2))
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_tiny_worlds_nouns_are_those_its_model_can_draw():
    from attribution.tinyworld.lexicon import GROUPS

    study = make(ontology="", model="tinyworld", prompts=20, seeds=1)
    assert set(study.items.values_list("word__text", flat=True)) <= {
        noun for nouns in GROUPS.values() for noun in nouns
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prompts": 3}, "3 prompts"),
        ({"seeds": 0}, "--seeds is 0"),
        ({"ontology": "nowhere.json"}, "nowhere.json is no ontology"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(options, said, tmp_path: Path):
    with pytest.raises(CommandError, match=said):
        make(**options)
    assert not Study.objects.exists()


def test_a_taken_slug_is_refused():
    make()
    with pytest.raises(CommandError, match="'pairs' already"):
        make()


def test_the_recipe_is_the_users():
    study = make(dtype="float16", steps=7, guidance=2.5, height=512, width=256)
    recipe = study.items.first().generation.recipe
    assert (recipe.dtype, recipe.steps, recipe.guidance, recipe.height, recipe.width) == ("float16", 7, 2.5, 512, 256)
