"""Stable Diffusion 3 and 3.5: joint attention of the picture's patches, which come first, and the prompt's tokens.

The prompt's axis is CLIP's 77 positions, each of which joins one token of either CLIP encoder as in Stable Diffusion
XL, and after them T5's ``max_sequence_length`` (256) positions. Without T5, which is optional, the latter are zeros
and belong to no word. A word owns its tokens on both; its map is the mean of theirs.

``prompt_3`` is T5's text, ``prompt_2`` that of the second CLIP encoder. Where ``prompt_3`` is another text, T5's
positions are its own, and it is the second prompt of the maps; else ``prompt_2`` is, where that is another text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from attribution.daam.families import prompts, transformer
from attribution.daam.families.base import Arguments, Family, Request, Run
from attribution.maps.alignment import Alignment, Token

NOTHING = Token("", 0, 0, special=True)


def request(pipeline: Any, arguments: Arguments) -> Request:
    """Read the arguments of ``encode_prompt``."""
    first, second, third = _axes(pipeline, arguments)
    made = Request(
        alignments=tuple(_joined(clip, t5) for clip, t5 in zip(first, third, strict=True)),
        images_per_prompt=arguments["num_images_per_prompt"] or 1,
        guided=bool(arguments["do_classifier_free_guidance"]),
    )
    if arguments["prompt_embeds"] is not None:
        return made
    if arguments["prompt_3"] and pipeline.text_encoder_3 is not None:
        others = tuple(_joined(_hidden(clip), t5) for clip, t5 in zip(first, third, strict=True))
        alone = tuple(_joined(clip, _hidden(t5)) for clip, t5 in zip(first, third, strict=True))
        return replace(made, alignments=alone, seconds=others)
    if arguments["prompt_2"]:
        return replace(made, seconds=tuple(_joined(clip, _hidden(t5)) for clip, t5 in zip(second, third, strict=True)))
    return made


def run(denoiser: Any, arguments: Arguments, _: list[Tensor]) -> Run | None:
    """Skip-layer guidance runs the denoiser once more without some of its layers: not the run that draws."""
    if arguments.get("skip_layers"):
        return None
    grid = transformer.patches(arguments["hidden_states"].shape, denoiser.config.patch_size)
    positions = grid[0] * grid[1]
    return Run(grid, queries=slice(0, positions), keys=slice(positions, None))


def _axes(pipeline: Any, arguments: Arguments) -> tuple[tuple[Alignment, ...], ...]:
    """The alignments of each encoder's tokens, one a prompt."""
    names = ("prompt", "prompt_2", "prompt_3", "prompt_embeds", "max_sequence_length")
    prompt, prompt_2, prompt_3, embeddings, length = (arguments[name] for name in names)
    texts = prompts.as_list(prompt)
    clip, open_clip, t5 = pipeline.tokenizer, pipeline.tokenizer_2, pipeline.tokenizer_3
    third = (
        prompts.alignments(pipeline, t5, prompt_3 or prompt, embeddings, length)
        if pipeline.text_encoder_3 is not None
        else tuple(Alignment(text, (NOTHING,) * length, 0) for text in texts)
    )
    limit = pipeline.tokenizer_max_length
    return (
        prompts.alignments(pipeline, clip, prompt, embeddings, limit),
        prompts.alignments(pipeline, open_clip, prompt_2 or prompt, embeddings, limit),
        third if embeddings is None else (Alignment(None),) * len(embeddings),
    )


def _joined(clip: Alignment, t5: Alignment) -> Alignment:
    """One axis: what one encoder cut off may have been seen by the other."""
    text = t5.prompt if clip.prompt is None else clip.prompt
    cuts = [part.cut for part in (clip, t5)]
    return Alignment(
        text, clip.tokens + t5.tokens, None if None in cuts else max(cut for cut in cuts if cut is not None)
    )


def _hidden(part: Alignment) -> Alignment:
    """Positions that belong to no word of this text."""
    return Alignment(None, tuple(replace(token, start=0, end=0, special=True) for token in part.tokens), 0)


def concepts(pipeline: Any, texts: list[str]) -> Tensor:
    """T5's first token of each text; without T5 that of CLIP's two, after the start marker."""
    nothing = {"prompt_2": None, "prompt_3": None, "do_classifier_free_guidance": False}
    first = 1 if pipeline.text_encoder_3 is None else pipeline.tokenizer_max_length
    return prompts.encoded(pipeline, ("text_encoder", "text_encoder_2"), prompt=texts, **nothing)[:, first]


FAMILY = Family(
    name="stable-diffusion-3",
    pipelines=frozenset(
        {"StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline", "StableDiffusion3InpaintPipeline"}
    ),
    denoiser="transformer",
    processors=frozenset({"JointAttnProcessor2_0", "FusedJointAttnProcessor2_0"}),
    layers=lambda denoiser: transformer.attention(denoiser, ".attn"),
    default_layers=("transformer_blocks.",),
    request=request,
    run=run,
    concepts=concepts,
)
