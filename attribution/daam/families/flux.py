"""FLUX: joint attention of T5's tokens, which come first, and the picture's packed latents, 2 x 2 a position.

Double blocks keep text and picture apart and join them for attention only; single blocks get them as one sequence.
CLIP gives the prompt's pooled embedding and no token: the traced axis is T5's, over ``prompt_2`` where that is given.
Distilled guidance is an input, not a second half of the batch; true guidance runs the denoiser again for the negative
prompt, and that run is left out.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from attribution.daam.families import prompts, transformer
from attribution.daam.families.base import Arguments, Family, Request, Run


def request(pipeline: Any, arguments: Arguments) -> Request:
    """Read the arguments of ``encode_prompt``."""
    names = ("prompt", "prompt_2", "prompt_embeds", "max_sequence_length")
    prompt, prompt_2, embeddings, length = (arguments[name] for name in names)
    return Request(
        alignments=prompts.alignments(pipeline, pipeline.tokenizer_2, prompt_2 or prompt, embeddings, length),
        images_per_prompt=arguments["num_images_per_prompt"] or 1,
        guided=False,
    )


def run(_: nn.Module, arguments: Arguments, negatives: list[Tensor]) -> Run | None:
    """Text first; among the picture's positions the drawn ones come first, those of a reference picture after."""
    text = arguments["encoder_hidden_states"]
    if any(text is negative for negative in negatives):
        return None
    ids = arguments["img_ids"]
    ids = ids[0] if ids.ndim == 3 else ids
    drawn = ids[ids[:, 0] == 0]
    grid = int(drawn[:, 1].max()) + 1, int(drawn[:, 2].max()) + 1
    tokens = text.shape[1]
    return Run(grid, queries=slice(tokens, tokens + grid[0] * grid[1]), keys=slice(0, tokens))


def concepts(pipeline: Any, texts: list[str]) -> Tensor:
    """T5's first token of each text."""
    return prompts.encoded(pipeline, ("text_encoder", "text_encoder_2"), prompt=texts, prompt_2=None)[:, 0]


FAMILY = Family(
    name="flux",
    pipelines=frozenset(
        {"FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline", "FluxFillPipeline", "FluxKontextPipeline"}
    ),
    denoiser="transformer",
    processors=frozenset({"FluxAttnProcessor"}),
    layers=lambda denoiser: transformer.attention(denoiser, ".attn"),
    default_layers=("transformer_blocks.", "single_transformer_blocks."),
    request=request,
    run=run,
    concepts=concepts,
    neutral_concepts=True,
)
