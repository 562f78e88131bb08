"""The whole job once: real captions in, images and maps made, judged by people in a browser, a report out."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from django.core.management import call_command
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from annotation_site.rating.models import Judgement, Seat
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item, Study

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.any_database]
ARTICLES = {"a", "an", "the"}
MADE = 14


@pytest.fixture(scope="module")
def model(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Stable Diffusion's classes and CLIP's own vocabulary, at a fraction of the width, untrained."""
    torch.manual_seed(0)
    vocabulary = shared_data / "clip_tokenizer"
    tokenizer = CLIPTokenizer(str(vocabulary / "vocab.json"), str(vocabulary / "merges.txt"), model_max_length=77)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2
    )
    blocks = {"block_out_channels": (16, 32), "norm_num_groups": 4}
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, **blocks
        ),
        text_encoder=CLIPTextModel(text),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(
            sample_size=16, layers_per_block=1, cross_attention_dim=16, attention_head_dim=4,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), **blocks,
        ),
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("model")
    pipeline.save_pretrained(folder)
    size = {"steps": 3, "height": 32, "width": 32}
    card = {"title": "A tiny Stable Diffusion", "trained": False, "recipe": size}
    (folder / "attest.json").write_text(json.dumps(card))
    return folder


def rate_everything(rating: str, articles: str):
    """A rater who answers ``rating`` to every word but articles, with the keyboard alone; how many were shown."""

    def script(visitor) -> int:
        visitor.join("coco")
        assert "untrained" in visitor.page.inner_text("body").casefold()
        shown = 0
        # Until all that is made is judged; the other images are still to come.
        while visitor.page.locator(".target").count():
            word = visitor.page.locator(".target").inner_text()
            visitor.press(articles if word.casefold() in ARTICLES else rating, "Enter")
            shown += 1
        assert "nothing left for you to judge at the moment" in visitor.page.inner_text("main")
        return shown

    return script


def test_from_real_captions_to_a_report(drive, model: Path, shared_data: Path, tmp_path: Path):
    captions = tmp_path / "captions.json"
    coco = json.loads((shared_data / "coco" / "captions_val2017.json").read_text())
    # Every second one: parsing them is most of this test's time.
    captions.write_text(json.dumps(coco | {"annotations": coco["annotations"][::2]}))
    call_command("sample_pairs", captions=str(captions), study="coco", per_tag=200, seed=0, model=str(model))
    study = Study.objects.get(slug="coco")
    per_tag = Counter(study.items.values_list("word__tag", flat=True))
    assert len(per_tag) == 14
    assert set(per_tag.values()) == {200}
    assert study.items.values("word__prompt__text", "word__text").distinct().count() == 2800
    assert Generation.objects.filter(state="queued").count() == 2800

    call_command("precompute", "coco", limit=MADE, batch_size=14)
    call_command("open_study", "coco")
    made = Item.objects.filter(generation__state="done").select_related("word")
    assert len(made) == MADE
    assert len({item.word.tag for item in made}) == 14
    assert Seat.objects.filter(state="free").count() == 3 * MADE

    for rating, articles in (("3", "4"), ("4", "w"), ("5", "5")):
        assert drive(rate_everything(rating, articles)) == MADE
    assert Judgement.objects.counted().of_people().count() == 3 * MADE

    call_command("report", "coco", "--out", str(tmp_path / "report"))
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    rows = {row["tag"]: row for row in report["people"]["rows"]}
    articles = Counter(item.word.tag for item in made if item.word.text.casefold() in ARTICLES)
    for tag, row in rows.items():
        mine = [item for item in made if item.word.tag == tag]
        assert row["judgements"] == 3 * len(mine)
        assert row["dropped"] == articles[tag]
        # Three raters gave 3, 4 and 5 to whatever nobody called too abstract.
        assert row["scored"] == len(mine) - articles[tag]
        if row["scored"]:
            assert row["mean"]["value"] == 4.0
    assert sum(articles.values()) > 0
    assert (tmp_path / "report" / "figure.svg").read_text().startswith("<?xml")
    page = drive(lambda visitor: visitor.page.goto("/reports/coco/") and visitor.page.inner_text("main"))
    assert f"{3 * MADE}" in page
