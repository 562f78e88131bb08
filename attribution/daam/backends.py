"""The operators beneath ``scaled_dot_product_attention``, called so that they also give the log-sum-exp.

torch picks an operator by device, type and shape. Asked for the same one, it computes the same output, and the
log-sum-exp of every query's scores besides. Wherever that is not certain, the function itself is called, and the
log-sum-exp is None: probabilities then take a softmax, in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.nn.attention import SDPBackend

Operator = Callable[[Tensor, Tensor, Tensor, float | None], tuple[Tensor, Tensor]]


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, options: dict[str, Any]
) -> tuple[Tensor, Tensor | None]:
    """The attention's output, and float32 [rows, heads, queries] the log-sum-exp where it costs nothing."""
    operator = _operator(query, key, value, options) if mask is None and _plain(options) else None
    if operator is None:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, **options), None
    return operator(query, key, value, options.get("scale"))


def _operator(query: Tensor, key: Tensor, value: Tensor, options: dict[str, Any]) -> Operator | None:
    chosen = torch._fused_sdp_choice(query, key, value, scale=options.get("scale"))
    if query.device.type == "cpu":
        return _flash_on_cpu if chosen == SDPBackend.FLASH_ATTENTION.value else None
    operator = _ON_CUDA.get(chosen) if query.device.type == "cuda" else None
    # Other sizes are padded to a multiple of 8 before the operator is called, which would have to be done here too.
    if operator is None or query.shape[-1] % 8 or value.shape[-1] != query.shape[-1]:
        return None
    return operator if _proves_right(operator, query.device, query.dtype, query.shape[-1]) else None


def _flash_on_cpu(query: Tensor, key: Tensor, value: Tensor, scale: float | None) -> tuple[Tensor, Tensor]:
    operator = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    return operator(query, key, value, scale=scale)  # type: ignore[no-any-return]


def _flash(query: Tensor, key: Tensor, value: Tensor, scale: float | None) -> tuple[Tensor, Tensor]:
    operator = torch.ops.aten._scaled_dot_product_flash_attention
    output, lse, *_ = operator(query, key, value, 0.0, False, False, scale=scale)
    return output, lse[:, :, : query.shape[2]]


def _efficient(query: Tensor, key: Tensor, value: Tensor, scale: float | None) -> tuple[Tensor, Tensor]:
    operator = torch.ops.aten._scaled_dot_product_efficient_attention
    output, lse, *_ = operator(query, key, value, None, True, 0.0, False, scale=scale)
    return output, lse[:, :, : query.shape[2]]  # padded to a multiple of 32


_ON_CUDA: dict[int, Operator] = {
    SDPBackend.FLASH_ATTENTION.value: _flash,
    SDPBackend.EFFICIENT_ATTENTION.value: _efficient,
}


@lru_cache(maxsize=64)
def _proves_right(operator: Operator, device: torch.device, dtype: torch.dtype, size: int) -> bool:
    """Whether, on a small problem, the operator gives the function's output bit for bit, and the log-sum-exp.

    Asked once for each device, type and head size: an operator is no public interface, and may change.
    """
    backend = next(value for value, known in _ON_CUDA.items() if known is operator)
    # The images' own random numbers stay untouched: they come from another generator.
    random = torch.Generator(device).manual_seed(0)
    query, key, value = (
        torch.randn(2, length, 3, size, generator=random, device=device, dtype=dtype).transpose(1, 2)
        for length in (40, 77, 77)
    )
    if torch._fused_sdp_choice(query, key, value) != backend:
        return False
    try:
        output, lse = operator(query, key, value, None)
    except (RuntimeError, TypeError):
        return False
    scores = query.float() @ key.float().transpose(2, 3) * size**-0.5
    same = torch.equal(output, F.scaled_dot_product_attention(query, key, value))
    return same and lse.dtype == torch.float32 and torch.allclose(lse, scores.logsumexp(dim=-1), rtol=1e-2, atol=1e-2)


def _plain(options: dict[str, Any]) -> bool:
    return not (options.get("dropout_p") or options.get("is_causal") or options.get("enable_gqa"))
