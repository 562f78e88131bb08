"""From a fast tokenizer's offsets to an :class:`~attribution.maps.alignment.Alignment`."""

from __future__ import annotations

from typing import Any

from attribution.errors import TraceError
from attribution.maps.alignment import Alignment, Token


def align(tokenizer: Any, prompt: str, length: int | None = None) -> Alignment:
    """The tokens that ``tokenizer`` makes of ``prompt`` the way a pipeline calls it: padded and cut to ``length``.

    ``length`` is the tokenizer's own limit unless given. Offsets index ``prompt`` as it was written, also where the
    tokenizer normalises. Raises TraceError when the tokenizer gives no offsets.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise TraceError(
            f"{type(tokenizer).__name__} gives no character offsets; load the pipeline with a fast tokenizer"
        )
    length = length or tokenizer.model_max_length
    seen = _tokens(tokenizer, prompt, padding="max_length", max_length=length, truncation=True)
    whole = [token for token in _tokens(tokenizer, prompt, verbose=False) if not token.special]
    seen_words = sum(not token.special for token in seen)
    return Alignment(prompt, seen, whole[seen_words].start if seen_words < len(whole) else None)


def _tokens(tokenizer: Any, prompt: str, **options: Any) -> tuple[Token, ...]:
    encoded = tokenizer(prompt, return_offsets_mapping=True, return_special_tokens_mask=True, **options)
    texts = tokenizer.convert_ids_to_tokens(encoded["input_ids"])
    rows = zip(texts, encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
    return tuple(Token(text, start, end, bool(special)) for text, (start, end), special in rows)
