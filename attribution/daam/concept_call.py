"""One call of a pipeline while ConceptAttention follows it: each prompt's concepts on their way through the blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from attribution.daam.attention import Attended
from attribution.daam.choice import Choice
from attribution.daam.families import Request, Run
from attribution.maps.alignment import Alignment, Token
from attribution.maps.heat_maps import HeatMaps


class ConceptStream:
    """The concepts of one prompt within one run of the denoiser: ``concepts`` [rows, n, size], a row an image.

    ``modulation`` [rows, size] is the embedding of time and pooled prompt that steers the blocks' norms.
    """

    def __init__(self, concepts: Tensor, modulation: Tensor) -> None:
        self._concepts = concepts
        self._modulation = modulation

    def through(self, block: Any, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """Go through one block; returns the attention's output for each concept, [rows, n, heads x size].

        ``key`` and ``value`` [rows, heads, positions, size] are the picture's. The text's positions in FLUX are all
        zero, and so is their rotation.
        """
        if getattr(block, "context_pre_only", False):
            return self._attend(block.attn, block.norm1_context(self._concepts, self._modulation), key, value, scale)
        normed, gate, shift, stretch, gate_after = block.norm1_context(self._concepts, emb=self._modulation)
        output = self._attend(block.attn, normed, key, value, scale)
        self._concepts = self._concepts + gate.unsqueeze(1) * block.attn.to_add_out(output)
        normed = block.norm2_context(self._concepts) * (1 + stretch[:, None]) + shift[:, None]
        self._concepts = self._concepts + gate_after.unsqueeze(1) * block.ff_context(normed)
        return output

    def _attend(self, attention: Any, normed: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        projections = (attention.add_q_proj, attention.add_k_proj, attention.add_v_proj)
        rows, heads, _, size = key.shape
        own_query, own_key, own_value = (
            project(normed).view(rows, -1, heads, size).transpose(1, 2) for project in projections
        )
        own_query = own_query if attention.norm_added_q is None else attention.norm_added_q(own_query)
        own_key = own_key if attention.norm_added_k is None else attention.norm_added_k(own_key)
        keys, values = torch.cat([own_key, key], dim=2), torch.cat([own_value, value], dim=2)
        return _side_by_side(F.scaled_dot_product_attention(own_query, keys, values, scale=scale))


class ConceptCall:
    """What the call asked for, and the sums of its concepts' maps so far.

    ``concepts`` lists each prompt's, words first; ``embeddings`` [n, size] has one row for each of its n texts.
    """

    def __init__(
        self,
        request: Request,
        choice: Choice,
        concepts: Sequence[tuple[Token, ...]],
        embeddings: Sequence[Tensor],
    ) -> None:
        self._request = request
        self._choice = choice
        self._concepts = concepts
        self._embeddings = embeddings
        self._run: Run | None = None
        self._streams: list[ConceptStream] = []
        self._sums: list[Tensor | None] = [None] * len(concepts)
        self._grid = (0, 0)
        self._begun = self._summands = 0
        self._steps: set[int] = set()

    def begin(self, run: Run | None) -> None:
        """The denoiser is about to run; None where that run does not follow the prompt."""
        self._begun += run is not None
        self._run = run if self._choice.has_step(self._begun - 1) else None

    @torch.no_grad()
    def enter(self, embedder: Any, modulation: Tensor) -> None:
        """The concepts enter this run: as ``embedder`` makes them, with each row's ``modulation`` [rows, size]."""
        wanted, repeats = modulation[self._request.conditional(len(modulation))], self._request.images_per_prompt
        self._streams = []
        for embedding, rows in zip(self._embeddings, torch.split(wanted, repeats), strict=True):
            concepts = embedder(embedding.to(rows)).expand(len(rows), -1, -1)
            self._streams.append(ConceptStream(concepts, rows))

    @torch.no_grad()
    def add(self, block: Any, attended: Attended, *, counted: bool) -> None:
        """Take the concepts through one block whose attention just ran, and add its maps where it is ``counted``."""
        run, repeats = self._run, self._request.images_per_prompt
        if run is None:
            return
        wanted = attended.rows(self._request.conditional(len(attended.query)))
        for prompt, stream in enumerate(self._streams):
            part = wanted.rows(slice(prompt * repeats, (prompt + 1) * repeats))
            own = stream.through(block, part.key[:, :, run.queries], part.value[:, :, run.queries], part.scale)
            if counted:
                picture = _side_by_side(part.output[:, :, run.queries])
                maps = (own.float() @ picture.float().transpose(1, 2)).softmax(dim=1)
                sums = self._sums[prompt]
                self._sums[prompt] = maps if sums is None else sums.add_(maps)
        self._summands += counted
        self._grid = run.grid
        self._steps.add(self._begun - 1)

    def finish(self) -> list[HeatMaps]:
        """The maps of the call's images; none where nothing was recorded."""
        return [
            self._image(prompt, maps.div(self._summands).view(-1, *self._grid).cpu())
            for prompt, sums in enumerate(self._sums)
            if sums is not None
            for maps in sums
        ]

    def _image(self, prompt: int, maps: Tensor) -> HeatMaps:
        concepts, aligned = self._concepts[prompt], self._request.alignments[prompt]
        texts = list(dict.fromkeys(concept.text for concept in concepts))
        return HeatMaps(
            tokens=maps[[texts.index(concept.text) for concept in concepts]].numpy(),
            alignment=Alignment(aligned.prompt, concepts, aligned.cut),
            kept=tuple(range(len(concepts))),
            steps=len(self._steps),
            layers=self._summands // max(1, len(self._steps)),
            method="concept-attention",
        )


def _side_by_side(heads: Tensor) -> Tensor:
    """[rows, heads, positions, size] as [rows, positions, heads x size]."""
    return heads.transpose(1, 2).flatten(2)
