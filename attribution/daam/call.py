"""One call of a pipeline while it is traced, from its prompts to its images' maps."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from attribution.daam.attention import Attended
from attribution.daam.choice import Choice
from attribution.daam.families import Request
from attribution.daam.sums import MapSums
from attribution.daam.words import kept_positions
from attribution.maps.heat_maps import HeatMaps


class Call:
    """What the call asked for, and the sums of its attention so far.

    Raises WordError when the choice of words does not fit the prompts.
    """

    def __init__(self, request: Request, choice: Choice) -> None:
        self._request = request
        self._choice = choice
        words = choice.words
        self._kept = None if words is None else kept_positions(request.alignments, words)
        self._positions = None if self._kept is None else _padded(self._kept, request.images_per_prompt)
        self._sums: MapSums | None = None
        self._begun = 0
        self._steps: set[int] = set()
        self._layers: set[str] = set()

    def step(self, grid: tuple[int, int]) -> None:
        """The denoiser is about to run on latents of this height and width."""
        self._sums = self._sums or MapSums(grid, exact=self._choice.exact)
        self._begun += 1

    @torch.no_grad()
    def record(self, layer: str, attended: Attended) -> None:
        """Add one layer's attention of the current step."""
        step = self._begun - 1
        if self._sums is None or not self._choice.has_step(step):
            return
        wanted = attended.rows(self._request.conditional(len(attended.query)))
        heads = self._choice.heads_of(attended.query.shape[1])
        if not heads:
            return
        wanted = wanted if len(heads) == attended.query.shape[1] else wanted.heads(heads)
        positions = None if self._positions is None else self._positions.to(attended.key.device)
        self._sums.add(layer, wanted.probabilities(positions))
        self._steps.add(step)
        self._layers.add(layer)

    def heat_maps(self) -> Iterator[HeatMaps]:
        """The maps of the call's images; none where nothing was recorded."""
        if self._sums is None or not self._layers:
            return
        for image, means in enumerate(self._sums.means().cpu().numpy()):
            prompt = image // self._request.images_per_prompt
            kept = tuple(range(len(means))) if self._kept is None else self._kept[prompt]
            yield HeatMaps(
                tokens=means[: len(kept)].copy(),
                alignment=self._request.alignments[prompt],
                kept=kept,
                steps=len(self._steps),
                layers=len(self._layers),
                second=self._request.seconds[prompt] if self._request.seconds else None,
            )


def _padded(kept: list[tuple[int, ...]], repeats: int) -> torch.Tensor:
    """Positions [images, n]; prompts with fewer than n repeat their last one, which is dropped in the end."""
    longest = max(map(len, kept))
    rows = [positions + positions[-1:] * (longest - len(positions)) for positions in kept]
    return torch.tensor(rows).repeat_interleave(repeats, dim=0)
