"""A scheduler that leads a pipeline along the noising of a true picture instead of the model's own way.

With it a traced pipeline call shows what the model attends to on pictures whose masks are exact.
"""

from __future__ import annotations

from typing import Any

from diffusers import DDIMScheduler
from diffusers.schedulers.scheduling_ddim import DDIMSchedulerOutput
from torch import Tensor


class ReplayScheduler(DDIMScheduler):  # type: ignore[misc]
    """DDIM whose step ignores the model's answer and returns the true latents with the next step's noise."""

    def follow(self, latents: Tensor, noise: Tensor) -> None:
        """Replay ``latents`` (n, channels, height, width), scaled as the pipeline's, noised with ``noise``."""
        self._latents, self._noise = latents, noise

    def step(self, model_output: Tensor, timestep: Any, sample: Tensor, *_: Any, **options: Any) -> Any:
        """The state of the true picture one step later; clean latents after the last."""
        later = int(timestep) - self.config.num_train_timesteps // self.num_inference_steps
        state = self._latents
        if later >= 0:
            signal = self.alphas_cumprod[later].sqrt().to(sample)
            state = signal * self._latents + (1 - signal**2).sqrt() * self._noise
        return DDIMSchedulerOutput(prev_sample=state) if options.get("return_dict", True) else (state,)
