"""Measure the tiny world's model: ``python -m attribution.tinyworld.evaluate [--model FOLDER] [--json]``.

Two questions, on captions that training never drew. Do the pictures show what the captions say (by the segmenter, with
its ceiling on true scenes)? And do DAAM's word maps cover what the words show: on generated pictures, with the
segmenter's masks, and on true pictures led through the pipeline with noise, where every mask is exact?
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from attribution.analysis.intervals import bootstrap_mean, wilson
from attribution.daam.capture import trace
from attribution.daam.pipelines import load_pipeline
from attribution.maps.heat_maps import HeatMaps
from attribution.tinyworld.grammar import Caption, captions
from attribution.tinyworld.map_scores import KINDS, TAUS, MapScore, score_maps
from attribution.tinyworld.pools import encode
from attribution.tinyworld.replay import ReplayScheduler
from attribution.tinyworld.scenes import Scene, draw
from attribution.tinyworld.scoring import PictureScore, assign, score
from attribution.tinyworld.segmenter import find, ground_mask
from attribution.tinyworld.tables import as_text

SEED: Final = 20_240_000  # far from every seed of the training's captions
STEPS, GUIDANCE, BATCH = 20, 3.0, 16
LEVELS: Final = 10  # of noise, on the way of a true picture
Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables, or all of it as JSON."""
    options = _options(arguments)
    result = evaluate(load_pipeline(options.model, device=options.device), options.images, options.jitter)
    sys.stdout.write((json.dumps(result, indent=2) if options.json else as_text(result)) + "\n")


def evaluate(pipeline: Any, images: int, jitter: float = 4.0) -> Row:
    """Scores of ``images`` held-out captions: rows ``pictures`` by group, rows ``maps`` by source and kind."""
    drawn = captions(images, SEED)
    scenes = [draw(caption, np.random.default_rng(SEED + k), jitter=jitter) for k, caption in enumerate(drawn)]
    generated, maps = _generate(pipeline, drawn)
    replayed = _replay(pipeline, drawn, scenes)
    larger = _replay(pipeline, drawn, scenes, _larger_layers(pipeline.unet))
    seen = [_seen_masks(caption, pixels) for caption, pixels in zip(drawn, generated, strict=True)]
    exact = [_exact_masks(caption, scene) for caption, scene in zip(drawn, scenes, strict=True)]
    return {
        "images": images,
        "steps": STEPS,
        "guidance": GUIDANCE,
        "levels": LEVELS,
        "pictures": _picture_rows(drawn, "model", generated)
        + _picture_rows(drawn, "true scenes", [scene.pixels for scene in scenes]),
        "maps": _map_rows("generated", drawn, maps, seen)
        + _map_rows("true scenes, noised", drawn, replayed, exact)
        + _map_rows("noised, without the smallest maps", drawn, larger, exact),
    }


def _generate(pipeline: Any, drawn: list[Caption]) -> tuple[list[NDArray[np.uint8]], list[HeatMaps]]:
    def call(batch: list[int]) -> Any:
        generators = [torch.Generator("cpu").manual_seed(SEED + k) for k in batch]
        return pipeline(
            [drawn[k].text for k in batch],
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            generator=generators,
            output_type="np",
        ).images

    pictures, maps = _traced(pipeline, len(drawn), call, "generating")
    return [(picture * 255).round().astype(np.uint8) for picture in pictures], maps


def _larger_layers(unet: Any) -> list[str]:
    """All blocks but those of the lowest resolution, whose maps of 4x4 cells say little."""
    levels = len(unet.config.block_out_channels)
    return [f"down_blocks.{k}" for k in range(levels - 1)] + [f"up_blocks.{k}" for k in range(1, levels)]


def _replay(
    pipeline: Any, drawn: list[Caption], scenes: list[Scene], layers: list[str] | None = None
) -> list[HeatMaps]:
    latents = encode(pipeline.vae, np.stack([scene.pixels for scene in scenes])).to(pipeline.device)
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(SEED)).to(pipeline.device)
    own = pipeline.scheduler
    pipeline.scheduler = replay = ReplayScheduler.from_config(own.config)

    def call(batch: list[int]) -> Any:
        replay.follow(latents[batch], noise[batch])
        texts = [drawn[k].text for k in batch]
        return pipeline(
            texts, num_inference_steps=LEVELS, guidance_scale=1.0, latents=noise[batch], output_type="latent"
        ).images

    try:
        return _traced(pipeline, len(drawn), call, "replaying", layers)[1]
    finally:
        pipeline.scheduler = own


def _traced(
    pipeline: Any, count: int, call: Callable[[list[int]], Any], what: str, layers: list[str] | None = None
) -> tuple[list[Any], list[HeatMaps]]:
    """``call`` on batches of indices below ``count``, traced (all of DAAM's layers, or these): results and maps."""
    returned: list[Any] = []
    maps: list[HeatMaps] = []
    for start in tqdm(range(0, count, BATCH), desc=what, unit="batch", disable=not sys.stderr.isatty()):
        with trace(pipeline, layers=layers) as tracer:
            returned.extend(call(list(range(start, min(start + BATCH, count)))))
        maps.extend(tracer.heat_maps())
    return returned, maps


