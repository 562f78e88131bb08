"""What is known of a model before it is loaded: its name on pages, whether it is trained, its usual recipe.

A model folder may say so itself in an ``attest.json`` (keys ``title``, ``trained``, ``licence``, ``note``, ``recipe``).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attribution.errors import PipelineError
from attribution.records import Recipe

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
SHIPPED = {"tinyworld": FIXTURES / "tinyworld"}
RECIPE_KEYS = {"steps", "guidance", "height", "width", "scheduler", "dtype"}


@dataclass(frozen=True, slots=True)
class Preset:
    """A model as pages name it, with the recipe that it is used with unless told otherwise."""

    title: str
    trained: bool
    recipe: Recipe
    licence: str = ""
    note: str = ""


def model_folder(model: str) -> Path | None:
    """The local folder of a shipped model or of a path; None for a hub id."""
    if model in SHIPPED:
        return SHIPPED[model]
    return Path(model) if Path(model).is_dir() else None


def model_files(model: str) -> Path | None:
    """Where a model's files are, if its name says so: its folder or its ``.safetensors`` file; None for a hub id."""
    path = Path(model)
    return path if path.suffix == ".safetensors" and path.is_file() else model_folder(model)


def downloaded(model: str) -> Path | None:
    """The folder in which ``hf download`` put a hub id, as huggingface_hub finds it; None where it did not.

    By the files alone: that library is not installed where only pages are served.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    hub = Path(os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or home) / "hub")
    repository = hub / f"models--{model.replace('/', '--')}"
    branch = repository / "refs" / "main"
    if not branch.is_file():
        return None
    snapshot = repository / "snapshots" / branch.read_text(encoding="utf-8").strip()
    return snapshot if snapshot.is_dir() else None


def missing_parts(folder: Path) -> list[str]:
    """What a folder in diffusers' layout lacks of what its ``model_index.json`` names; that file itself if it has none.

    A part is there with its files, a network among them with its weights. No safety checker is ever loaded.
    """
    try:
        index: dict[str, Any] = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ["model_index.json"]
    parts = [name for name, value in index.items() if isinstance(value, list) and value[0] and name != "safety_checker"]
    return [name for name in parts if not _is_whole(folder / name)]


def _is_whole(part: Path) -> bool:
    is_network = (part / "config.json").is_file()
    return any(part.glob("*.safetensors")) if is_network else part.is_dir() and any(part.iterdir())


def fingerprint(files: Path) -> str:
    """What identifies the weights of a folder or a file: 12 hex digits of a hash over the files' names and sizes, and
    over the content of all but the largest (of those over 64 MiB the first and the last MiB).

    Raises PipelineError when they cannot be read.
    """
    try:
        return _fingerprint(files)
    except OSError as error:
        raise PipelineError(f"the weights in {files} cannot be read: {error}") from error


def _fingerprint(files: Path) -> str:
    digest = hashlib.sha256()
    inside = [files] if files.is_file() else files.rglob("*")
    for path in sorted(path for path in inside if path.is_file() and path.suffix in {".json", ".safetensors"}):
        size = path.stat().st_size
        name = path.name if files.is_file() else path.relative_to(files).as_posix()
        digest.update(f"{name} {size}\n".encode())
        with path.open("rb") as file:
            if size <= 64 * 2**20:
                digest.update(file.read())
            else:
                digest.update(file.read(2**20))
                file.seek(-(2**20), os.SEEK_END)
                digest.update(file.read())
    return digest.hexdigest()[:12]


def preset(model: str, revision: str = "") -> Preset:
    """The preset of a shipped name, a folder or a hub id.

    Without an ``attest.json`` the recipe is the paper's (Tang et al. 2023, section 2: 512x512 pixels, 30 steps) with
    diffusers' usual guidance of 7.5. Raises PipelineError when the file is there but cannot be used.
    """
    folder, files = model_folder(model), model_files(model)
    if files is not None and files.exists():
        # Weights may change under their name, and a recipe stands for what it drew.
        revision = fingerprint(files)
    card = folder / "attest.json" if folder else None
    if card is None or not card.is_file():
        return Preset(title=model, trained=True, recipe=Recipe(model=model, revision=revision))
    try:
        values: dict[str, Any] = json.loads(card.read_text(encoding="utf-8"))
        recipe = {key: value for key, value in values.get("recipe", {}).items() if key in RECIPE_KEYS}
        return Preset(
            title=str(values["title"]),
            trained=bool(values["trained"]),
            recipe=Recipe(model=model, revision=revision, **recipe),
            licence=str(values.get("licence", "")),
            note=str(values.get("note", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PipelineError(f"{card} is not a usable model description ({error!r}): repair or remove it.") from error
