"""Training stage one: the autoencoder."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 -- torch's own habit

from attribution.tinyworld.grammar import captions
from attribution.tinyworld.model import new_vae
from attribution.tinyworld.optimiser import Muon
from attribution.tinyworld.runs import Log, learning_rate
from attribution.tinyworld.scenes import draw
from attribution.tinyworld.sheets import sheet

_KL = 1e-4  # a larger weight blurs the latents, a smaller one leaves channels of very unequal scale


def pixels(count: int, seed: int) -> Tensor:
    """(count, 3, 64, 64) float32 in [-1, 1]: scenes of the crowded world."""
    rng = np.random.default_rng(seed)
    scenes = [draw(caption, rng, jitter=8.0).pixels for caption in captions(count, seed)]
    return torch.from_numpy(np.stack(scenes)).permute(0, 3, 1, 2).float() / 127.5 - 1


def train_vae(folder: Path, minutes: float, device: torch.device, log: Log, batch: int = 12) -> AutoencoderKL:
    """Train for ``minutes``; write ``folder/vae`` with its scaling factor set, and a sheet of reconstructions."""
    torch.manual_seed(0)
    vae = new_vae().to(device)
    _train(vae, vae, minutes, device, log, batch)
    vae.register_to_config(scaling_factor=float(1 / _means(vae, pixels(48, 1).to(device)).std()))
    return _finish(vae.eval(), folder, device, log)


def refine_decoder(folder: Path, minutes: float, device: torch.device, log: Log, batch: int = 12) -> AutoencoderKL:
    """Train only the decoder of ``folder/vae`` for ``minutes``: latents, and a U-Net trained on them, stay valid."""
    torch.manual_seed(1)
    vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32).to(device)
    vae.requires_grad_(False)
    vae.post_quant_conv.requires_grad_(True)
    vae.decoder.requires_grad_(True)
    _train(vae, vae.decoder, minutes, device, log, batch)
    return _finish(vae.eval(), folder, device, log)


def _train(vae: AutoencoderKL, trained: nn.Module, minutes: float, device: torch.device, log: Log, batch: int) -> None:
    optimiser = Muon(trained, 1e-3)
    start, step, fraction = time.monotonic(), 0, 0.0
    seeds = 10_000 if trained is vae else 500_000
    while fraction < 1:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(group["peak"], step, fraction)
        loss, noise = _step(vae, optimiser, pixels(batch, seeds + step).to(device))
        step += 1
        fraction = (time.monotonic() - start) / (60 * minutes)
        if step % 50 == 0:
            log.write(stage="vae", step=step, samples=step * batch, loss=round(loss, 5), psnr=round(noise, 2))


def _step(vae: AutoencoderKL, optimiser: torch.optim.Optimizer, images: Tensor) -> tuple[float, float]:
    """One step; the loss, and the reconstruction's peak signal-to-noise ratio in dB."""
    with torch.autocast(images.device.type, torch.bfloat16):
        posterior = vae.encode(images).latent_dist
        rebuilt = vae.decode(posterior.sample()).sample.float()
    error = F.mse_loss(rebuilt, images)
    loss = error + 0.2 * F.l1_loss(rebuilt, images) + _KL * posterior.kl().mean() / posterior.mean[0].numel()
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
    optimiser.step()
    return float(loss.detach()), float(10 * torch.log10(4 / error.detach()))


@torch.no_grad()
def _means(vae: AutoencoderKL, images: Tensor) -> Tensor:
    means: Tensor = vae.encode(images).latent_dist.mean
    return means


@torch.no_grad()
def _finish(vae: AutoencoderKL, folder: Path, device: torch.device, log: Log) -> AutoencoderKL:
    images = pixels(96, 1).to(device)
    latents = _means(vae, images)
    rebuilt = vae.decode(latents).sample.clamp(-1, 1)
    psnr = float(10 * torch.log10(4 / F.mse_loss(rebuilt, images)))
    spread = [round(float(value), 2) for value in latents.std(dim=(0, 2, 3))]
    log.write(stage="vae", done=True, held_out_psnr=round(psnr, 2), channel_spread=spread)
    vae.save_pretrained(folder / "vae")
    pairs = torch.stack([images, rebuilt], 1).flatten(0, 1)[:48].add(1).mul(127.5).round().byte()
    sheet(list(pairs.permute(0, 2, 3, 1).cpu().numpy()), [""] * 48, columns=8).save(folder / "vae.png")
    return vae
