"""The tiny world's networks, in the classes of Stable Diffusion, untrained; and how they are written to a folder."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from attribution.tinyworld.grammar import captions

TOKENS: Final = 32  # a caption's length in tokens, start and end included; longer ones are cut
WIDTH: Final = 128
_START, _END = "<|startoftext|>", "<|endoftext|>"


def new_tokenizer(samples: int = 4000) -> CLIPTokenizer:
    """A CLIP tokenizer whose merges are learned from the grammar's captions; its 256 byte units spell anything else."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=2048,
        min_frequency=2,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.pre_tokenizer = pre_tokenizers.Whitespace()
    learner.train_from_iterator((caption.text.lower() for caption in captions(samples, 0)), trainer)
    merges = json.loads(learner.to_str())["model"]["merges"]
    units = [*alphabet, *(unit + "</w>" for unit in alphabet), *("".join(pair) for pair in merges)]
    vocabulary = {unit: index for index, unit in enumerate(dict.fromkeys([*units, _START, _END]))}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
        lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
        (Path(folder) / "merges.txt").write_text("\n".join(lines) + "\n", "utf-8")
        return CLIPTokenizer.from_pretrained(folder, model_max_length=TOKENS, pad_token=_END, unk_token=_END)


def new_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """One causal layer: enough for a noun to know its adjectives, so little that the words stay apart."""
    end = tokenizer.eos_token_id
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=4,
        max_position_embeddings=TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=end,
        pad_token_id=end,
    )
    return CLIPTextModel(config)


def new_vae() -> AutoencoderKL:
    """64x64 pixels to 16x16 latents of eight channels."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(24, 48, 64),
        layers_per_block=1,
        latent_channels=8,
        norm_num_groups=8,
        sample_size=64,
        mid_block_add_attention=False,
    )


def new_unet() -> UNet2DConditionModel:
    """Cross-attention to the words at 16, 8 and 4 latent cells a side; no self-attention."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=8,
        out_channels=8,
        down_block_types=("CrossAttnDownBlock2D",) * 3,
        up_block_types=("CrossAttnUpBlock2D",) * 3,
        block_out_channels=(64, 128, 192),
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        attention_head_dim=4,  # diffusers reads this as the number of heads
        norm_num_groups=16,
        only_cross_attention=True,
        use_linear_projection=True,
    )


def new_scheduler() -> DDIMScheduler:
    """A cosine schedule rescaled to zero terminal signal, velocity prediction."""
    return DDIMScheduler(
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,  # without effect here, but the pipeline warns of any other value
    )


def use_plain_attention(unet: UNet2DConditionModel) -> None:
    """Plain matrix products: on a CPU the fused operator's backward pass takes longer than all else."""
    unet.set_attn_processor(AttnProcessor())


def assemble(
    vae: AutoencoderKL, tokenizer: CLIPTokenizer, text_encoder: CLIPTextModel, unet: UNet2DConditionModel
) -> StableDiffusionPipeline:
    """The parts as one pipeline, without a safety checker: a circle needs none."""
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def ship(pipeline: StableDiffusionPipeline, folder: Path, facts: dict[str, Any]) -> None:
    """Write ``pipeline`` to ``folder`` in half precision, with ``facts`` for readers in ``attest.json``."""
    pipeline.to(dtype=torch.float16)
    pipeline.save_pretrained(folder, safe_serialization=True)
    for path in folder.glob("*/config.json"):
        config = json.loads(path.read_text("utf-8"))
        config.pop("_name_or_path", None)  # where a part was loaded from is nobody's business
        path.write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)
    (folder / "attest.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
