"""What tracing costs: a 30-step generation's U-Net time with maps over without, on one CPU core, and memory beside it.

Stable Diffusion 2's topology at a quarter of its width, random weights, guidance on, float32:
``python tests/benchmarks/bench_daam.py [--latents 64] [--rounds 7] [--steps 1] [--only time]``. CPU time is measured,
not the clock's; the variants take turns, a U-Net call each, and each is judged by its shortest. Memory is the largest
resident size of a process of its own for each variant (30 steps need no more than 3: the sums do not grow).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import castorini
import torch
from daam_models import PROMPT, SD2_QUARTER, WORDS, latents, stable_diffusion

import attribution
from attribution.daam.call import Call

GENERATION = 30
LIMITS = {"all tokens": (1.03, 30.0), "three words": (1.01, 5.0)}
"""The largest ratio of time, and the most MB an image, that the project asks for."""

VARIANTS: dict[str, Callable[[Any], Any]] = {
    "plain": nullcontext,
    "all tokens": attribution.trace,
    "three words": lambda pipe: attribution.trace(pipe, WORDS),
    "all tokens, summed first": lambda pipe: attribution.trace(pipe, exact=False),
    "reference": castorini.traced,
}


def variants(side: int) -> list[str]:
    """The names of what can be measured here."""
    return [name for name in VARIANTS if name != "reference" or castorini.fits(side)]


@dataclass
class Turns:
    """CPU seconds of one variant's U-Net calls, of recording within each, and of the maps at a generation's end."""

    calls: list[float] = field(default_factory=list)
    recordings: list[float] = field(default_factory=list)
    endings: list[float] = field(default_factory=list)

    @property
    def generation(self) -> float:
        """A generation of thirty steps, from the shortest turns."""
        return GENERATION * min(self.calls) + min(self.endings)


class Stopwatch:
    """CPU seconds of U-Net calls, and of the tracer's own work within them and after them."""

    def __init__(self, unet: Any) -> None:
        self._exits = ExitStack()
        self._unet = unet
        self._began = 0.0
        self.spent = {"call": 0.0, "record": 0.0, "finish": 0.0}

    def __enter__(self) -> Stopwatch:
        self._exits.callback(self._unet.register_forward_pre_hook(self._start).remove)
        self._exits.callback(self._unet.register_forward_hook(self._stop).remove)
        for name in ("record", "finish"):
            own = getattr(Call, name)
            self._exits.callback(setattr, Call, name, own)
            setattr(Call, name, self._timed(name, own))
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def _start(self, *_: Any) -> None:
        self._began = time.process_time()

    def _stop(self, *_: Any) -> None:
        self.spent["call"] += time.process_time() - self._began

    def _timed(self, name: str, own: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            began = time.process_time()
            result = own(*args)
            self.spent[name] += time.process_time() - began
            return result

        return call


def turn(pipe: Any, watch: Stopwatch, name: str, steps: int, turns: Turns) -> None:
    """Draw one image by one variant, and note what it took."""
    watch.spent = dict.fromkeys(watch.spent, 0.0)
    with VARIANTS[name](pipe) as tracer:
        latents(pipe, steps, [0])
        if name == "reference":
            began = time.process_time()
            tracer.compute_global_heat_map()
            watch.spent["finish"] = time.process_time() - began
    turns.calls.append(watch.spent["call"] / steps)
    turns.recordings.append(watch.spent["record"] / steps)
    turns.endings.append(watch.spent["finish"])


def measure_time(pipe: Any, rounds: int, steps: int) -> dict[str, Turns]:
    """The turns of each variant, one a round; a first round warms up."""
    measured = {name: Turns() for name in variants(pipe.unet.config.sample_size)}
    with Stopwatch(pipe.unet) as watch:
        for number in range(rounds + 1):
            for name, turns in measured.items():
                turn(pipe, watch, name, steps, turns if number else Turns())
    return measured


def report_time(measured: dict[str, Turns]) -> None:
    """One row a variant; the ratio is that of whole generations, with the maps made at their end."""
    write(f"{'variant':26}{'U-Net call, s':>15}{'recording':>12}{'end, s':>9}{'ratio, 30 steps':>17}{'limit':>8}")
    plain = measured["plain"].generation
    for name, turns in measured.items():
        share = median(turns.recordings) / (median(turns.calls) - median(turns.recordings))
        limit = f"{LIMITS[name][0]:.2f}" if name in LIMITS else ""
        write(
            f"{name:26}{min(turns.calls):15.3f}{share:12.2%}{min(turns.endings):9.3f}"
            f"{turns.generation / plain:17.4f}{limit:>8}"
        )


def measure_batch(pipe: Any, steps: int) -> None:
    """Four images with all maps in one call, beside four calls of the reference, an image each; CPU seconds."""
    batch = [0, 1, 2, 3]
    with attribution.trace(pipe) as tracer:
        ours = seconds(lambda: latents(pipe, steps, batch))
    write(f"four images in a batch with all maps, {steps} steps: {ours:.1f} s")
    if not castorini.fits(pipe.unet.config.sample_size):
        return
    theirs = 0.0
    for seed in batch:
        with castorini.traced(pipe) as their_tracer:
            theirs += seconds(lambda seed=seed: latents(pipe, steps, [seed]))
            began = time.process_time()
            maps = their_tracer.compute_global_heat_map().heat_maps.numpy()
            theirs += time.process_time() - began
        own = tracer.heat_maps()[seed].tokens[: len(maps)] * steps
        difference = float((abs(own - maps).max(axis=(1, 2)) / maps.max(axis=(1, 2))).max())
        write(f"  image {seed}: ours times steps and the reference's differ by {difference:.1e} of a map's maximum")
    write(f"the reference, one by one: {theirs:.1f} s; ours over the reference: {ours / theirs:.3f}")


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def measure_memory(options: argparse.Namespace) -> None:
    """MB above the plain process, for each variant in a process of its own."""
    peaks = {name: peak_of(name, options) for name in variants(options.latents)}
    for name, peak in peaks.items():
        limit = f"(limit {LIMITS[name][1]:.0f})" if name in LIMITS else ""
        write(f"{name:26}{peak:9.1f} MB at most, {peak - peaks['plain']:+8.1f} MB over plain {limit}")


def peak_of(name: str, options: argparse.Namespace) -> float:
    """The largest resident size in MB of a process that draws one image of three steps by one variant."""
    command = [sys.executable, __file__, "--child", name, "--latents", str(options.latents)]
    # Large tensors are mapped and unmapped one by one, so that the resident size follows what is alive.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(run.stdout.splitlines()[-1]))


def child(name: str, options: argparse.Namespace) -> None:
    """Draw by one variant, and print this process's largest resident size."""
    pipe = stable_diffusion(SD2_QUARTER | {"sample_size": options.latents})
    with VARIANTS[name](pipe) as tracer:
        latents(pipe, 3, [0])
        if name == "reference":
            tracer.compute_global_heat_map()
    write(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def write(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print tables of ratios."""
    parser = argparse.ArgumentParser(description="What tracing costs beside plain generation.")
    parser.add_argument("--latents", type=int, default=64, help="height and width of the latents (default: 64)")
    parser.add_argument("--rounds", type=int, default=7, help="how often each variant has its turn (default: 7)")
    parser.add_argument("--steps", type=int, default=1, help="U-Net calls a turn (default: 1)")
    parser.add_argument("--only", choices=["time", "memory", "batch"], help="one of the three parts")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if options.child:
        child(options.child, options)
        return
    write(f"quarter width, {options.latents} x {options.latents} latents, float32, one core; prompt {PROMPT!r}")
    write(f"load of the machine: {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
    if castorini.reference() is None:
        write("the reference is not installed: `make bench` puts it into .venv/reference")
    if options.only in (None, "memory"):
        measure_memory(options)
    pipe = stable_diffusion(SD2_QUARTER | {"sample_size": options.latents})
    if options.only in (None, "time"):
        report_time(measure_time(pipe, options.rounds, options.steps))
    if options.only in (None, "batch"):
        measure_batch(pipe, 2)


if __name__ == "__main__":
    main()
