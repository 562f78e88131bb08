"""Attention as the model computes it, and the probabilities it implies.

``scaled_dot_product_attention`` returns no probabilities. But the operator beneath it also returns the
log-sum-exp of every query's scores, from which the probability of any key follows by one product:
``exp(scale * q k - lse)``. Calling that very operator leaves the model's output as it was, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.overrides import TorchFunctionMode

from attribution.daam.backends import attend

Chosen = Tensor | slice

LARGEST_PART = 1 << 26
"""Probabilities made at a time, as a number of float32 (256 MiB): more are made some heads after the others."""


@dataclass(frozen=True, slots=True)
class Attended:
    """One attention call: ``query`` [rows, heads, queries, size], ``key`` and ``value`` [rows, heads, keys, size].

    ``output`` is what the call returned, [rows, heads, queries, size]. ``mask`` is added to the scores (float) or
    keeps them (bool) and broadcasts to [rows, heads, queries, keys]. ``lse`` float32 [rows, heads, queries] is the
    log-sum-exp of the scores, where the backend gave it.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    output: Tensor
    scale: float
    mask: Tensor | None = None
    lse: Tensor | None = None

    def rows(self, wanted: slice) -> Attended:
        """The call restricted to some rows of the batch."""
        return self._restricted(0, wanted)

    def heads(self, wanted: list[int] | slice) -> Attended:
        """The call restricted to some of its heads."""
        return self._restricted(1, wanted)

    def queries(self, wanted: slice) -> Attended:
        """The call restricted to some of its queries."""
        if wanted == slice(None):
            return self
        at = (slice(None), slice(None), wanted)
        mask = self.mask
        if mask is not None and mask.ndim >= 2 and mask.shape[-2] > 1:
            mask = mask[..., wanted, :]
        lse = None if self.lse is None else self.lse[at]
        return replace(self, query=self.query[at], output=self.output[at], mask=mask, lse=lse)

    def parts(self, keys: int) -> Iterator[tuple[int, Attended]]:
        """The call some heads after the others, each with its first head: LARGEST_PART probabilities of ``keys``."""
        rows, heads, queries, _ = self.query.shape
        at_once = max(1, LARGEST_PART // max(1, rows * queries * keys))
        for first in range(0, heads, at_once):
            yield first, self if at_once >= heads else self.heads(slice(first, first + at_once))

    def probabilities(self, chosen: Chosen = slice(None)) -> Tensor:
        """Attention probabilities of the keys, float32 [rows, heads, keys, queries].

        ``chosen`` restricts them: a slice of the keys, or int64 [rows, n] for n keys a row, in that order. Each is a
        share of all keys, chosen or not: over all keys they sum to 1.
        """
        if self.lse is None:
            return _select(self._softmax(), chosen)
        key = _select(self.key, chosen).float().flatten(0, 1)
        query = self.query.float().flatten(0, 1)
        offset = self.lse.flatten(0, 1).unsqueeze(1)
        scores = torch.baddbmm(offset, key, query.transpose(1, 2), beta=-1, alpha=self.scale)
        return scores.exp_().view(*self.query.shape[:2], *scores.shape[1:])

    def _restricted(self, dimension: int, wanted: list[int] | slice) -> Attended:
        at = (slice(None),) * dimension + (wanted,)
        mask = self.mask
        if mask is not None and mask.ndim == 4 and mask.shape[dimension] > 1:
            mask = mask[at]
        lse = None if self.lse is None else self.lse[at]
        return Attended(self.query[at], self.key[at], self.value[at], self.output[at], self.scale, mask, lse)

    def _softmax(self) -> Tensor:
        scores = (self.query.float() @ self.key.float().transpose(2, 3)).mul_(self.scale)
        if self.mask is not None and self.mask.dtype == torch.bool:
            scores = scores.masked_fill_(~self.mask, -torch.inf)
        elif self.mask is not None:
            scores = scores + self.mask.float()
        return scores.softmax(dim=-1).transpose(2, 3)


class AttentionProbe(TorchFunctionMode):
    """While active, shows every ``scaled_dot_product_attention`` call to ``listen``, counts and changes none."""

    def __init__(self, listen: Callable[[Attended], None]) -> None:
        super().__init__()
        self.calls = 0
        self._listen = listen

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See :class:`torch.overrides.TorchFunctionMode`."""
        if func is F.scaled_dot_product_attention:
            return self._attend(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, **options: Any
    ) -> Tensor:
        output, lse = attend(query, key, value, attn_mask, options)
        scale = options.get("scale") or query.shape[-1] ** -0.5
        self.calls += 1
        self._listen(Attended(query.detach(), key.detach(), value.detach(), output.detach(), scale, attn_mask, lse))
        return output


def _select(values: Tensor, chosen: Chosen) -> Tensor:
    """Rows of dimension 2 of ``values`` [rows, heads, keys, size] that ``chosen`` names."""
    if isinstance(chosen, slice):
        return values[:, :, chosen]
    index = chosen[:, None, :, None].expand(-1, values.shape[1], -1, values.shape[3])
    return values.gather(2, index)
