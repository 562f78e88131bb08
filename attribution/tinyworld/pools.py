"""Scenes made ahead: latents and token ids of many captions, so that the U-Net's loop runs neither world nor VAE."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor
from transformers import CLIPTokenizer

from attribution.tinyworld.grammar import captions
from attribution.tinyworld.model import TOKENS
from attribution.tinyworld.scenes import draw

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of training, up to ``until`` of the run: whether things come in crowds, and the jitter in pixels."""

    name: str
    until: float
    crowded: bool
    jitter: float


PHASES = (Phase("easy", 0.4, False, 3.0), Phase("full", 0.7, True, 4.0), Phase("loose", 1.0, True, 7.0))


@dataclass(frozen=True, slots=True)
class Pool:
    """``latents`` (n, 8, 16, 16) float16, scaled to unit variance; ``ids`` (n, 32) int16."""

    latents: Tensor
    ids: Tensor

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        rows = torch.randint(len(self.ids), (count,), generator=generator).to(self.ids.device)
        return self.latents[rows].float(), self.ids[rows].long()


def phase_at(fraction: float, only: str = "") -> Phase:
    """The phase in force at ``fraction`` (0 to 1) of the run; the phase named ``only``, if one is."""
    return next((phase for phase in PHASES if (phase.name == only if only else fraction < phase.until)), PHASES[-1])


def load_or_make(
    path: Path, phase: Phase, count: int, vae: AutoencoderKL, tokenizer: CLIPTokenizer, workers: int = 1
) -> Pool:
    """The pool stored at ``path``; made with ``vae`` on its own device and stored there if missing."""
    if not path.exists():
        partial = path.with_suffix(".partial")
        torch.save(_make(phase, count, vae, tokenizer, workers), partial)
        partial.rename(path)
    return Pool(**torch.load(path, map_location=vae.device, weights_only=True))


def _make(phase: Phase, count: int, vae: AutoencoderKL, tokenizer: CLIPTokenizer, workers: int) -> dict[str, Tensor]:
    jobs = [(phase, _CHUNK, 1_000_000 + PHASES.index(phase) * 500_000 + k) for k in range(-(-count // _CHUNK))]
    latents, ids = [], []
    for texts, pixels in _drawn(jobs, workers):
        latents.append(encode(vae, pixels).half().cpu())
        ids.append(tokenise(tokenizer, texts).short())
    return {"latents": torch.cat(latents), "ids": torch.cat(ids)}


def _drawn(jobs: list[tuple[Phase, int, int]], workers: int) -> Iterator[tuple[list[str], NDArray[np.uint8]]]:
    if workers <= 1:
        yield from map(_draw_chunk, jobs)
        return
    with ProcessPoolExecutor(workers) as executor:
        yield from executor.map(_draw_chunk, jobs)


def _draw_chunk(job: tuple[Phase, int, int]) -> tuple[list[str], NDArray[np.uint8]]:
    phase, count, seed = job
    rng = np.random.default_rng(seed)
    drawn = captions(count, seed, crowded=phase.crowded)
    return [c.text for c in drawn], np.stack([draw(c, rng, jitter=phase.jitter).pixels for c in drawn])


def tokenise(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """(n, 32) int64 token ids as the pipeline makes them."""
    ids: Tensor = tokenizer(
        texts, padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt"
    ).input_ids
    return ids


@torch.no_grad()
def encode(vae: AutoencoderKL, pixels: NDArray[np.uint8]) -> Tensor:
    """(n, 8, 16, 16) float32 scaled latent means of (n, 64, 64, 3) uint8 pixels."""
    parts = []
    for part in np.array_split(pixels, -(-len(pixels) // 100)):
        images = torch.from_numpy(part).to(vae.device).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.autocast(vae.device.type, torch.bfloat16):
            parts.append(vae.encode(images).latent_dist.mean.float())
    return torch.cat(parts) * float(vae.config.scaling_factor)
