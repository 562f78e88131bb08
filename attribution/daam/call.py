"""One call of a pipeline while it is traced, from its prompts to its images' maps."""

from __future__ import annotations

import torch
from torch import Tensor

from attribution.daam.attention import Attended
from attribution.daam.choice import Choice
from attribution.daam.families import Request, Run
from attribution.daam.raw import RawSums
from attribution.daam.sums import MapSums
from attribution.daam.words import kept_positions
from attribution.maps.heat_maps import Floats, HeatMaps
from attribution.maps.raw import RawMaps


class Call:
    """What the call asked for, and the sums of its attention so far.

    ``raw`` keeps the probabilities too, where that was asked for; their maps go to ``raw_maps`` in the end.
    Raises WordError when the choice of words does not fit the prompts.
    """

    def __init__(
        self, request: Request, choice: Choice, raw: RawSums | None = None, raw_maps: list[RawMaps] | None = None
    ) -> None:
        self._request = request
        self._choice = choice
        words = choice.words
        self._kept = None if words is None else kept_positions(request.alignments, words)
        self._positions = None if self._kept is None else _padded(self._kept, request.images_per_prompt)
        self._first = 0
        self._sums: MapSums | None = None
        self._raw, self._raw_maps = raw, [] if raw_maps is None else raw_maps
        self._run: Run | None = None
        self._begun = 0
        self._steps: set[int] = set()
        self._layers: set[str] = set()

    def begin(self, run: Run | None) -> None:
        """The denoiser is about to run; None where that run does not follow the prompt."""
        self._run = run
        if run is not None:
            self._sums = self._sums or MapSums(run.grid, exact=self._choice.exact)
            self._begun += 1

    @torch.no_grad()
    def record(self, layer: str, attended: Attended) -> None:
        """Add one layer's attention of the current run."""
        step = self._begun - 1
        heads = self._choice.heads_of(attended.query.shape[1])
        if self._run is None or self._sums is None or not heads or not self._choice.has_step(step):
            return
        wanted = attended.rows(self._request.conditional(len(attended.query))).queries(self._run.queries)
        wanted = wanted if len(heads) == attended.query.shape[1] else wanted.heads(heads)
        self._add(self._sums, layer, heads, wanted, self._chosen(attended.key, self._run.keys))
        self._steps.add(step)
        self._layers.add(layer)

    def finish(self) -> list[HeatMaps]:
        """The maps of the call's images; none where nothing was recorded."""
        if self._sums is None or not self._layers:
            return []
        maps = [self._image(image, means.numpy()) for image, means in enumerate(self._sums.means().cpu())]
        if self._raw is not None:
            values = self._raw.shares(self._sums.grid)
            self._raw_maps += [self._raw.maps(values[image], of) for image, of in enumerate(maps)]
        return maps

    def _add(self, sums: MapSums, layer: str, heads: list[int], wanted: Attended, chosen: Tensor | slice) -> None:
        keys = range(wanted.key.shape[2])  # a softmax takes all of them, chosen or not
        some = len(keys[chosen]) if isinstance(chosen, slice) else chosen.shape[1]
        for first, part in wanted.parts(len(keys) if wanted.lse is None else some):
            probabilities = part.probabilities(chosen)
            if self._raw is not None:
                self._raw.add(self._begun - 1, layer, heads[first:], probabilities)
            sums.add(f"{layer}, head {first}", probabilities)

    def _chosen(self, key: Tensor, keys: slice) -> Tensor | slice:
        """Which keys of a call are the prompt's chosen tokens."""
        if self._positions is None:
            return keys
        first = keys.start or 0
        if self._positions.device != key.device or first != self._first:  # a copy to a GPU waits for it: one is enough
            self._positions, self._first = (self._positions + (first - self._first)).to(key.device), first
        return self._positions

    def _image(self, image: int, means: Floats) -> HeatMaps:
        prompt = image // self._request.images_per_prompt
        kept = tuple(range(len(means))) if self._kept is None else self._kept[prompt]
        return HeatMaps(
            tokens=means[: len(kept)].copy(),
            alignment=self._request.alignments[prompt],
            kept=kept,
            steps=len(self._steps),
            layers=len(self._layers),
            second=self._request.seconds[prompt] if self._request.seconds else None,
        )


def _padded(kept: list[tuple[int, ...]], repeats: int) -> Tensor:
    """Positions [images, n]; prompts with fewer than n repeat their last one, which is dropped in the end."""
    longest = max(map(len, kept))
    rows = [positions + positions[-1:] * (longest - len(positions)) for positions in kept]
    return torch.tensor(rows).repeat_interleave(repeats, dim=0)
