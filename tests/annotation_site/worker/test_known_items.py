"""Practice, gold and instructed checks for a study: from the tiny world's own scenes, whose masks are exact."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from PIL import Image

from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, Recipe
from annotation_site.studies.building import Stimulus, build_study
from annotation_site.studies.maps import item_map
from annotation_site.studies.models import Item, KnownAnswer, Study
from attribution import records
from attribution.tinyworld import captions, presence_prompts
from attribution.tinyworld.scenes import Scene, draw

pytestmark = pytest.mark.django_db


@pytest.fixture
def scenes(finish):
    """``scenes(kind)``: a draft study of drawn scenes of the tiny world, and each scene by its prompt."""

    def make(kind: str = "likert", model: str = "tinyworld") -> dict[str, tuple]:
        presence = kind == "presence"
        drawn = [p.caption for p in presence_prompts(6, 0)] if presence else _two_things(8)
        recipe = Recipe.objects.ensure(records.Recipe(model=model, steps=2, height=64, width=64))
        stimuli = [_stimulus(caption, presence) for caption in drawn]
        build_study(slug="s", title="S", kind=kind, stimuli=stimuli, recipe=recipe, seed=0, source="drawn")
        by_text = {caption.text: (caption, draw(caption, np.random.default_rng(n))) for n, caption in enumerate(drawn)}
        for generation in Generation.objects.select_related("prompt"):
            finish(generation)
            buffer = io.BytesIO()
            Image.fromarray(by_text[generation.prompt.text][1].pixels).save(buffer, "PNG")
            files.write(str(generation.image.name), buffer.getvalue())
        return by_text

    return make


def _two_things(count: int) -> list:
    """Captions that name two different things, once each."""
    many = (caption for caption in captions(200, 0) if len({thing.noun for thing in caption.things}) == 2)
    chosen = {caption.text: caption for caption in many if len(caption.things) == 2}
    return list(chosen.values())[:count]


def _stimulus(caption, presence: bool) -> Stimulus:
    words = tuple(
        records.Word(word.text, word.start, word.end, word.tag, word.text, 0, "dep") for word in caption.words
    )
    nouns = [index for index, word in enumerate(words) if word.tag == "NOUN"]
    # The last word, punctuation or ground: no thing of the picture is asked about.
    first, second = (nouns[0], nouns[1]) if presence else (len(words) - 1, None)
    return Stimulus(
        records.Prompt(caption.text, words), first, second_word=second, condition="cohyponyms" if presence else ""
    )


def true_mask(item: Item, by_text) -> np.ndarray:
    caption, scene = by_text[item.generation.prompt.text]
    word = next(word for word in caption.words if word.start == item.word.start)
    return Scene.mask(scene, word)


def overlap(first, second) -> float:
    return float((first & second).sum() / (first | second).sum())


def test_gold_shows_a_words_true_place_or_all_but_it(scenes):
    by_text = scenes()
    call_command("add_gold", "s", count=4)
    gold = list(Item.objects.filter(purpose="gold").select_related("generation__prompt", "word", "known"))
    assert len(gold) == 4
    assert len({item.generation_id for item in gold}) == 4
    for item in gold:
        shown, true = item_map(item) > 0.5, true_mask(item, by_text)
        good = item.known.highest == 5
        # The segmenter works on pixels; its edge may differ from the drawn one by a pixel.
        assert overlap(shown if good else ~shown, true) > 0.8
    assert [item.known.highest for item in gold] == [5, 2, 5, 2]


def test_practice_has_a_good_map_a_poor_one_and_an_abstract_word(scenes):
    by_text = scenes()
    call_command("add_practice", "s")
    good, poor, abstract = Item.objects.filter(purpose="practice").select_related("generation__prompt", "word", "known")
    assert overlap(item_map(good) > 0.5, true_mask(good, by_text)) > 0.8
    assert (item_map(poor) > 0.5)[true_mask(poor, by_text)].mean() < 0.2
    assert (poor.known.lowest, poor.known.highest) == (1, 2)
    assert set(poor.known.reasons) == {"en", "ko"}
    assert (abstract.known.opt_out, abstract.word.tag) == ("word_too_abstract", "DET")
    asked = set(Item.objects.filter(purpose="").values_list("generation", "word"))
    assert not asked & {(item.generation_id, item.word_id) for item in (good, poor, abstract)}


def test_presence_is_known_where_all_that_is_seen_was_asked_for(scenes):
    scenes("presence")
    call_command("add_gold", "s", count=2)
    call_command("add_practice", "s", count=1)
    for known in KnownAnswer.objects.all():
        # Every scene was drawn with both of its things.
        assert (known.first_present, known.second_present) == (True, True)
    assert sorted(Item.objects.exclude(purpose="").values_list("purpose", flat=True)) == ["gold", "gold", "practice"]


def test_instructed_checks_serve_any_model_and_never_ask_for_the_middle(scenes):
    scenes(model="another")
    call_command("add_instructed", "s", count=6)
    ratings = [(k.lowest, k.highest) for k in KnownAnswer.objects.filter(item__purpose="instructed").order_by("id")]
    assert ratings == [(5, 5), (1, 1), (4, 4), (2, 2), (5, 5), (1, 1)]


def test_other_models_need_a_manifest_and_open_studies_get_nothing(scenes):
    scenes(model="another")
    with pytest.raises(CommandError, match="--manifest"):
        call_command("add_gold", "s")
    Study.objects.update(state="open", cap=1)
    with pytest.raises(CommandError, match="before it opens"):
        call_command("add_instructed", "s")
    with pytest.raises(CommandError, match="at least 1"):
        call_command("add_instructed", "s", count=0)


@pytest.fixture
def manifest(scenes, tmp_path):
    """``manifest(entries)``: a manifest beside a mask of the left half, of a study of another model."""
    scenes(model="another")
    mask = np.zeros((8, 8), np.uint8)
    mask[:, :4] = 255
    Image.fromarray(mask).save(tmp_path / "left.png")
    (tmp_path / "text.png").write_text("no picture")

    def write(*entries):
        item = Item.objects.order_by("position").select_related("generation").first()
        there = {"generation": item.generation.identity[:12], "word": _thing(item).text}
        (tmp_path / "m.json").write_text(json.dumps([there | entry for entry in entries]))
        return tmp_path / "m.json"

    return write


def _thing(item: Item):
    return item.generation.prompt.words.filter(tag__in=["NOUN", "PROPN"]).first()


def test_a_gold_entry_with_a_mask_becomes_the_mask_and_its_complement(manifest):
    call_command("add_gold", "s", manifest=manifest({"mask": "left.png"}))
    good, poor = Item.objects.filter(purpose="gold").select_related("known")
    left = np.zeros((8, 8), np.float32)
    left[:, :4] = 1
    np.testing.assert_array_equal(item_map(good), left)
    np.testing.assert_array_equal(item_map(poor), 1 - left)


def test_practice_entries_say_what_fits(manifest):
    entries = [
        {"mask": "left.png", "lowest": 3, "highest": 5, "reasons": {"en": "It covers it."}},
        {"opt_out": "word_too_abstract"},
    ]
    call_command("add_practice", "s", manifest=manifest(*entries))
    first, second = KnownAnswer.objects.order_by("id")
    assert (first.lowest, first.highest, first.reasons["en"]) == (3, 5, "It covers it.")
    assert second.opt_out == "word_too_abstract"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"generation": "zz"}, "none of the study's finished pictures"),
        ({"word": "zebra"}, "stands 0 times"),
        ({"occurrence": 3}, "no occurrence 3"),
        ({"mask": "missing.png", "lowest": 1, "highest": 2}, "missing.png"),
        ({"mask": "text.png", "lowest": 1, "highest": 2}, "text.png"),
        ({"lowest": 4, "highest": 2, "mask": "left.png"}, "a_known_answer_is_of_one_kind"),
        ({"lowest": 4, "highest": 5}, "with another right answer"),
        ({"colour": "red"}, "colour: no such field"),
    ],
)
def test_a_bad_entry_is_named_and_nothing_is_stored(manifest, entry, said):
    path = manifest({"opt_out": "word_too_abstract"}, entry)
    with pytest.raises(CommandError, match="entry 2") as refused:
        call_command("add_practice", "s", manifest=path)
    assert said in str(refused.value)
    assert not Item.objects.exclude(purpose="").exists()


def test_a_manifest_that_is_no_list(scenes, tmp_path):
    scenes(model="another")
    for content in ("{", "{}"):
        (tmp_path / "m.json").write_text(content)
        with pytest.raises(CommandError, match=r"m\.json"):
            call_command("add_practice", "s", manifest=tmp_path / "m.json")
