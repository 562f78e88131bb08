"""What tracing costs: a 30-step generation's U-Net time with maps over without, on one CPU core.

Stable Diffusion 2's topology at a quarter of its width, random weights, guidance on, float32:
``python tests/benchmarks/bench_daam.py [--latents 64] [--batch 1] [--rounds 3] [--steps 1]``. CPU time is measured,
not the clock's, and the variants take turns. On a machine with other work the ratio still strays by several percent;
the share of a U-Net call that goes into recording is measured within the call, and holds there too.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import attribution
from attribution.daam.call import Call

GENERATION = 30
PROMPT = "a dog chasing a red ball in a park"
WORDS = ["a", "in"]  # four letters in all, a token each: as many as three words and a bit in CLIP's vocabulary


def pipeline(latents: int) -> Any:
    """A pipeline whose text encoder and autoencoder cost next to nothing."""
    torch.manual_seed(0)
    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    words = CLIPTokenizer({piece: index for index, piece in enumerate(pieces)}, [], model_max_length=77)
    text = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=256,
        intermediate_size=64,
        num_hidden_layers=1,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )
    unet = UNet2DConditionModel(
        sample_size=latents,
        block_out_channels=(80, 160, 320, 320),
        attention_head_dim=(5, 10, 20, 20),
        cross_attention_dim=256,
        norm_num_groups=16,
        use_linear_projection=True,
    )
    vae = AutoencoderKL(
        block_out_channels=(8,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
    )
    made = StableDiffusionPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(text).eval(),
        tokenizer=words,
        unet=unet.eval(),
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    made.set_progress_bar_config(disable=True)
    return made


@dataclass
class Taken:
    """CPU seconds of one turn: a U-Net call, the recording within it, and what the pipeline did besides."""

    call: float
    recording: float
    rest: float


class Stopwatch:
    """CPU seconds of U-Net calls and of recording within them."""

    def __init__(self, unet: Any) -> None:
        self._calls: list[float] = []
        self._recording = 0.0
        self._began = 0.0
        unet.register_forward_pre_hook(self._start)
        unet.register_forward_hook(self._stop)
        self._record = Call.record
        Call.record = lambda *args: self._timed(*args)  # type: ignore[method-assign]

    def _start(self, *_: Any) -> None:
        self._began = time.process_time()

    def _stop(self, *_: Any) -> None:
        self._calls.append(time.process_time() - self._began)

    def _timed(self, *args: Any) -> None:
        began = time.process_time()
        self._record(*args)
        self._recording += time.process_time() - began

    def measure(self, call: Callable[[], Any]) -> Taken:
        """One turn of one variant."""
        self._calls, self._recording, began = [], 0.0, time.process_time()
        call()
        inside, count = sum(self._calls), len(self._calls)
        return Taken(inside / count, self._recording / count, time.process_time() - began - inside)


VARIANTS: dict[str, Callable[[Any], Any]] = {
    "plain": nullcontext,
    "all tokens, exact": attribution.trace,
    "all tokens, summed first": lambda pipe: attribution.trace(pipe, exact=False),
    "few tokens, exact": lambda pipe: attribution.trace(pipe, WORDS),
}


def measured(pipe: Any, options: argparse.Namespace) -> dict[str, list[Taken]]:
    """The turns of each variant, one a round."""
    stopwatch = Stopwatch(pipe.unet)
    turns: dict[str, list[Taken]] = {name: [] for name in VARIANTS}
    for turn in range(options.rounds + 1):
        for name, observed in VARIANTS.items():
            with observed(pipe):
                taken = stopwatch.measure(lambda: draw(pipe, options))
            if turn:  # the first round warms up
                turns[name].append(taken)
    return turns


def draw(pipe: Any, options: argparse.Namespace) -> None:
    """One call of the pipeline, without decoding."""
    seeds = [torch.Generator().manual_seed(seed) for seed in range(options.batch)]
    pipe([PROMPT] * options.batch, num_inference_steps=options.steps, generator=seeds, output_type="latent")


def report(turns: dict[str, list[Taken]], batch: int) -> None:
    """Print medians over rounds; the ratio is that of a whole generation, with the maps made at its end."""
    columns = ("U-Net call, s", "recording", "maps at the end, s", f"ratio, {GENERATION} steps")
    sys.stdout.write(f"{'variant':26}" + "".join(f"{column:>20}" for column in columns) + "\n")
    for name, taken in turns.items():
        pairs = list(zip(taken, turns["plain"], strict=True))
        call = median(turn.call for turn in taken)
        share = median(turn.recording / (turn.call - turn.recording) for turn in taken)
        ending = max(0.0, median(turn.rest - plain.rest for turn, plain in pairs))
        ratio = median(turn.call / plain.call for turn, plain in pairs) + ending / (GENERATION * call)
        sys.stdout.write(f"{name:26}{call:20.3f}{share:20.2%}{ending:20.3f}{ratio:20.3f}\n")
    sys.stdout.write(f"batch {batch}, one core, float32\n")


def main() -> None:
    """Measure, and print a table of ratios."""
    parser = argparse.ArgumentParser(description="What tracing costs beside plain generation.")
    parser.add_argument("--latents", type=int, default=64, help="height and width of the latents")
    parser.add_argument("--batch", type=int, default=1, help="images a call of the pipeline")
    parser.add_argument("--rounds", type=int, default=3, help="how often each variant has its turn")
    parser.add_argument("--steps", type=int, default=1, help="U-Net calls a turn")
    options = parser.parse_args()
    torch.set_num_threads(1)
    report(measured(pipeline(options.latents), options), options.batch)


if __name__ == "__main__":
    main()