def _seen_masks(caption: Caption, pixels: NDArray[np.uint8]) -> dict[int, NDArray[np.bool_]]:
    """What each word shows in a generated picture, by the segmenter; words whose things were not found are left out."""
    assigned = assign(caption, find(pixels))
    masks = {}
    for index, word in enumerate(caption.words):
        things = [assigned[k] for k in word.things]
        if word.shows == "ground":
            masks[index] = ground_mask(pixels, caption.ground)
        elif word.shows == "object" and all(things):
            masks[index] = np.any([thing.mask for thing in things if thing], axis=0)
    return masks


def _exact_masks(caption: Caption, scene: Scene) -> dict[int, NDArray[np.bool_]]:
    masks = {index: scene.mask(word) for index, word in enumerate(caption.words) if word.shows in ("object", "ground")}
    return {index: mask for index, mask in masks.items() if mask is not None}


def _group(caption: Caption) -> str:
    if len(caption.things) == 1:
        return "one thing"
    return "two things" if len(caption.things) == 2 and len(set(caption.things)) == 2 else "crowds"


def _picture_rows(drawn: list[Caption], source: str, pictures: list[NDArray[np.uint8]]) -> list[Row]:
    scored = [(_group(caption), score(caption, pixels)) for caption, pixels in zip(drawn, pictures, strict=True)]
    scored.sort(key=lambda item: ("one thing", "two things", "crowds").index(item[0]))
    return [_picture_row(source, group, [s for _, s in part]) for group, part in groupby(scored, lambda item: item[0])]


def _picture_row(source: str, group: str, scores: list[PictureScore]) -> Row:
    things, coloured, images = (
        sum(s.things for s in scores),
        sum(s.coloured for s in scores),
        len(scores),
    )
    shares = {
        "shape": (sum(s.shapes for s in scores), things),
        "colour": (sum(s.colours for s in scores), coloured),
        "shape and colour": (sum(s.both for s in scores), things),
        "count": (sum(s.count for s in scores), images),
        "ground": (sum(s.ground for s in scores), images),
        "all right": (sum(s.right for s in scores), images),
    }
    return {"source": source, "captions": group, "images": images} | {
        name: _share(hits, total) for name, (hits, total) in shares.items()
    }


def _map_rows(
    source: str, drawn: list[Caption], maps: list[HeatMaps], masks: list[dict[int, NDArray[np.bool_]]]
) -> list[Row]:
    scores = [s for k, args in enumerate(zip(drawn, maps, masks, strict=True)) for s in score_maps(k, *args)]
    return [_map_row(source, kind, part) for kind in KINDS if (part := [s for s in scores if s.kind == kind])]


def _map_row(source: str, kind: str, scores: list[MapScore]) -> Row:
    pictures = [s.picture for s in scores]
    columns = {f"DAAM {tau}": [s.overlaps[k] for s in scores] for k, tau in enumerate(TAUS)}
    columns |= {"whole image": [s.whole for s in scores], "centred box": [s.box for s in scores]}
    decided = [s.densest for s in scores if s.densest is not None]
    row: Row = {"source": source, "kind": kind, "words": len(scores), "pictures": len(set(pictures))}
    row |= {name: _mean(values, pictures) for name, values in columns.items()}
    compared = [(s.picture, s.others) for s in scores if s.others]
    for k, tau in enumerate(TAUS):
        row[f"another word {tau}"] = _mean([others[k] for _, others in compared], [picture for picture, _ in compared])
    return row | {"own thing densest": _share(sum(decided), len(decided))}


def _share(hits: int, total: int) -> Row | None:
    """A proportion with Wilson's 95% interval; None where nothing was counted."""
    if not total:
        return None
    low, high = wilson(hits, total)
    return {"value": round(hits / total, 3), "low": round(low, 3), "high": round(high, 3), "n": total}


def _mean(values: list[float], clusters: list[int]) -> Row:
    """A mean with its 95% bootstrap interval over pictures; None for its ends where there is but one picture."""
    low, high = bootstrap_mean(values, clusters, rng=np.random.default_rng(0), resamples=2000)
    ends = {name: None if np.isnan(end) else round(end, 3) for name, end in (("low", low), ("high", high))}
    return {"value": round(float(np.mean(values)), 3)} | ends


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m attribution.tinyworld.evaluate", description=__doc__)
    parser.add_argument("--model", default="tinyworld", help="a shipped name or a pipeline's folder")
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--jitter", type=float, default=4.0, help="of the true scenes, in pixels")
    parser.add_argument("--device", default=None)
    parser.add_argument("--json", action="store_true", help="everything as JSON instead of two tables")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
