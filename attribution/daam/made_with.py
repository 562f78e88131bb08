"""What drew an image, beside recipe, prompt and seed: all that its last bits can depend on."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import torch

from attribution.daam.batches import device_name
from attribution.presets import fingerprint, model_files
from attribution.records import Recipe

PACKAGES = ("attest", "torch", "diffusers", "transformers", "tokenizers", "accelerate", "numpy", "pillow")
KERNELS = ("cudnn", "flash", "math", "mem_efficient")
LOST = ("cuda error", "cudnn_status", "cublas_status", "device-side assert", "hip error")


def made_with(pipeline: Any, recipe: Recipe) -> dict[str, Any]:
    """Versions, device, types and attention of a loaded pipeline, as plain values for JSON.

    With the recipe, the prompt and the seed they say how to make the image again: the same weights (``weights`` is a
    folder's or file's fingerprint, ``revision`` a hub id's commit), the same libraries, device and number of threads.
    """
    files = model_files(recipe.model)
    return {
        "device": device_name(pipeline.device),
        "dtype": str(pipeline.dtype).removeprefix("torch."),
        "pipeline": type(pipeline).__name__,
        "scheduler": recipe.scheduler or type(pipeline.scheduler).__name__,
        "attention": _attention(pipeline),
        "weights": fingerprint(files) if files is not None else "",
        "revision": recipe.revision,
        "versions": {**_versions(), **_accelerator()},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "tf32": torch.backends.cuda.matmul.allow_tf32,
    }


def is_device_lost(error: BaseException) -> bool:
    """Whether the device has failed in a way that lasts until the process ends; running out of memory is not."""
    text = str(error).lower()
    return isinstance(error, RuntimeError) and "out of memory" not in text and any(word in text for word in LOST)


def _attention(pipeline: Any) -> dict[str, Any]:
    """The denoiser's attention processors, and which of torch's kernels they may take."""
    denoiser = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    processors = getattr(denoiser, "attn_processors", {})
    enabled = [name for name in KERNELS if getattr(torch.backends.cuda, f"{name}_sdp_enabled")()]
    return {
        "processors": sorted({type(processor).__name__ for processor in processors.values()}),
        "kernels": enabled,
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _accelerator() -> dict[str, str]:
    if not torch.cuda.is_available():
        return {}
    return {"cuda": str(torch.version.cuda), "cudnn": str(torch.backends.cudnn.version())}  # type: ignore[no-untyped-call]
