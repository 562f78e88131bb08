"""From the arguments of ``encode_prompt`` to alignments, for text encoders of CLIP's kind and of T5's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

from attribution.daam.alignment import align
from attribution.errors import TraceError
from attribution.maps.alignment import Alignment


def alignments(
    pipeline: Any, tokenizer: Any, prompt: str | list[str] | None, embeddings: Any, length: int | None = None
) -> tuple[Alignment, ...]:
    """One alignment a prompt; without a text where the prompts come as ``embeddings``.

    ``length`` is how many tokens the encoder sees, by default the tokenizer's own limit.
    """
    if embeddings is not None:
        return (Alignment(None),) * len(embeddings)
    return tuple(align(tokenizer, _as_written(pipeline, tokenizer, text), length) for text in as_list(prompt))


def encoded(pipeline: Any, encoders: Iterable[str], **arguments: Any) -> Tensor:
    """The embeddings [prompts, tokens, size] that the pipeline's own ``encode_prompt`` makes, traced or not.

    Raises TraceError when one of its ``encoders``, named as the pipeline's components, was not loaded.
    """
    missing = [name for name in encoders if getattr(pipeline, name) is None]
    if missing:
        raise TraceError(f"concepts need an embedding of their own: load the pipeline with its {', '.join(missing)}")
    embeddings: Tensor = type(pipeline).encode_prompt(pipeline, **arguments)[0]
    return embeddings


def as_list(prompt: str | list[str] | None) -> list[str]:
    """The prompts of a call, which may be one text."""
    return [prompt] if isinstance(prompt, str) else list(prompt or [])


def _as_written(pipeline: Any, tokenizer: Any, prompt: str) -> str:
    """``prompt``, unless a textual inversion of several vectors rewrites it: its offsets would be another text's."""
    convert = getattr(pipeline, "maybe_convert_prompt", None)
    converted = prompt if convert is None else convert(prompt, tokenizer)
    if converted != prompt:
        raise TraceError(f"a textual inversion turns the prompt {prompt!r} into {converted!r}; pass the latter")
    return prompt
