"""From captions to a draft study, by the command, with the shipped language pipeline."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation_site.stimuli.models import Generation, Word
from annotation_site.studies.models import Study

pytestmark = pytest.mark.django_db

CAPTIONS = """\
A dog runs quickly along the beach.
Two men sit on a bench and they eat a red apple.
A woman is riding a brown horse in the park.
The small cat sleeps under an old table.
A train is waiting at the station while people talk.
"""


@pytest.fixture
def captions(tmp_path: Path) -> str:
    path = tmp_path / "captions.txt"
    path.write_text(CAPTIONS)
    return str(path)


def sample(captions: str, slug: str = "study", **options: object) -> Study:
    options = {"per_tag": 2, "tags": 4, "seed": 0} | options
    call_command("sample_pairs", captions=captions, study=slug, **options)
    return Study.objects.get(slug=slug)


def drawn(study: Study) -> list[tuple[str, str, int]]:
    rows = study.items.select_related("word__prompt", "generation")
    return [(row.word.text, row.word.prompt.text, row.generation.seed) for row in rows]


def test_it_makes_a_draft_study_with_words_items_and_queued_generations(captions, capsys):
    study = sample(captions)
    assert (study.state, study.kind, study.items.count()) == ("draft", "likert", 8)
    assert set(Counter(study.items.values_list("word__tag", flat=True)).values()) == {2}
    for item in study.items.select_related("word__prompt", "generation__recipe"):
        word = item.word
        assert word.prompt.text[word.start : word.end] == word.text
        assert word.prompt.text + "\n" in CAPTIONS
        assert (item.generation.state, item.generation.recipe.model) == ("queued", "tinyworld")
    assert Word.objects.filter(prompt__text="A dog runs quickly along the beach.").count() in {0, 8}
    output = capsys.readouterr().out
    assert "NOUN" in output
    assert "8 items, 8 generations queued" in output
    assert study.sampling["source"] == "captions.txt"
    assert len(study.sampling["sha256"]) == 64
    assert study.sampling["per_tag"] == 2


def test_the_seed_decides_the_draw(captions):
    first = drawn(sample(captions, "one", seed=3))
    assert drawn(sample(captions, "two", seed=3)) == first
    assert drawn(sample(captions, "three", seed=4)) != first


def test_fewer_than_asked_for_is_an_error_with_the_counts_that_stores_nothing(captions):
    with pytest.raises(CommandError, match=r"asked for 500 pairs.*NOUN \d+.*--allow-fewer"):
        sample(captions, per_tag=500)
    assert not Study.objects.exists()
    assert not Generation.objects.exists()
    assert sample(captions, per_tag=500, allow_fewer=True).items.count() > 8


def test_a_cap_limits_the_pairs_of_one_word(captions):
    study = sample(captions, per_tag=5, allow_fewer=True, cap_per_word=1)
    words = Counter((tag, text.casefold()) for tag, text in study.items.values_list("word__tag", "word__text"))
    assert set(words.values()) == {1}


def test_the_recipe_is_the_models_own_unless_changed(captions):
    assert {g.recipe.steps for g in Generation.objects.filter(items__study=sample(captions, "usual"))} == {20}
    changed = sample(captions, "changed", steps=7, guidance=1.5)
    assert {(g.recipe.steps, g.recipe.guidance) for g in Generation.objects.filter(items__study=changed)} == {(7, 1.5)}


def test_the_tiny_worlds_own_captions_are_drawn_by_the_real_parser():
    study = sample("tinyworld", per_tag=1, tags=14)
    assert study.items.values("word__tag").distinct().count() == 14
    assert study.items.first().word.prompt.parser.startswith("en_")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"captions": "nowhere.json"}, "nowhere.json"),
        ({"per_tag": 0}, "--per-tag is 0"),
        ({"cap_share": 2.0}, "cap_share"),
        ({"seats": 99}, "seats_per_item"),
        ({"height": 100}, "--height is 100"),
        ({"slug": "not a slug"}, "slug"),
    ],
)
def test_bad_input_is_named_and_stores_nothing(captions, options, named):
    with pytest.raises(CommandError, match=named):
        sample(options.pop("captions", captions), options.pop("slug", "study"), **options)
    assert not Study.objects.exists()


def test_a_taken_slug_is_refused(captions):
    sample(captions)
    with pytest.raises(CommandError, match="a study 'study' already"):
        sample(captions)
