"""Muon (Jordan et al., 2024): momentum whose matrix updates are orthogonalised; AdamW for everything else.

Where compute is the limit it needs markedly fewer samples than AdamW for the same loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Muon(torch.optim.Optimizer):
    """Muon for weights of two dimensions and more (convolutions flattened), AdamW for vectors, embeddings and the ends.

    ``rate`` is AdamW's peak rate; a matrix moves with ``20 * rate`` times an update of unit spectral norm, scaled
    by the square root of rows over columns where there are more rows.
    """

    def __init__(self, model: nn.Module, rate: float) -> None:
        matrices: list[Tensor] = []
        others: list[Tensor] = []
        for name, parameter in model.named_parameters():
            ends = any(part in name for part in ("embedding", "conv_in", "conv_out"))
            (others if ends or parameter.ndim < 2 else matrices).append(parameter)
        groups: list[dict[str, Any]] = [
            {"params": matrices, "peak": 20 * rate, "matrix": True},
            {"params": others, "peak": rate, "matrix": False},
        ]
        super().__init__(groups, {"lr": rate, "momentum": 0.95, "betas": (0.9, 0.99), "decay": 0.01})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update from the gradients; ``closure`` is not supported and ignored."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    update = self._matrix if group["matrix"] else self._vector
                    update(parameter, self.state[parameter], group)

    def _matrix(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        gradient = parameter.grad
        assert gradient is not None  # noqa: S101
        momentum = state.setdefault("momentum", torch.zeros_like(gradient))
        momentum.lerp_(gradient, 1 - group["momentum"])
        direction = gradient.lerp(momentum, group["momentum"]).flatten(1)
        scale = max(1.0, direction.shape[0] / direction.shape[1]) ** 0.5
        update = orthogonal(direction).to(parameter.dtype).view(parameter.shape)
        parameter.mul_(1 - group["lr"] * group["decay"]).add_(update, alpha=-group["lr"] * scale)

    def _vector(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        gradient = parameter.grad
        assert gradient is not None  # noqa: S101
        first = state.setdefault("first", torch.zeros_like(gradient))
        second = state.setdefault("second", torch.zeros_like(gradient))
        count = state["count"] = state.get("count", 0) + 1
        slow, fast = group["betas"]
        first.lerp_(gradient, 1 - slow)
        second.lerp_(gradient.square(), 1 - fast)
        spread = (second / (1 - fast**count)).sqrt_().add_(1e-8)
        parameter.addcdiv_(first, spread, value=-group["lr"] / (1 - slow**count))


def orthogonal(matrix: Tensor, rounds: int = 5) -> Tensor:
    """Roughly the nearest semi-orthogonal matrix to ``matrix`` (rows, columns): Newton-Schulz rounds in bfloat16."""
    first, second, third = 3.4445, -4.7750, 2.0315
    work = matrix.bfloat16()
    tall = work.shape[0] > work.shape[1]
    work = (work.T if tall else work) / (work.norm() + 1e-7)
    for _ in range(rounds):
        gram = work @ work.T
        work = first * work + (second * gram + third * gram @ gram) @ work
    result: Tensor = work.T if tall else work
    return result
