"""From the arguments of ``encode_prompt`` to alignments, for text encoders of CLIP's kind."""

from __future__ import annotations

from typing import Any

from attribution.daam.alignment import align
from attribution.errors import TraceError
from attribution.maps.alignment import Alignment


def alignments(pipeline: Any, tokenizer: Any, prompt: str | list[str] | None, embeddings: Any) -> tuple[Alignment, ...]:
    """One alignment a prompt; without a text where the prompts come as ``embeddings``."""
    if embeddings is not None:
        return (Alignment(None),) * len(embeddings)
    prompts = [prompt] if isinstance(prompt, str) else prompt or []
    return tuple(align(tokenizer, _as_written(pipeline, tokenizer, text)) for text in prompts)


def _as_written(pipeline: Any, tokenizer: Any, prompt: str) -> str:
    """``prompt``, unless a textual inversion of several vectors rewrites it: its offsets would be another text's."""
    converted = pipeline.maybe_convert_prompt(prompt, tokenizer)
    if converted != prompt:
        raise TraceError(f"a textual inversion turns the prompt {prompt!r} into {converted!r}; pass the latter")
    return prompt
