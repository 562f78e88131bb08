"""From captions to a draft study: read, parse, draw word-prompt pairs by tag, store."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from annotation_site.stimuli.recipes import store_recipe
from annotation_site.studies.building import Stimulus, build_study, refuse_taken
from annotation_site.studies.models import Study
from attribution import records
from attribution.language.captions import Caption, load_captions
from attribution.language.parser import Parser, load_parser
from attribution.language.sampling import Sample, sample_pairs

TINYWORLD = "tinyworld"
# A study that people are to judge begins with instructions; one without is a choice to be made.
INSTRUCTED: dict[str, Any] = {"instructions_shown": True}
TINYWORLD_CAPTIONS = 3000  # enough for 200 pairs of its rarest tag


@dataclass(frozen=True)
class Draw:
    """What is drawn: how many pairs of how many tags, from which seed, at most ``cap_per_word`` of one word."""

    per_tag: int
    seed: int
    tags: int = 14
    cap_per_word: int | None = None
    allow_fewer: bool = False


def read_captions(source: str, *, seed: int) -> list[Caption]:
    """The captions of a file, or as many of the tiny world's grammar as a study needs, drawn by the seed."""
    if source != TINYWORLD:
        return load_captions(source)
    from attribution import tinyworld

    drawn = tinyworld.captions(TINYWORLD_CAPTIONS, seed)
    return [Caption(text, str(number)) for number, text in enumerate(dict.fromkeys(c.text for c in drawn))]


def describe_source(source: str) -> dict[str, str]:
    """What identifies the captions later: the file's name and hash, or the grammar's name."""
    if source == TINYWORLD:
        return {"source": TINYWORLD}
    path = Path(source)
    return {"source": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def parse(parser: Parser, captions: list[Caption]) -> Iterable[records.Prompt]:
    """The captions as parsed prompts, with a progress bar."""
    yield from tqdm(parser.parse_captions(captions), total=len(captions), unit="caption", desc="parsing", leave=False)


def some(captions: list[Caption], most: int, *, seed: int) -> list[Caption]:
    """At most so many of the captions, in their order, drawn by the seed where there are more."""
    if len(captions) <= most:
        return captions
    return [captions[at] for at in sorted(random.Random(seed).sample(range(len(captions)), most))]  # noqa: S311


def sample_study(
    *,
    source: str,
    slug: str,
    title: str,
    draw: Draw,
    recipe: records.Recipe,
    pipeline: str = "",
    most_captions: int | None = None,
    **settings: Any,
) -> tuple[Study, Sample]:
    """Draw pairs from the captions of ``source`` and store them as a draft study with queued generations.

    Of more captions than ``most_captions`` so many are read, drawn by the seed.
    """
    refuse_taken(slug)
    parser = load_parser(pipeline or None)
    given = read_captions(source, seed=draw.seed)
    captions = given if most_captions is None else some(given, most_captions, seed=draw.seed)
    sample = sample_pairs(parse(parser, captions), **asdict(draw))
    origin, parsed_by = describe_source(source), f"{parser.name} {parser.version}"
    drawn = {**asdict(draw), "captions": len(captions), "captions_given": len(given), "parser": parsed_by}
    study = build_study(
        slug=slug,
        title=title,
        kind=Study.Kind.LIKERT,
        stimuli=[Stimulus(pair.prompt, pair.index) for pair in sample.pairs],
        recipe=store_recipe(recipe),
        seed=draw.seed,
        source=origin["source"],
        parser=parsed_by,
        sampling={**origin, **drawn, "table": [asdict(row) for row in sample.table]},
        **{**INSTRUCTED, **settings},
    )
    return study, sample


def presence_study(*, slug: str, title: str, prompts: int, seed: int, recipe: records.Recipe, **settings: Any) -> Study:
    """A draft presence study of the tiny world: ``a X and a Y``, half cohyponyms, half not."""
    from attribution.tinyworld import presence_prompts

    parser = load_parser(settings.pop("pipeline", None) or None)
    drawn = presence_prompts(prompts, seed)
    stimuli = []
    for parsed, wanted in zip(parser.parse([prompt.text for prompt in drawn]), drawn, strict=True):
        first, second = (_index_of(parsed, start, end) for _, start, end in wanted.nouns)
        stimuli.append(Stimulus(parsed, first, second_word=second, condition=wanted.condition))
    return build_study(
        slug=slug,
        title=title,
        kind=Study.Kind.PRESENCE,
        stimuli=stimuli,
        recipe=store_recipe(recipe),
        seed=seed,
        source=TINYWORLD,
        parser=f"{parser.name} {parser.version}",
        sampling={"source": TINYWORLD, "prompts": prompts, "seed": seed},
        **{**INSTRUCTED, **settings},
    )


def _index_of(prompt: records.Prompt, start: int, end: int) -> int:
    return next(index for index, word in enumerate(prompt.words) if (word.start, word.end) == (start, end))
