"""Pipelines from one ``.safetensors`` file, as artists share them; their configuration comes from this machine too.

Such a file holds weights alone. What to build of them is read from a folder in diffusers' layout: the folder beside
the file that has its name without the suffix, or else the one downloaded from the hub repository that diffusers takes
for the file's kind.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import diffusers
from diffusers.loaders.single_file_utils import fetch_diffusers_config
from huggingface_hub import snapshot_download
from safetensors.torch import load_file

from attribution.errors import PipelineError


def is_single_file(name: str) -> bool:
    """Whether ``name`` is meant as one file of weights."""
    return Path(name).suffix in {".safetensors", ".ckpt"}


def load_single_file(path: Path, options: dict[str, Any]) -> Any:
    """The pipeline whose weights are in ``path``; ``options`` go to diffusers' ``from_single_file``.

    Raises PipelineError when the file is missing or a pickle, or when its configuration is not on this machine.
    """
    if path.suffix == ".ckpt":
        raise PipelineError(f"{path} is a pickle; get the model as safetensors, or convert it first")
    if not path.is_file():
        raise PipelineError(f"no file {path}: download it first, and pass the path to where it is")
    config = _config(path)
    name = json.loads((config / "model_index.json").read_text(encoding="utf-8")).get("_class_name")
    pipeline_class = getattr(diffusers, str(name), None)
    if not hasattr(pipeline_class, "from_single_file"):
        raise PipelineError(f"{config / 'model_index.json'}: a {name} cannot be loaded from a single file")
    return pipeline_class.from_single_file(str(path), config=str(config), **options)  # type: ignore[union-attr]


def _config(path: Path) -> Path:
    """The folder that says what to build of the weights in ``path``."""
    beside = path.with_suffix("")
    if (beside / "model_index.json").is_file():
        return beside
    repository = _repository(path)
    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
    except (OSError, ValueError):
        folder = Path()
    if (folder / "model_index.json").is_file() and folder != Path():
        return folder
    raise PipelineError(
        f"{path} needs the configuration of its kind of model. With a network, fetch it once: "
        f"`hf download {repository} --include '*.json' --include '*.txt' --local-dir {beside}`"
    )


def _repository(path: Path) -> str:
    """The hub repository that has the configuration for this kind of weights, by diffusers' own table."""
    try:
        return str(fetch_diffusers_config(load_file(path))["pretrained_model_name_or_path"])
    except Exception as error:  # the file is a stranger's: safetensors and diffusers raise whatever it provokes
        raise PipelineError(f"{path} is not a file of a pipeline's weights: {error}") from error
