"""``python -m attribution prompts SET --out FILE``, and ``ontology``, which makes groups of nouns for it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from attribution.errors import SamplingError
from attribution.records import Prompt

DESCRIPTION = """\
Make the prompts of an analysis: one a line in the file given, for `python -m attribution maps --file`, and one a line
with all that is known of it in FILE.jsonl. The same input and --seed give the same prompts.

coco-gen    captions that have a noun, at random (needs --captions)
unreal-gen  the captions that coco-gen draws with the same --seed, their nouns swapped for others of the corpus
cohyponyms  "a(n) X and a(n) Y": half of nouns that share a hypernym, half of others, noun by noun matched"""


def add_commands(commands: Any) -> None:
    """Add ``prompts`` and ``ontology`` to the package's commands (an argparse object of sub-parsers)."""
    prompts = commands.add_parser(
        "prompts",
        help="make prompt sets: coco-gen, unreal-gen, cohyponyms",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    prompts.set_defaults(run=run)
    prompts.add_argument("set", choices=sorted(SETS), metavar="SET", help=", ".join(sorted(SETS)))
    prompts.add_argument("--out", type=Path, required=True, help="the text file to write")
    prompts.add_argument("--count", type=int, default=100, help="prompts (default: %(default)s)")
    prompts.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    prompts.add_argument(
        "--captions", type=Path, help="COCO's captions_*.json, a text file, or CSV with a column caption"
    )
    prompts.add_argument(
        "--at-least",
        type=int,
        default=3,
        help="unreal-gen: how often a noun is said in the captions (default: %(default)s)",
    )
    prompts.add_argument("--parser", help="a spaCy pipeline with Universal Dependencies (default: the shipped one)")
    prompts.add_argument("--ontology", default="coco", help="cohyponyms: coco, tinyworld, or a JSON file")
    _add_swaps(commands)
    ontology = commands.add_parser("ontology", help="group nouns by their hypernyms in a local WordNet database")
    ontology.set_defaults(run=make_ontology)
    ontology.add_argument("nouns", type=Path, help="a text file with a noun a line")
    ontology.add_argument("--wordnet", type=Path, required=True, help="the folder of index.noun and data.noun")
    ontology.add_argument(
        "--reach", type=int, default=3, help="steps up within which nouns meet (default: %(default)s)"
    )
    ontology.add_argument("--out", type=Path, required=True, help="the JSON file to write, for --ontology")


def _add_swaps(commands: Any) -> None:
    swaps = commands.add_parser("swaps", help="draw sets of prompts that differ in one adjective, from the same seeds")
    swaps.set_defaults(run=draw)
    swaps.add_argument(
        "templates",
        nargs="+",
        metavar="SET",
        help="such as 'a {rusty, metallic} shovel', or 'a {small, big} red [car]'",
    )
    swaps.add_argument("--out", type=Path, required=True, help="a folder; each image gets one of its own in it")
    swaps.add_argument(
        "--replay", action="store_true", help="draw all but the first by the first one's cross-attention"
    )
    swaps.add_argument("--model", default="tinyworld", help="a shipped model, a folder, or a downloaded hub id")
    swaps.add_argument("--revision", default="", help="the commit, tag or branch of a hub id")
    swaps.add_argument("--steps", type=int, help="inference steps (default: the model's usual)")
    swaps.add_argument("--seeds", type=int, default=1, help="how many seeds (default: %(default)s)")
    swaps.add_argument("--seed", type=int, default=0, help="the first seed (default: %(default)s)")
    swaps.add_argument("--device", help="where to compute (default: a CUDA device where there is one)")


def draw(options: argparse.Namespace) -> None:
    """The ``swaps`` command; its folder is for ``analyse adjectives``."""
    from attribution import load_pipeline
    from attribution.presets import preset
    from attribution.swaps import draw_swaps, swap_prompts

    total = sum(len(swap_prompts(template)) for template in options.templates) * options.seeds
    usual = preset(options.model, options.revision).recipe
    revision = options.revision or None
    pipeline = load_pipeline(options.model, device=options.device, dtype=usual.dtype, revision=revision)
    call = {"num_inference_steps": options.steps or usual.steps, "guidance_scale": usual.guidance}
    seeds = range(options.seed, options.seed + options.seeds)
    drawn = draw_swaps(pipeline, options.templates, seeds, options.out, replay=options.replay, **call)
    for _ in tqdm(drawn, total=total, unit="image", disable=not sys.stderr.isatty()):
        pass
    sys.stdout.write(f"{total} images in {options.out}\n")


def run(options: argparse.Namespace) -> None:
    """The ``prompts`` command."""
    rows = SETS[options.set](options)
    _write(options.out, [row["text"] for row in rows])
    _write(options.out.with_name(f"{options.out.name}.jsonl"), [json.dumps(row, ensure_ascii=False) for row in rows])
    sys.stdout.write(f"{len(rows)} prompts in {options.out}\n")


def make_ontology(options: argparse.Namespace) -> None:
    """The ``ontology`` command."""
    from attribution.wordnet import ontology_of

    nouns = list(dict.fromkeys(line.strip() for line in options.nouns.read_text(encoding="utf-8").splitlines()))
    made = ontology_of([noun for noun in nouns if noun], options.wordnet, options.reach)
    _write(options.out, [made.to_json()])
    sys.stdout.write(f"{len(made.groups)} groups of {sum(map(len, made.groups.values()))} nouns in {options.out}\n")


def _coco(options: argparse.Namespace) -> list[dict[str, Any]]:
    from attribution.language.unreal import choose

    chosen = choose(_parsed(options), options.count, options.seed)
    return [{"text": prompt.text, "source_id": prompt.source_id} for prompt in chosen]


def _unreal(options: argparse.Namespace) -> list[dict[str, Any]]:
    from attribution.language.unreal import Nouns, choose, unreal

    corpus = list(_parsed(options))
    chosen = choose(corpus, options.count, options.seed)
    made = unreal(chosen, Nouns.of(corpus, options.at_least), options.seed)
    return [
        {"text": one.prompt.text, "source_id": one.prompt.source_id, "original": one.original, "swaps": one.swaps}
        for one in made
    ]


def _cohyponyms(options: argparse.Namespace) -> list[dict[str, Any]]:
    from attribution.ontology import noun_pairs
    from attribution.report.command import ontology_named

    pairs = noun_pairs(ontology_named(options.ontology), options.count, options.seed)
    return [{"text": pair.text, "condition": pair.condition, "nouns": pair.nouns} for pair in pairs]


def _parsed(options: argparse.Namespace) -> Iterable[Prompt]:
    from attribution.language import load_captions, load_parser

    if not options.captions:
        raise SamplingError(f"{options.set} draws from captions: give --captions FILE")
    captions = load_captions(options.captions)
    prompts = load_parser(options.parser).parse_captions(captions)
    shown: Iterable[Prompt] = tqdm(
        prompts, desc="parsing", total=len(captions), unit="caption", disable=not sys.stderr.isatty()
    )
    return shown


def _write(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


SETS: dict[str, Callable[[argparse.Namespace], list[dict[str, Any]]]] = {
    "coco-gen": _coco,
    "cohyponyms": _cohyponyms,
    "unreal-gen": _unreal,
}
