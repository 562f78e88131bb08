"""``python -m attribution analyse KIND FOLDER --out DIR``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attribution.analysis.overlap import PAPER, Threshold
from attribution.analysis.relations import CONVENTIONS
from attribution.errors import AnalysisError
from attribution.generations import Parse, Reader
from attribution.report import prompts

if TYPE_CHECKING:
    from attribution.ontology import Ontology
    from attribution.report.run import Job

DESCRIPTION = """\
Analyse a folder of generations: what `python -m attribution maps` or the site's worker wrote.

adjectives  how much of what a swapped adjective changes lies outside its noun (on what `swaps` drew)
cohyponyms  how much the maps of two nouns overlap, in images of prompts "a(n) X and a(n) Y"
objects     how well the maps of nouns cover what a segmentation marks (needs --truth)
syntax      what the maps of heads and their dependents share, relation by relation
intensity   how much of the image words mark, by part of speech

Each image is measured once, into OUT/records.jsonl; a run that was stopped goes on where it stopped, and new images are
added. The page is OUT/index.html; beside it lie report.json, rows.csv and the figure."""


def add_commands(commands: Any) -> None:
    """Add ``analyse``, ``prompts`` and ``ontology`` to the package's commands (an argparse object of sub-parsers)."""
    prompts.add_commands(commands)
    parser = commands.add_parser(
        "analyse",
        help="analyse a folder of generations: adjectives, cohyponyms, objects, syntax, intensity",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("kind", choices=sorted(JOBS), metavar="KIND", help=", ".join(sorted(JOBS)))
    parser.add_argument("folder", type=Path, help="the folder of generations; folders below it are read too")
    parser.add_argument("--out", type=Path, required=True, help="where the report goes")
    add_options(parser)
    parser.add_argument("--answers", type=Path, help="cohyponyms: CSV with generation and right (1 or 0), by people")
    parser.add_argument("--parser", help="a spaCy pipeline with Universal Dependencies (default: the shipped one)")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that analyses take wherever their images come from; :data:`JOBS` make jobs of them."""
    hard = parser.add_mutually_exclusive_group()
    hard.add_argument("--tau", type=float, help=f"hard maps: share of the map's largest value (default: {PAPER.value})")
    hard.add_argument("--absolute", type=float, help="hard maps: above this on raw maps (the authors' later run: 0.15)")
    hard.add_argument("--soft", action="store_true", help="syntax: compare maps as they are, without a threshold")
    parser.add_argument(
        "--subtypes", choices=CONVENTIONS, default=CONVENTIONS[0], help="syntax: labels (default: %(default)s)"
    )
    parser.add_argument(
        "--truth",
        metavar="SEGMENTER",
        help="objects: masks to compare with: files:FOLDER (FOLDER/GENERATION/NOUN.png), "
        "mask2former, clipseg (each also :CHECKPOINT, an id or a folder), or tinyworld",
    )
    parser.add_argument(
        "--compare", metavar="SEGMENTER", action="append", default=[], help="objects: a further method; also box"
    )
    parser.add_argument(
        "--device", help="objects: where segmenters compute (default: a CUDA device where there is one)"
    )
    parser.add_argument(
        "--ontology",
        default="coco",
        help="cohyponyms: coco, tinyworld, or a JSON file with groups of nouns (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: %(default)s)")
    parser.add_argument("--again", action="store_true", help="forget the records in --out and measure anew")


def run(options: argparse.Namespace) -> None:
    """The ``analyse`` command: measure what is new, write the report, print its rows."""
    from attribution.report.page import write
    from attribution.report.run import analyse

    reader = _reader(options)
    report, tally = analyse(JOBS[options.kind](options), reader, options.out, again=options.again)
    paths = write(report, tally, options.out)
    sys.stdout.write(report.tables[0].as_text() + "\n")
    sys.stdout.write(f"{tally.measured} images measured, {tally.resumed} already there, {tally.skipped} skipped.\n")
    for broken in tally.named:
        sys.stdout.write(f"skipped: {broken.name}: {broken.reason}\n")
    sys.stdout.write(f"{paths[0]}\n")


def _reader(options: argparse.Namespace) -> Reader:
    return Reader(options.folder, parse_with(options.parser), options.parser or "shipped")


def parse_with(name: str | None) -> Parse:
    """A parse that loads its pipeline when the first prompt without words comes."""
    loaded: list[Any] = []

    def parse(texts: Any) -> Any:
        if not loaded:
            from attribution.language import load_parser

            loaded.append(load_parser(name))
        return loaded[0].parse(texts)

    return parse


def _threshold(options: argparse.Namespace) -> Threshold:
    if options.absolute is not None:
        return Threshold(options.absolute, "absolute")
    return PAPER if options.tau is None else Threshold(options.tau)


def _adjectives(options: argparse.Namespace) -> Job:
    from attribution.report.adjectives import AdjectivesJob

    return AdjectivesJob(_reader(options), _threshold(options), options.seed)


def _cohyponyms(options: argparse.Namespace) -> Job:
    from attribution.report.cohyponyms import CohyponymsJob, read_answers

    answers = read_answers(options.answers) if options.answers else {}
    return CohyponymsJob(ontology_named(options.ontology), _threshold(options), answers, options.seed)


def ontology_named(name: str) -> Ontology:
    """The ontology ``coco``, that of the tiny world, or one in a JSON file."""
    from attribution.ontology import COCO, Ontology, read_ontology

    if name == "tinyworld":
        from attribution.tinyworld.lexicon import GROUPS

        return Ontology(GROUPS)
    return COCO if name == "coco" else read_ontology(Path(name))


def _objects(options: argparse.Namespace) -> Job:
    from attribution.report.objects import ObjectsJob
    from attribution.segmentation import segmenter

    if not options.truth:
        raise AnalysisError(
            "objects are compared with masks: give --truth files:FOLDER, mask2former, clipseg, tinyworld"
        )
    compared = [segmenter(name, options.device) for name in options.compare]
    return ObjectsJob(segmenter(options.truth, options.device), compared, options.seed)


def _syntax(options: argparse.Namespace) -> Job:
    from attribution.report.syntax import SyntaxJob

    return SyntaxJob(_threshold(options), options.subtypes, options.soft, options.seed)


def _intensity(options: argparse.Namespace) -> Job:
    from attribution.report.intensity import IntensityJob

    return IntensityJob(_threshold(options), options.seed)


JOBS: dict[str, Callable[[argparse.Namespace], Job]] = {
    "adjectives": _adjectives,
    "cohyponyms": _cohyponyms,
    "intensity": _intensity,
    "objects": _objects,
    "syntax": _syntax,
}
