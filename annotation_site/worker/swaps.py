"""From swap sets to a draft study of what changed: each image with another adjective beside the set's first."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from annotation_site.stimuli.recipes import store_recipe
from annotation_site.studies.building import Stimulus, build_study, refuse_taken
from annotation_site.studies.models import Study
from annotation_site.worker.sampling import INSTRUCTED
from attribution import records
from attribution.errors import AnalysisError
from attribution.language.parser import Parser, load_parser
from attribution.swaps import SwapPrompt, swap_prompts

LONGEST = 120


def change_study(
    *,
    slug: str,
    title: str,
    templates: Sequence[str],
    images: int,
    seed: int,
    recipe: records.Recipe,
    source: str,
    pipeline: str = "",
    **settings: Any,
) -> Study:
    """A draft study of these swap sets, each drawn from ``images`` seeds: n adjectives give n - 1 pairs a seed.

    Raises AnalysisError for a set out of form, or with a word that the parser takes apart.
    """
    refuse_taken(slug)
    parser = load_parser(pipeline or None)
    # One draw for all sets: the images of two sets are never of one seed.
    seeds = iter(random.Random(seed).sample(range(2**31), len(templates) * images))  # noqa: S311 - reproducible
    stimuli = [stimulus for template in templates for stimulus in _stimuli(parser, template, images, seeds)]
    return build_study(
        slug=slug,
        title=title,
        kind=Study.Kind.CHANGE,
        stimuli=stimuli,
        recipe=store_recipe(recipe),
        seed=seed,
        source=source,
        parser=f"{parser.name} {parser.version}",
        sampling={"source": source, "swap_sets": list(templates), "images": images, "seed": seed},
        **{**INSTRUCTED, **settings},
    )


def _stimuli(parser: Parser, template: str, images: int, seeds: Any) -> list[Stimulus]:
    swaps = swap_prompts(template)
    parsed = list(parser.parse([swap.text for swap in swaps]))
    places = [_place(prompt, swap, template) for prompt, swap in zip(parsed, swaps, strict=True)]
    name = set_name(swaps)
    return [
        Stimulus(parsed[0], places[0], places[at], "", parsed[at], name, image_seed)
        for image_seed in (next(seeds) for _ in range(images))
        for at in range(1, len(swaps))
    ]


def set_name(swaps: Sequence[SwapPrompt]) -> str:
    """``rusty, metallic, wooden shovel``."""
    words = ", ".join(swap.text[slice(*swap.adjective)] for swap in swaps)
    name = f"{words} {swaps[0].text[slice(*swaps[0].noun)]}"
    if len(name) > LONGEST or "/" in name:
        raise AnalysisError(f"{name!r} names rows of reports: at most {LONGEST} characters without a slash.")
    return name


def _place(prompt: records.Prompt, swap: SwapPrompt, template: str) -> int:
    for index, word in enumerate(prompt.words):
        if (word.start, word.end) == swap.adjective:
            return index
    text = swap.text[slice(*swap.adjective)]
    raise AnalysisError(f"{template!r}: {text!r} is not one word to the parser: choose an adjective of one word.")
