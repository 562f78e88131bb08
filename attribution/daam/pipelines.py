"""Loading text-to-image pipelines from this machine's disk; nothing is ever downloaded."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from huggingface_hub import snapshot_download
from safetensors import SafetensorError
from transformers.utils import logging as transformers_logging

from attribution.daam.batches import is_out_of_memory
from attribution.daam.single_file import is_single_file, load_single_file
from attribution.errors import PipelineError
from attribution.presets import SHIPPED, fingerprint, model_files
from attribution.records import Recipe

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def load_pipeline(
    name_or_folder: str | Path,
    *,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    revision: str | None = None,
) -> Any:
    """A diffusers pipeline, ready to be traced: safetensors only, no safety checker, no progress bars.

    ``name_or_folder`` is a shipped name ("tinyworld"), a folder in diffusers' layout, a ``.safetensors`` file with a
    folder of its configuration (see :mod:`attribution.daam.single_file`), or a hub id that was downloaded before
    (``revision`` then pins a commit, tag or branch). ``device`` is a CUDA device where there is one, else the CPU;
    ``dtype`` is float32 unless given.

    Raises PipelineError, which says what to download and where to, when the files are not on this machine; and
    when they are there but cannot be loaded, or not onto the device.
    """
    torch_dtype = _dtype(dtype)
    with _quiet():
        try:
            pipeline = _loaded(str(name_or_folder), revision, torch_dtype)
        except (OSError, ValueError, RuntimeError, AttributeError, TypeError, KeyError, SafetensorError) as error:
            raise PipelineError(f"the pipeline in {name_or_folder} cannot be loaded: {error}") from error
    pipeline.set_progress_bar_config(disable=True)
    return _moved(pipeline, device or ("cuda" if torch.cuda.is_available() else "cpu"), name_or_folder)


def pinned(recipe: Recipe) -> Recipe:
    """The recipe with the commit that its hub id stands for on this machine; unchanged where that is not known."""
    if model_files(recipe.model) is not None:
        return recipe
    try:
        folder = snapshot_download(recipe.model, revision=recipe.revision or None, local_files_only=True)
    except (OSError, ValueError):
        return recipe
    return replace(recipe, revision=Path(folder).name)


def _moved(pipeline: Any, device: str | torch.device, name: str | Path) -> Any:
    try:
        return pipeline.to(device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for the device
        if is_out_of_memory(error):
            raise PipelineError(
                f"{name} does not fit into the memory of {device}: end what else uses it, or load it in float16 or "
                "bfloat16"
            ) from error
        raise PipelineError(f"{name} cannot be moved to the device {str(device)!r}: {error}") from error


def kept_pipeline(recipe: Recipe, device: str | torch.device | None = None) -> Any:
    """The pipeline of a recipe; the last one is kept, for batches of a recipe follow one another.

    Raises PipelineError as :func:`load_pipeline` does, and when the weights of a folder or file are no longer those
    of the recipe's ``revision``.
    """
    files = model_files(recipe.model)
    if files is not None and recipe.revision and fingerprint(files) != recipe.revision:
        raise PipelineError(
            f"the weights in {files} are no longer those that the recipe was made with ({recipe.revision}): put those "
            "back, or make a new recipe"
        )
    return _kept(recipe.model, recipe.revision, recipe.dtype, None if device is None else str(device))


@lru_cache(maxsize=1)
def _kept(model: str, revision: str, dtype: str, device: str | None) -> Any:
    return load_pipeline(model, revision=revision or None, dtype=dtype, device=device)


def _loaded(name: str, revision: str | None, dtype: torch.dtype) -> Any:
    if is_single_file(name):
        return load_single_file(Path(name), _options({"safety_checker": None}, dtype))
    folder = _folder(name, revision)
    index = _index(folder)
    _refuse_pickles(folder, index)
    return DiffusionPipeline.from_pretrained(folder, **_options(index, dtype))


def _options(index: dict[str, Any], dtype: torch.dtype) -> dict[str, Any]:
    # The dtype is always passed: otherwise transformers loads text encoders in the files' own, often half.
    options: dict[str, Any] = {"dtype": dtype, "use_safetensors": True, "local_files_only": True}
    if "safety_checker" in index:
        options |= {"safety_checker": None, "requires_safety_checker": False}
    return options


def _dtype(dtype: str | torch.dtype | None) -> torch.dtype:
    if isinstance(dtype, torch.dtype):
        return dtype
    if (dtype or "float32") not in DTYPES:
        raise PipelineError(f"no dtype {dtype!r} for a pipeline; choose from {', '.join(DTYPES)}")
    return DTYPES[dtype or "float32"]


def _folder(name: str, revision: str | None) -> Path:
    """Where the files of ``name`` are on this machine."""
    folder = SHIPPED.get(name, Path(name))
    if folder.is_dir():
        return folder
    if name in SHIPPED:
        raise PipelineError(f"the shipped model {name!r} is not at {folder}; restore it from the project's repository")
    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except (OSError, ValueError) as error:
        pin = f" --revision {revision}" if revision else ""
        raise PipelineError(
            f"no folder {name!r} and no downloaded model of that name. With a network, fetch it once: "
            f"`hf download {name}{pin}` puts it where this name finds it; with `--local-dir FOLDER` it goes into a "
            "folder, which can be passed instead of the name"
        ) from error


def _index(folder: Path) -> dict[str, Any]:
    path = folder / "model_index.json"
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PipelineError(f"{folder} is not a diffusers pipeline: {path.name} is missing or not JSON") from error
    if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
        raise PipelineError(f"{path} names no pipeline class in its field '_class_name'")
    return index


def _refuse_pickles(folder: Path, index: dict[str, Any]) -> None:
    """Weights as pickles run code when loaded."""
    for component in index:
        pickles = sorted((folder / component).glob("*.bin")) if component != "safety_checker" else []
        if pickles and not any((folder / component).glob("*.safetensors")):
            raise PipelineError(f"{pickles[0]} is a pickle; get the model as safetensors, or convert it first")


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars while loading, nor advice to install torchvision; the libraries' settings are restored."""
    libraries = (diffusers_logging, transformers_logging)
    shown = [library for library in libraries if library.is_progress_bar_enabled()]
    imports = logging.getLogger("transformers.utils.import_utils")
    imports.addFilter(_not_about_torchvision)
    for library in libraries:
        library.disable_progress_bar()
    try:
        yield
    finally:
        imports.removeFilter(_not_about_torchvision)
        for library in shown:
            library.enable_progress_bar()


def _not_about_torchvision(record: logging.LogRecord) -> bool:
    return "requires torchvision" not in record.getMessage()
