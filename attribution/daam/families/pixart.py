"""PixArt-alpha and PixArt-sigma: cross-attention from the latents' patches to T5's tokens, its padding masked.

The pipeline puts prompts in lower case and strips them, and cleans them where ``clean_caption`` asks for it (and its
two packages are installed). Offsets here are those of the prompt as written; a prompt that cleaning changes is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from attribution.daam.alignment import align
from attribution.daam.families import prompts, transformer
from attribution.daam.families.base import Arguments, Family, Request, Run
from attribution.errors import TraceError
from attribution.maps.alignment import Alignment, Token


def request(pipeline: Any, arguments: Arguments) -> Request:
    """Read the arguments of ``encode_prompt``."""
    embeddings = arguments["prompt_embeds"]
    return Request(
        alignments=(Alignment(None),) * len(embeddings)
        if embeddings is not None
        else tuple(_aligned(pipeline, arguments, prompt) for prompt in prompts.as_list(arguments["prompt"])),
        images_per_prompt=arguments["num_images_per_prompt"] or 1,
        guided=bool(arguments["do_classifier_free_guidance"]),
    )


def run(denoiser: Any, arguments: Arguments, _: list[Tensor]) -> Run:
    """All queries are patches, all keys the prompt's tokens."""
    return Run(transformer.patches(arguments["hidden_states"].shape, denoiser.config.patch_size))


def _aligned(pipeline: Any, arguments: Arguments, prompt: str) -> Alignment:
    lowered = prompt.lower()
    (seen,) = pipeline._text_preprocessing(prompt, clean_caption=arguments["clean_caption"])
    if seen != lowered.strip():
        raise TraceError(f"cleaning turns the prompt {prompt!r} into {seen!r}: pass the latter, or clean_caption=False")
    places = _places(prompt)[len(lowered) - len(lowered.lstrip()) :]
    aligned = align(pipeline.tokenizer, seen, arguments["max_sequence_length"])
    cut = None if aligned.cut is None else places[aligned.cut]
    return Alignment(prompt, tuple(_moved(token, places) for token in aligned.tokens), cut)


def _places(prompt: str) -> list[int]:
    """For each character of the prompt in lower case, the character it came from: some become two."""
    return [place for place, character in enumerate(prompt) for _ in character.lower()]


def _moved(token: Token, places: list[int]) -> Token:
    if token.special or token.start == token.end:
        return token
    return replace(token, start=places[token.start], end=places[token.end - 1] + 1)


FAMILY = Family(
    name="pixart",
    pipelines=frozenset({"PixArtAlphaPipeline", "PixArtSigmaPipeline", "PixArtSigmaPAGPipeline"}),
    denoiser="transformer",
    processors=frozenset({"AttnProcessor2_0", "FusedAttnProcessor2_0"}),
    layers=lambda denoiser: transformer.attention(denoiser, ".attn2"),
    default_layers=("transformer_blocks.",),
    request=request,
    run=run,
)
