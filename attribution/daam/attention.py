"""Attention as the model computes it, and the probabilities it implies.

``scaled_dot_product_attention`` returns no probabilities. But the operator beneath it also returns the
log-sum-exp of every query's scores, from which the probability of any key follows by one product:
``exp(scale * q k - lse)``. Calling that very operator leaves the model's output as it was, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.nn.attention import SDPBackend
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True, slots=True)
class Attended:
    """One attention call: ``query`` [rows, heads, queries, size], ``key`` [rows, heads, keys, size].

    ``mask`` is added to the scores (float) or keeps them (bool) and broadcasts to [rows, heads, queries, keys].
    ``lse`` float32 [rows, heads, queries] is the log-sum-exp of the scores, where the backend gave it.
    """

    query: Tensor
    key: Tensor
    scale: float
    mask: Tensor | None = None
    lse: Tensor | None = None

    def rows(self, wanted: slice) -> Attended:
        """The call restricted to some rows of the batch."""
        mask = self.mask
        if mask is not None and mask.ndim == 4 and mask.shape[0] > 1:
            mask = mask[wanted]
        lse = None if self.lse is None else self.lse[wanted]
        return Attended(self.query[wanted], self.key[wanted], self.scale, mask, lse)

    def heads(self, wanted: list[int]) -> Attended:
        """The call restricted to some of its heads."""
        mask = self.mask
        if mask is not None and mask.ndim == 4 and mask.shape[1] > 1:
            mask = mask[:, wanted]
        lse = None if self.lse is None else self.lse[:, wanted]
        return Attended(self.query[:, wanted], self.key[:, wanted], self.scale, mask, lse)

    def probabilities(self, chosen: Tensor | None = None) -> Tensor:
        """Attention probabilities of the keys, float32 [rows, heads, keys, queries].

        ``chosen`` int64 [rows, n] restricts them to n keys a row, in that order; over all keys they sum to 1.
        """
        if self.lse is None:
            return _select(self._softmax(), chosen)
        key = _select(self.key, chosen).float().flatten(0, 1)
        query = self.query.float().flatten(0, 1)
        offset = self.lse.flatten(0, 1).unsqueeze(1)
        scores = torch.baddbmm(offset, key, query.transpose(1, 2), beta=-1, alpha=self.scale)
        return scores.exp_().view(*self.query.shape[:2], *scores.shape[1:])

    def _softmax(self) -> Tensor:
        scores = (self.query.float() @ self.key.float().transpose(2, 3)).mul_(self.scale)
        if self.mask is not None and self.mask.dtype == torch.bool:
            scores = scores.masked_fill_(~self.mask, -torch.inf)
        elif self.mask is not None:
            scores = scores + self.mask.float()
        return scores.softmax(dim=-1).transpose(2, 3)


class AttentionProbe(TorchFunctionMode):
    """While active, shows every ``scaled_dot_product_attention`` call to ``listen`` and changes none."""

    def __init__(self, listen: Callable[[Attended], None]) -> None:
        super().__init__()
        self._listen = listen

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See :class:`torch.overrides.TorchFunctionMode`."""
        if func is F.scaled_dot_product_attention:
            return self._attend(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, **options: Any
    ) -> Tensor:
        output, lse = _attend(query, key, value, attn_mask, options)
        scale = options.get("scale") or query.shape[-1] ** -0.5
        self._listen(Attended(query.detach(), key.detach(), scale, attn_mask, lse))
        return output


def _attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, options: dict[str, Any]
) -> tuple[Tensor, Tensor | None]:
    """The attention's output, and the log-sum-exp where it costs nothing."""
    if mask is None and query.device.type == "cpu" and _plain(options):
        backend = torch._fused_sdp_choice(query, key, value, scale=options.get("scale"))
        if backend == SDPBackend.FLASH_ATTENTION.value:
            operator = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
            return operator(query, key, value, scale=options.get("scale"))  # type: ignore[no-any-return]
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, **options), None


def _plain(options: dict[str, Any]) -> bool:
    return not (options.get("dropout_p") or options.get("is_causal") or options.get("enable_gqa"))


def _select(values: Tensor, chosen: Tensor | None) -> Tensor:
    """Rows of dimension 2 of ``values`` [rows, heads, keys, size] that ``chosen`` [rows, n] names."""
    if chosen is None:
        return values
    index = chosen[:, None, :, None].expand(-1, values.shape[1], -1, values.shape[3])
    return values.gather(2, index)
