"""The evaluation's arithmetic, and the shipped model under it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from attribution.daam.alignment import align
from attribution.daam.capture import trace
from attribution.daam.pipelines import SHIPPED, load_pipeline
from attribution.maps.alignment import Alignment
from attribution.maps.heat_maps import HeatMaps
from attribution.tinyworld import captions
from attribution.tinyworld.evaluate import evaluate
from attribution.tinyworld.grammar import phrase_caption
from attribution.tinyworld.map_scores import centred_box, kind_of, overlap, score_maps
from attribution.tinyworld.samples import draw_pictures
from attribution.tinyworld.scoring import score
from attribution.tinyworld.tables import as_text

FOLDER = SHIPPED["tinyworld"]


@pytest.fixture(scope="module")
def pipeline():
    return load_pipeline("tinyworld", device="cpu")


def half(side: str) -> np.ndarray:
    mask = np.zeros((64, 64), dtype=bool)
    mask[:, slice(0, 32) if side == "left" else slice(32, 64)] = True
    return mask


def test_overlap_by_hand():
    # Left half 2048 pixels, centred box 1024; they share 512, and together cover 2560.
    assert overlap(half("left"), centred_box()) == pytest.approx(512 / 2560)
    assert overlap(half("left"), half("right")) == 0
    assert overlap(np.zeros((64, 64), bool), np.zeros((64, 64), bool)) == 0


def test_perfect_maps_score_one_and_swapped_maps_nothing(pipeline):
    caption = phrase_caption(("star", "moon"))
    alignment: Alignment = align(pipeline.tokenizer, caption.text)
    nouns = [k for k, word in enumerate(caption.words) if kind_of(word) == "nouns"]
    masks = {nouns[0]: half("left"), nouns[1]: half("right")}
    tokens = np.zeros((pipeline.tokenizer.model_max_length, 64, 64), dtype=np.float32)
    for index, mask in masks.items():
        word = caption.words[index]
        tokens[list(alignment.positions(word.start, word.end))] = mask
    maps = HeatMaps(tokens, alignment, tuple(range(len(tokens))), 1, 1)
    swapped = dict(zip(nouns, [masks[nouns[1]], masks[nouns[0]]], strict=True))
    right, wrong = score_maps(0, caption, maps, masks), score_maps(0, caption, maps, swapped)
    assert [s.overlaps for s in right] == [(1.0, 1.0, 1.0)] * 2
    assert [(s.whole, s.densest) for s in right] == [(0.5, True)] * 2
    assert [(s.overlaps, s.others, s.densest) for s in wrong] == [((0.0,) * 3, (1.0,) * 3, False)] * 2


def test_the_shipped_folder_opens_without_a_warning_and_is_small():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened = StableDiffusionPipeline.from_pretrained(FOLDER, dtype=torch.float32, safety_checker=None)
    assert opened.unet.dtype == opened.text_encoder.dtype == torch.float32
    size = sum(path.stat().st_size for path in Path(FOLDER).rglob("*") if path.is_file())
    assert size <= 25_000_000
    facts = json.loads((FOLDER / "attest.json").read_text())
    assert {"title", "trained", "licence", "samples", "note"} <= facts.keys()


def test_the_shipped_model_draws_single_things_as_told(pipeline):
    drawn = [c for c in captions(80, 31, crowded=False) if len(c.things) == 1][:10]
    pictures = draw_pictures(pipeline, [c.text for c in drawn], 20, 3.0)
    scores = [score(c, np.asarray(p)) for c, p in zip(drawn, pictures, strict=True)]
    assert np.mean([s.ground for s in scores]) >= 0.9
    assert sum(s.colours for s in scores) / sum(s.coloured for s in scores) >= 0.7


def test_every_layer_that_attends_to_the_words_is_traced(pipeline):
    # Three blocks down and six up, each with two layers; the U-Net has no self-attention.
    with trace(pipeline) as tracer:
        pipeline("a red star", num_inference_steps=1)
    assert tracer.heat_maps()[0].layers == 18


def test_evaluation_reports_both_tables(pipeline):
    result = evaluate(pipeline, 6)
    assert {row["source"] for row in result["pictures"]} == {"model", "true scenes"}
    sources = {"generated", "true scenes, noised", "noised, without the smallest maps"}
    assert {row["source"] for row in result["maps"]} == sources
    for row in result["maps"]:
        assert 0 <= row["DAAM 0.3"]["value"] <= 1
        assert row["DAAM 0.3"]["low"] is None or row["DAAM 0.3"]["low"] <= row["DAAM 0.3"]["value"]
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert as_text(result).count("\n| model |") == len({r["captions"] for r in result["pictures"]})
    assert type(pipeline.scheduler).__name__ == "DDIMScheduler"
