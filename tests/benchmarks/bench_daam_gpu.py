"""The same on a GPU: ``python tests/benchmarks/bench_daam_gpu.py`` measures Stable Diffusion 2 base and XL in bfloat16.

True shapes, random weights, guidance on, batches of 1, 4, 16 and 64: images a second of the denoiser without maps,
with three words', with all tokens', and with castorini/daam, an image at a time; and how long the 2,800 pairs of a
study take at that rate. Ratios are of time over plain, the
shortest of several turns of each, taken in turns (of fewer steps than a generation's, so that the maps made at its end
weigh more than they would); memory is what is allocated on the GPU beyond plain. Before that, it
is checked that a row of a batch does not depend on its place in it, on which equal bytes in any batch rest.
Without a GPU nothing is measured; ``--tiny --device cpu`` runs all of it on models of no use.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import castorini
import torch
from daam_models import SD2, SDXL, WORDS, latents, stable_diffusion, stable_diffusion_xl

import attribution
from attribution.daam.batches import is_out_of_memory

GENERATION, STUDY = 30, 2_800
LIMITS = {"three words": {1: 1.05, 16: 1.01, 64: 1.01}, "all tokens": {1: 1.05, 16: 1.02, 64: 1.02}}
"""The largest ratios that the project asks for on an H200, by batch."""
TRACES: dict[str, Callable[[Any], Any]] = {
    "plain": nullcontext,
    "three words": lambda pipe: attribution.trace(pipe, WORDS),
    "all tokens": attribution.trace,
}
TINY: dict[str, Any] = {"block_out_channels": (32, 32), "norm_num_groups": 8, "layers_per_block": 1, "sample_size": 8}
TINY_SD2 = (
    SD2
    | TINY
    | {
        "attention_head_dim": (2, 4),
        "cross_attention_dim": 16,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    }
)
TINY_SDXL = (
    SDXL
    | TINY
    | {
        "attention_head_dim": (2, 4),
        "cross_attention_dim": 32,
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 16 + 6 * 8,
        "transformer_layers_per_block": (1, 2),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    }
)


class Clock:
    """Seconds and bytes of a call, on whatever device the pipeline is."""

    def __init__(self, device: str) -> None:
        self._cuda = device.startswith("cuda")

    def now(self) -> float:
        """After everything under way is done."""
        if self._cuda:
            torch.cuda.synchronize()
        return time.perf_counter()

    def measure(self, call: Callable[[], object]) -> tuple[float, int]:
        """Seconds of a call, and bytes allocated at most while it ran (0 without a GPU)."""
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()
        began = self.now()
        call()
        spent = self.now() - began
        return spent, torch.cuda.max_memory_allocated() if self._cuda else 0


def generation(pipe: Any, name: str, batch: int, steps: int) -> None:
    """One call of the pipeline by one variant, to its maps."""
    with TRACES[name](pipe):
        latents(pipe, steps, list(range(batch)))


def reference_generation(pipe: Any, batch: int, steps: int) -> None:
    """The reference takes one image at a time."""
    for seed in range(batch):
        with castorini.traced(pipe) as tracer:
            latents(pipe, steps, [seed])
            tracer.compute_global_heat_map()


def compare(pipe: Any, device: str, batch: int, options: argparse.Namespace) -> None:
    """One row a variant."""
    clock = Clock(device)
    calls: dict[str, Callable[[], None]] = {
        name: lambda name=name: generation(pipe, name, batch, options.steps) for name in TRACES
    }
    if castorini.fits(pipe.unet.config.sample_size) or _is_xl_and_known(pipe):
        calls["reference, one by one"] = lambda: reference_generation(pipe, batch, options.steps)
    taken: dict[str, list[tuple[float, int]]] = {name: [] for name in calls}
    for number in range(options.rounds + 1):
        for name, call in calls.items():
            measured = clock.measure(call)
            if number:  # the first round warms up
                taken[name].append(measured)
    plain, plain_bytes = min(taken["plain"])
    for name, turns in taken.items():
        seconds, most = min(turns)
        limit = LIMITS.get(name, {}).get(batch)
        images = batch / (seconds * GENERATION / options.steps)
        write(
            f"  batch {batch:3} {name:24}{images:10.3f} images/s{STUDY / images / 60:9.1f} min a study"
            f"{seconds / plain:9.4f} of plain"
            f"{(most - plain_bytes) / batch / 2**20:+9.1f} MiB an image" + (f"  (limit {limit})" if limit else "")
        )


def check_places(pipe: Any, batch: int) -> None:
    """Whether the denoiser gives a row the same bits wherever in the batch it stands."""
    unet, side = pipe.unet, pipe.unet.config.sample_size
    like = {"device": pipe.device, "dtype": pipe.dtype}
    rows = torch.randn(2 * batch, unet.config.in_channels, side, side, **like)
    context = torch.randn(2 * batch, 77, unet.config.cross_attention_dim, **like)
    extra = {}
    if unet.config.addition_embed_type:
        pooled = unet.config.projection_class_embeddings_input_dim - 6 * unet.config.addition_time_embed_dim
        extra = {"text_embeds": torch.randn(2 * batch, pooled, **like), "time_ids": torch.ones(2 * batch, 6, **like)}
    order = torch.arange(2 * batch, device=pipe.device).flip(0)

    def run(wanted: torch.Tensor) -> torch.Tensor:
        added = {name: values[wanted] for name, values in extra.items()}
        return unet(rows[wanted], 5, context[wanted], added_cond_kwargs=added or None).sample  # type: ignore[no-any-return]

    with torch.no_grad():
        forwards, backwards = run(order.flip(0)), run(order)
    same = torch.equal(forwards.flip(0), backwards)
    write(f"  batch {batch:3} a row's bits {'do not depend' if same else 'DEPEND'} on its place in the batch")


def _is_xl_and_known(pipe: Any) -> bool:
    """XL attends from half its latents' side at most: of 128, these are the 64 that the reference knows."""
    return pipe.unet.config.sample_size == 128 and castorini.reference() is not None


def write(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both models at all batches that fit."""
    parser = argparse.ArgumentParser(description="What tracing costs on a GPU.")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--steps", type=int, default=5, help="denoiser calls a turn (default: 5)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each variant has its turn (default: 5)")
    parser.add_argument("--tiny", action="store_true", help="models of no use, to try this program out")
    options = parser.parse_args(arguments)
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        write("no GPU here: bench_daam_gpu.py measures nothing (--tiny --device cpu tries it out)")
        return
    for title, build, config in (
        ("Stable Diffusion 2 base", stable_diffusion, TINY_SD2 if options.tiny else SD2),
        ("Stable Diffusion XL", stable_diffusion_xl, TINY_SDXL if options.tiny else SDXL),
    ):
        pipe = build(config, device=options.device, dtype=torch.bfloat16)
        parameters = sum(weights.numel() for weights in pipe.unet.parameters()) / 1e6
        write(f"{title}: {parameters:.0f} million parameters, bfloat16, {options.device}")
        for batch in options.batches:
            try:
                check_places(pipe, batch)
                compare(pipe, options.device, batch, options)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                write(f"  batch {batch:3} does not fit into memory")
        del pipe


if __name__ == "__main__":
    main()
