"""Attention with other queries and keys than the model's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.overrides import TorchFunctionMode

Exchange = Callable[[str, Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]
"""From a layer's name, its query and key [rows, heads, positions, size] and its mask to the query and key to use."""


class AttentionExchange(TorchFunctionMode):
    """While active, gives every ``scaled_dot_product_attention`` call the query and key that ``exchange`` names.

    Entered after another mode, it comes before that one: an :class:`~attribution.daam.attention.AttentionProbe` around
    it sees what was exchanged.
    """

    def __init__(self, layer: str, exchange: Exchange) -> None:
        super().__init__()
        self._layer = layer
        self._exchange = exchange

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See :class:`torch.overrides.TorchFunctionMode`."""
        if func is F.scaled_dot_product_attention:
            return self._attend(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, *rest: Any, **options: Any
    ) -> Any:
        query, key = self._exchange(self._layer, query, key, attn_mask)
        return F.scaled_dot_product_attention(query, key, value, attn_mask, *rest, **options)
