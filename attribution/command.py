"""The command line of the package; what loads torch is imported only once a command runs."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from attribution.errors import AttributionError
from attribution.maps.colours import COLOUR_MAPS
from attribution.presets import preset
from attribution.records import Recipe
from attribution.report import command as analyses

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
    maps.add_argument(
        "--model",
        default="tinyworld",
        help="a shipped model, a folder, a .safetensors file, or a downloaded hub id (default: %(default)s)",
    )
    maps.add_argument("--revision", default="", help="the commit, tag or branch of a hub id")
    maps.add_argument("--steps", type=int, help="inference steps (default: the model's usual)")
    maps.add_argument("--guidance", type=float, help="guidance scale (default: the model's usual)")
    maps.add_argument("--height", type=int, help="pixels (default: the model's own)")
    maps.add_argument("--width", type=int, help="pixels (default: the model's own)")
    maps.add_argument("--scheduler", help="a diffusers scheduler class (default: the model's own)")
    maps.add_argument("--dtype", help="float32, float16 or bfloat16 (default: the model's usual)")
    maps.add_argument("--seed", type=int, default=0, help="the first prompt's; each next one counts up")
    maps.add_argument("--device", help="where to compute (default: a CUDA device where there is one)")
    maps.add_argument(
        "--method",
        default="daam",
        help="how maps are made: daam, concept-attention, other-word, blob, uniform (default: %(default)s)",
    )
    maps.add_argument("--overwrite", action="store_true", help="draw again what is there, whatever it was drawn by")
    maps.add_argument("--colours", choices=COLOUR_MAPS, default=COLOUR_MAPS[0], help="(default: %(default)s)")
    analyses.add_commands(commands)
    return top


def draw_maps(options: argparse.Namespace) -> None:
    """The ``maps`` command: image, overlays, contact sheet and map files for each prompt.

    What is there already, by the same recipe and seed, is left alone, so that a run can be stopped and gone on with.
    """
    prompts = _prompts(options)
    from attribution import generate, load_pipeline
    from attribution.daam.pipelines import pinned

    usual = preset(options.model, options.revision).recipe
    dtype = options.dtype or usual.dtype
    pipeline = load_pipeline(options.model, device=options.device, dtype=dtype, revision=options.revision or None)
    recipe = pinned(_recipe(options, usual, pipeline))
    jobs = [
        _Job(options.out / f"{number:03}-{_slug(prompt)}", prompt, options.seed + number, options.method)
        for number, prompt in enumerate(prompts)
    ]
    left = jobs if options.overwrite else [job for job in jobs if not job.is_done(recipe)]
    if len(left) < len(jobs):
        tqdm.write(f"{len(jobs) - len(left)} of {len(jobs)} are there already", file=sys.stderr)
    prompts, seeds = [job.prompt for job in left], [job.seed for job in left]
    drawn = generate(recipe, prompts, seeds, method=options.method, pipeline=pipeline)
    for job, result in zip(left, tqdm(drawn, total=len(left), unit="image", disable=None), strict=True):
        _write(job.folder, result, options.colours)
        tqdm.write(str(job.folder), file=sys.stdout)


@dataclass(frozen=True, slots=True)
class _Job:
    folder: Path
    prompt: str
    seed: int
    method: str

    def is_done(self, recipe: Recipe) -> bool:
        """Whether the folder is complete; raises AttributionError when it is, by another recipe, prompt or seed."""
        path = self.folder / "maps.json"
        if not path.is_file():
            return False
        try:
            found: Any = json.loads(path.read_text(encoding="utf-8"))
            same = (found["recipe"], found["prompt"], found["seed"]) == (asdict(recipe), self.prompt, self.seed)
            same = same and found.get("method", "daam") == self.method
        except (ValueError, KeyError, TypeError):
            same = False
        if not same:
            raise AttributionError(
                f"{self.folder} holds something else than {self.method} maps of {self.prompt!r} by this recipe with "
                f"seed {self.seed}: choose another --out, or pass --overwrite"
            )
        return True


def _prompts(options: argparse.Namespace) -> list[str]:
    lines = options.file.read_text(encoding="utf-8").splitlines() if options.file else []
    prompts = [*options.prompts, *(line.strip() for line in lines if line.strip())]
    if not prompts:
        raise AttributionError("nothing to draw: give a prompt, or --file with one a line")
    return prompts


def _recipe(options: argparse.Namespace, usual: Recipe, pipeline: Any) -> Recipe:
    """What the options say; else the model's own size, and else what is usual for the model."""
    cells = getattr(pipeline, "default_sample_size", None) or pipeline.unet.config.sample_size
    side = cells * pipeline.vae_scale_factor
    names = ("steps", "guidance", "height", "width", "scheduler", "dtype")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return replace(usual, **{"height": side, "width": side, **given})


def _write(folder: Path, drawn: Drawn, colours: str) -> None:
    """``image.png``, ``sheet.png``, ``01-dog.png`` and so on for the words, and last ``maps.npz`` and ``maps.json``."""
    from attribution.maps.sheet import contact_sheet

    folder.mkdir(parents=True, exist_ok=True)
    for before in (folder / "maps.json", *folder.glob("[0-9][0-9]-*.png")):
        before.unlink(missing_ok=True)
    words = drawn.heat_maps.words()
    drawn.image.save(folder / "image.png")
    contact_sheet(drawn.image, words, colours).save(folder / "sheet.png")
    for number, word in enumerate(words, start=1):
        word.overlay(drawn.image, colours).save(folder / f"{number:02}-{_slug(word.text)}.png")
    drawn.heat_maps.save(folder / "maps")


def _slug(text: str) -> str:
    """A short file name that still reads like ``text``, in any script."""
    return re.sub(r"\W+", "-", text.lower()).strip("-")[:40] or "untitled"
