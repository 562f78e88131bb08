"""Training stage two: the text encoder and the U-Net together, on latents made ahead.

Nothing supervises the attention. Half of the time the padding after a caption is hidden from the U-Net, so that it
cannot take a whole caption's summary from there and must read the words; the pictures alone say which pixels a word is
about.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import CLIPTextModel, CLIPTokenizer

from attribution.tinyworld.model import new_scheduler, new_text_encoder, new_unet, use_plain_attention
from attribution.tinyworld.optimiser import Muon
from attribution.tinyworld.pools import Pool, load_or_make, phase_at
from attribution.tinyworld.runs import Log, learning_rate

DROPPED = 0.1  # captions left out, for classifier-free guidance
HIDDEN_PADS = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how hard to train: ``minutes`` in all, across resumptions."""

    minutes: float
    batch: int = 64
    parts: int = 1  # a batch is taken in so many parts: small ones stay in a CPU's cache
    rate: float = 1e-3
    average: float = 0.998
    pool: int = 40_000
    workers: int = 1
    compiled: bool = False
    optimiser: str = "muon"
    phase: str = ""  # the name of the only phase; by default all of them, one after another


class Denoiser(nn.Module):
    """Text encoder and U-Net; called with noised latents, it returns their velocity."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        self.text_encoder: CLIPTextModel = new_text_encoder(tokenizer)
        self.unet: UNet2DConditionModel = new_unet()

    def forward(self, noisy: Tensor, times: Tensor, ids: Tensor, seen: Tensor) -> Tensor:
        """``noisy`` (n, 8, 16, 16), ``times`` (n,), ``ids`` (n, 32), ``seen`` (n, 32) bool: tokens not hidden."""
        words = self.text_encoder(ids).last_hidden_state
        velocity: Tensor = self.unet(noisy, times, words, encoder_attention_mask=seen, return_dict=False)[0]
        return velocity


class Trainer:
    """One run: the denoiser, its moving average, the optimiser, and how far it is."""

    def __init__(self, folder: Path, plan: Plan, device: torch.device, tokenizer: CLIPTokenizer) -> None:
        torch.manual_seed(0)
        self.folder, self.plan, self.device, self.tokenizer = folder, plan, device, tokenizer
        self.model = Denoiser(tokenizer).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if device.type == "cpu":
            use_plain_attention(self.model.unet)
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.optimiser = _optimiser(self.model, plan)
        self.step, self.samples, self.seconds = 0, 0, 0.0
        self.forward = torch.compile(self.model) if plan.compiled else self.model
        scheduler = new_scheduler()
        self.signal = scheduler.alphas_cumprod.sqrt().to(device)
        self.noise = (1 - scheduler.alphas_cumprod).sqrt().to(device)
        self.blank = torch.tensor(tokenizer("", padding="max_length").input_ids, device=device)

    @property
    def fraction(self) -> float:
        return self.seconds / (60 * self.plan.minutes)

    def resume(self) -> bool:
        """Take up the newest checkpoint; False if there is none."""
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return False
        saved = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.step, self.samples, self.seconds = saved["step"], saved["samples"], saved["seconds"]
        return True

    def save(self) -> None:
        partial = self.folder / "checkpoint.partial"
        state: dict[str, Any] = {name: getattr(self, name) for name in ("step", "samples", "seconds")}
        for name in ("model", "average", "optimiser"):
            state[name] = getattr(self, name).state_dict()
        torch.save(state, partial)
        partial.replace(self.folder / "checkpoint.pt")

    def advance(self, pool: Pool, generator: torch.Generator) -> Tensor:
        """One step; its loss, a scalar tensor on the device."""
        started = time.monotonic()
        rate = learning_rate(1.0, self.step, self.fraction)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate
        self.optimiser.zero_grad()
        loss = torch.zeros((), device=self.device)
        for _ in range(self.plan.parts):
            part = self._loss(*pool.draw(self.plan.batch // self.plan.parts, generator), generator) / self.plan.parts
            part.backward()  # type: ignore[no-untyped-call]
            loss += part.detach()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self._move_average()
        self.step += 1
        self.samples += self.plan.batch
        self.seconds += time.monotonic() - started
        return loss

    def _loss(self, latents: Tensor, ids: Tensor, generator: torch.Generator) -> Tensor:
        count = len(ids)
        chances = torch.rand(3, count, generator=generator).to(self.device)
        times = (chances[0] ** 0.6 * 1000).long().clamp(max=999)  # more of the noisy steps, where words decide most
        ids = torch.where(chances[1, :, None] < DROPPED, self.blank, ids)
        seen = (ids != self.blank[-1]) | (chances[2, :, None] >= HIDDEN_PADS)
        seen[:, 0] = True
        noise = torch.randn(latents.shape, generator=generator).to(self.device)
        signal, spread = (table[times][:, None, None, None] for table in (self.signal, self.noise))
        noisy = (signal * latents + spread * noise).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            velocity = self.forward(noisy, times, ids, seen)
        return F.mse_loss(velocity.float(), signal * noise - spread * latents)

    @torch.no_grad()
    def _move_average(self) -> None:
        decay = min(self.plan.average, (self.step + 1) / (self.step + 10))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)


def _optimiser(model: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    if plan.optimiser == "muon":
        return Muon(model, plan.rate)
    groups = [{"params": list(model.parameters()), "peak": plan.rate}]
    return torch.optim.AdamW(groups, lr=plan.rate, betas=(0.9, 0.99), weight_decay=0.01)


def train_unet(
    trainer: Trainer, vae: AutoencoderKL, log: Log, on_save: Callable[[], None], save_minutes: float = 5.0
) -> None:
    """Train until the plan's minutes are used up, phase by phase; log lines and checkpoints, each with ``on_save``."""
    pool, name, losses = None, "", []
    generator = torch.Generator().manual_seed(trainer.step)
    saved = trainer.seconds
    while trainer.fraction < 1:
        phase = phase_at(trainer.fraction, trainer.plan.phase)
        if pool is None or phase.name != name:
            name = phase.name
            path = trainer.folder / f"pool-{name}.pt"
            pool = load_or_make(path, phase, trainer.plan.pool, vae, trainer.tokenizer, trainer.plan.workers)
        losses.append(trainer.advance(pool, generator))
        if len(losses) == 50:
            _report(trainer, log, name, losses)
            losses = []
        if trainer.seconds - saved > 60 * save_minutes:
            trainer.save()
            on_save()
            saved = trainer.seconds
    trainer.save()
    on_save()


def _report(trainer: Trainer, log: Log, phase: str, losses: list[Tensor]) -> None:
    log.write(
        stage="unet",
        phase=phase,
        step=trainer.step,
        samples=trainer.samples,
        minutes=round(trainer.seconds / 60, 2),
        loss=round(float(torch.stack(losses).mean()), 4),
    )
