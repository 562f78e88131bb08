"""Loading a pipeline from one file in the layout of the original Stable Diffusion, and what its absence says."""

from __future__ import annotations

import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

import attribution
from attribution.daam import single_file
from attribution.errors import PipelineError
from attribution.presets import fingerprint, preset

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
"""The names of a residual block's parts in diffusers, and in the original program."""
UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
VAE = {
    "mid_block.attentions.0.group_norm": "mid.attn_1.norm",
    "mid_block.attentions.0.to_q": "mid.attn_1.q",
    "mid_block.attentions.0.to_k": "mid.attn_1.k",
    "mid_block.attentions.0.to_v": "mid.attn_1.v",
    "mid_block.attentions.0.to_out.0": "mid.attn_1.proj_out",
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "conv_norm_out": "norm_out",
    "conv_shortcut": "nin_shortcut",
    "downsamplers.0": "downsample",
    "upsamplers.0": "upsample",
    ".resnets.": ".block.",
}


def original_unet_name(name: str, attentive: set[str]) -> str:
    """The original program numbers input and output blocks through: two a level here, a layer and the resampling."""
    for ours, theirs in UNET.items():
        name = name.replace(ours, theirs, 1) if name.startswith(ours) else name
    name = re.sub(r"^mid_block\.resnets\.(\d)", lambda m: f"middle_block.{2 * int(m[1])}", name)
    name = name.replace("mid_block.attentions.0", "middle_block.1")
    name = re.sub(
        r"^down_blocks\.(\d)\.downsamplers\.0\.conv", lambda m: f"input_blocks.{2 * int(m[1]) + 2}.0.op", name
    )
    name = re.sub(
        r"^up_blocks\.(\d)\.upsamplers\.0",
        lambda m: f"output_blocks.{2 * int(m[1]) + 1}.{1 + (f'up_blocks.{m[1]}' in attentive)}",
        name,
    )
    for blocks, original, first in (("down_blocks", "input_blocks", 1), ("up_blocks", "output_blocks", 0)):
        for kind, place in (("resnets", 0), ("attentions", 1)):
            name = re.sub(
                rf"^{blocks}\.(\d)\.{kind}\.(\d)",
                lambda m, o=original, f=first, p=place: f"{o}.{2 * int(m[1]) + int(m[2]) + f}.{p}",
                name,
            )
    if ".attn" not in name and "transformer_blocks" not in name:
        for ours, theirs in RESNET.items():
            name = re.sub(rf"(blocks?\.\d+(?:\.0)?)\.{ours}\.", rf"\1.{theirs}.", name)
    return f"model.diffusion_model.{name}"


def original_vae_name(name: str, levels: int) -> str:
    name = name.replace("down_blocks", "down")
    name = re.sub(r"up_blocks\.(\d)", lambda m: f"up.{levels - 1 - int(m[1])}", name)
    for ours, theirs in VAE.items():
        name = name.replace(ours, theirs)
    return f"first_stage_model.{name}"


def original_weights(pipeline: StableDiffusionPipeline) -> dict[str, Tensor]:
    unet: nn.Module = pipeline.unet
    attentive = {
        name[: len("up_blocks.0")] for name in unet.state_dict() if re.match(r"up_blocks\.\d\.attentions", name)
    }
    weights = {original_unet_name(name, attentive): tensor for name, tensor in unet.state_dict().items()}
    weights |= {original_vae_name(name, 2): tensor for name, tensor in pipeline.vae.state_dict().items()}
    text = pipeline.text_encoder.state_dict()
    prefix = "cond_stage_model.transformer."
    inside = "" if any(name.startswith("text_model.") for name in text) else "text_model."
    weights |= {f"{prefix}{inside}{name}": tensor for name, tensor in text.items()}
    return {name: tensor.contiguous() for name, tensor in weights.items()}


@pytest.fixture(scope="module")
def model(shared_pipeline: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StableDiffusionPipeline]:
    """A file of weights, and beside it a folder of its name without weights; CLIP's width is how diffusers knows it."""
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("single") / "dream"
    text = shared_pipeline.text_encoder.config.to_dict() | {"hidden_size": 768, "intermediate_size": 16}
    unet = type(shared_pipeline.unet).from_config(shared_pipeline.unet.config, cross_attention_dim=768).eval()
    encoder = CLIPTextModel(CLIPTextConfig(**text)).eval()
    made = StableDiffusionPipeline(
        **{**shared_pipeline.components, "text_encoder": encoder, "unet": unet}, requires_safety_checker=False
    )
    made.set_progress_bar_config(disable=True)
    made.save_pretrained(folder)
    for weights in folder.rglob("*.safetensors"):
        weights.unlink()
    save_file(original_weights(made), folder.with_suffix(".safetensors"))
    return folder.with_suffix(".safetensors"), made


def test_a_single_file_is_the_pipeline_that_it_was_made_of(model: tuple[Path, Any]) -> None:
    path, made = model
    loaded = attribution.load_pipeline(path, device="cpu")
    for name in ("unet", "vae", "text_encoder"):
        theirs = getattr(made, name).state_dict()
        ours = getattr(loaded, name).state_dict()
        assert theirs.keys() == ours.keys()
        assert all(torch.equal(tensor, ours[key]) for key, tensor in theirs.items())
    options = {"height": 16, "width": 16, "num_inference_steps": 1, "output_type": "np"}
    first, second = (
        pipeline("a dog", generator=torch.Generator().manual_seed(3), **options).images for pipeline in (made, loaded)
    )
    assert (first == second).all()
    with attribution.trace(loaded) as tracer:
        loaded("a dog", **options)
    assert tracer.heat_maps()[0].word("dog").values.shape == (8, 8)


def test_a_recipe_of_a_single_file_knows_its_weights(model: tuple[Path, Any], tmp_path: Path) -> None:
    path, _ = model
    recipe = preset(str(path)).recipe
    assert recipe.revision == fingerprint(path)
    other = tmp_path / path.name
    other.write_bytes(path.read_bytes()[:-1] + b"?")
    assert preset(str(other)).recipe.revision != recipe.revision


def test_without_its_configuration_it_says_what_to_fetch_and_where_to(
    model: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Path(shutil.copy(model[0], tmp_path / "dream.safetensors"))
    download = partial(single_file.snapshot_download, cache_dir=tmp_path / "hub")
    monkeypatch.setattr(single_file, "snapshot_download", download)
    with pytest.raises(PipelineError, match=r"hf download [\w.-]+/[\w.-]+ .*--local-dir .*/dream`"):
        attribution.load_pipeline(alone)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "noise.safetensors").write_bytes(b"noise")
    with pytest.raises(PipelineError, match="not a file of a pipeline's weights"):
        attribution.load_pipeline(tmp_path / "noise.safetensors")
    with pytest.raises(PipelineError, match="download it first"):
        attribution.load_pipeline(tmp_path / "nothing.safetensors")
