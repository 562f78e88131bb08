"""Loading: what works without a network, and what the errors tell who has none."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from logging import getLogger
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.utils import logging

import attribution
from attribution.daam import pipelines
from attribution.errors import PipelineError
from attribution.records import Recipe


@pytest.fixture(scope="module")
def saved(shared_pipeline: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    shared_pipeline.save_pretrained(folder)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def test_a_folder_loads_as_it_was_saved(saved: Path, shared_pipeline: Any) -> None:
    advice = getLogger("transformers.utils.import_utils")
    before = logging.is_progress_bar_enabled(), list(advice.filters)
    loaded = attribution.load_pipeline(saved)
    assert (logging.is_progress_bar_enabled(), advice.filters) == before
    assert type(loaded) is type(shared_pipeline)
    assert loaded.progress_bar([1]).disable
    for name in ("unet", "vae", "text_encoder"):
        theirs = getattr(shared_pipeline, name).state_dict()
        assert all(torch.equal(tensor, theirs[key]) for key, tensor in getattr(loaded, name).state_dict().items())


@pytest.mark.parametrize("dtype", [torch.bfloat16, "bfloat16"])
def test_every_component_has_the_dtype_asked_for(saved: Path, dtype: Any) -> None:
    loaded = attribution.load_pipeline(str(saved), dtype=dtype, device="cpu")
    assert {component.dtype for component in (loaded.unet, loaded.vae, loaded.text_encoder)} == {torch.bfloat16}


def test_files_in_half_are_loaded_in_float32(copy: Path, shared_pipeline: Any) -> None:
    """transformers would keep the text encoder in half, and the U-Net would refuse its embeddings."""
    loaded = attribution.load_pipeline(copy, dtype="float16")
    loaded.save_pretrained(copy / "half")
    again = attribution.load_pipeline(copy / "half")
    assert {component.dtype for component in (again.unet, again.vae, again.text_encoder)} == {torch.float32}
    again("a dog", height=16, width=16, num_inference_steps=1)


def test_a_safety_checker_is_left_out(copy: Path) -> None:
    index = copy / "model_index.json"
    content = json.loads(index.read_text())
    content["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index.write_text(json.dumps(content))
    assert attribution.load_pipeline(copy).safety_checker is None


def test_a_model_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(PipelineError, match=r"hf download someone/some-model --revision abc123`.*--local-dir FOLDER"):
        attribution.load_pipeline("someone/some-model", revision="abc123")


@pytest.mark.parametrize("name", ["", "no such: name", "a/b/c", "../x"])
def test_what_is_no_model_at_all(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PipelineError):
        attribution.load_pipeline(name)


def test_the_shipped_model_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(pipelines.SHIPPED, "tinyworld", tmp_path / "gone")
    with pytest.raises(PipelineError, match="shipped model 'tinyworld' is not at"):
        attribution.load_pipeline("tinyworld")


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_a_folder_that_is_no_pipeline(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "model_index.json").write_text(content)
    with pytest.raises(PipelineError, match=r"model_index\.json"):
        attribution.load_pipeline(tmp_path)


def test_pickles_are_refused(copy: Path) -> None:
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(PipelineError, match="is a pickle"):
        attribution.load_pipeline(copy)


def test_damaged_weights_are_an_error_of_ours(copy: Path) -> None:
    (copy / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"not tensors")
    with pytest.raises(PipelineError, match="cannot be loaded"):
        attribution.load_pipeline(copy)


def test_missing_weights_are_an_error_of_ours(copy: Path) -> None:
    (copy / "text_encoder" / "model.safetensors").unlink()
    with pytest.raises(PipelineError, match="cannot be loaded"):
        attribution.load_pipeline(copy)


def test_unknown_dtypes_name_the_known(saved: Path) -> None:
    with pytest.raises(PipelineError, match="float32, float16, bfloat16"):
        attribution.load_pipeline(saved, dtype="int8")


def test_a_hub_id_is_pinned_to_the_commit_that_is_here(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `hf download` leaves it: a folder a commit, and a file that says which commit a branch is at."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(saved, tmp_path / "models--someone--some-model" / "snapshots" / commit)
    (tmp_path / "models--someone--some-model" / "refs").mkdir()
    (tmp_path / "models--someone--some-model" / "refs" / "main").write_text(commit)
    download = partial(pipelines.snapshot_download, cache_dir=tmp_path)
    monkeypatch.setattr(pipelines, "snapshot_download", download)
    recipe = Recipe("someone/some-model")
    assert pipelines.pinned(recipe) == replace(recipe, revision=commit)
    assert pipelines.pinned(replace(recipe, revision=commit)).revision == commit
    assert pipelines.pinned(Recipe("someone/else")) == Recipe("someone/else")
    assert pipelines.pinned(Recipe(str(saved), revision="abc")).revision == "abc"
    assert attribution.load_pipeline("someone/some-model", revision=commit).unet is not None
    with pytest.raises(PipelineError, match="hf download someone/some-model --revision v2"):
        attribution.load_pipeline("someone/some-model", revision="v2")


@pytest.mark.parametrize("device", ["cuda:99", "no-such-device"])
def test_a_device_that_is_not_there_is_an_error_of_ours(saved: Path, device: str) -> None:
    with pytest.raises(PipelineError, match=f"cannot be moved to the device '{device}'"):
        attribution.load_pipeline(saved, device=device)


def test_a_model_that_does_not_fit_the_device_says_what_would(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(pipelines.DiffusionPipeline, "to", full)
    with pytest.raises(PipelineError, match=r"does not fit into the memory of cpu: .* float16 or bfloat16"):
        attribution.load_pipeline(saved, device="cpu")
