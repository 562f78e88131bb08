"""The command line of the package; what loads torch is imported only once a command runs."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from attribution.errors import AttributionError
from attribution.maps.colours import COLOUR_MAPS
from attribution.presets import preset
from attribution.records import Recipe

if TYPE_CHECKING:
    from attribution.daam.generate import Drawn


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; the chosen command's function is its ``run``."""
    top = argparse.ArgumentParser(prog="python -m attribution", description="Word heat maps of text-to-image models.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    maps = commands.add_parser("maps", help="draw prompts, and the heat map of each of their words")
    maps.set_defaults(run=draw_maps)
    maps.add_argument("prompts", nargs="*", metavar="PROMPT", help="what to draw")
    maps.add_argument("--file", type=Path, help="a text file with one more prompt a line")
    maps.add_argument("--out", type=Path, required=True, help="a folder; each prompt gets one of its own in it")
    maps.add_argument("--model", default="tinyworld", help="a shipped model, a folder, or a downloaded hub id")
    maps.add_argument("--revision", default="", help="the commit, tag or branch of a hub id")
    maps.add_argument("--steps", type=int, help="inference steps (default: the model's usual)")
    maps.add_argument("--guidance", type=float, help="guidance scale (default: the model's usual)")
    maps.add_argument("--height", type=int, help="pixels (default: the model's own)")
    maps.add_argument("--width", type=int, help="pixels (default: the model's own)")
    maps.add_argument("--scheduler", help="a diffusers scheduler class (default: the model's own)")
    maps.add_argument("--dtype", help="float32, float16 or bfloat16 (default: the model's usual)")
    maps.add_argument("--seed", type=int, default=0, help="the first prompt's; each next one counts up")
    maps.add_argument("--device", help="where to compute (default: a CUDA device where there is one)")
    maps.add_argument("--batch-size", type=int, default=4, help="prompts drawn together (default: %(default)s)")
    maps.add_argument("--colours", choices=COLOUR_MAPS, default=COLOUR_MAPS[0], help="(default: %(default)s)")
    return top


def draw_maps(options: argparse.Namespace) -> None:
    """The ``maps`` command: image, overlays, contact sheet and map files for each prompt."""
    prompts = _prompts(options)
    from attribution import generate, load_pipeline

    usual = preset(options.model, options.revision).recipe
    dtype = options.dtype or usual.dtype
    pipeline = load_pipeline(options.model, device=options.device, dtype=dtype, revision=options.revision or None)
    recipe = _recipe(options, usual, pipeline)
    seeds = range(options.seed, options.seed + len(prompts))
    drawn = generate(pipeline, recipe, prompts, seeds, batch_size=options.batch_size)
    for number, image in enumerate(_progress(drawn, len(prompts))):
        folder = options.out / f"{number:03}-{_slug(prompts[number])}"
        _write(folder, image, options.colours)
        tqdm.write(str(folder), file=sys.stdout)


def _prompts(options: argparse.Namespace) -> list[str]:
    lines = options.file.read_text(encoding="utf-8").splitlines() if options.file else []
    prompts = [*options.prompts, *(line.strip() for line in lines if line.strip())]
    if not prompts:
        raise AttributionError("nothing to draw: give a prompt, or --file with one a line")
    return prompts


def _recipe(options: argparse.Namespace, usual: Recipe, pipeline: Any) -> Recipe:
    """What the options say; else the model's own size, and else what is usual for the model."""
    side = pipeline.unet.config.sample_size * pipeline.vae_scale_factor
    names = ("steps", "guidance", "height", "width", "scheduler", "dtype")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return replace(usual, **{"height": side, "width": side, **given})


def _write(folder: Path, drawn: Drawn, colours: str) -> None:
    """``image.png``, ``maps.npz`` and ``maps.json``, ``sheet.png``, and ``01-dog.png`` and so on for the words."""
    from attribution.maps.sheet import contact_sheet

    folder.mkdir(parents=True, exist_ok=True)
    words = drawn.heat_maps.words()
    drawn.image.save(folder / "image.png")
    drawn.heat_maps.save(folder / "maps")
    contact_sheet(drawn.image, words, colours).save(folder / "sheet.png")
    for number, word in enumerate(words, start=1):
        word.overlay(drawn.image, colours).save(folder / f"{number:02}-{_slug(word.text)}.png")


def _progress(drawn: Iterable[Drawn], total: int) -> Iterator[Drawn]:
    yield from tqdm(drawn, total=total, unit="image", disable=None)


def _slug(text: str) -> str:
    """A short file name that still reads like ``text``, in any script."""
    return re.sub(r"\W+", "-", text.lower()).strip("-")[:40] or "untitled"
