"""Loading segmentation models of transformers from this machine's disk: nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attribution.errors import SegmenterError


def folder_of(checkpoint: str) -> Path:
    """Where the files of a hub id or a folder are; raises SegmenterError with the command that fetches them."""
    if Path(checkpoint).is_dir():
        return Path(checkpoint)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(checkpoint, local_files_only=True))
    except (OSError, ValueError) as error:
        raise SegmenterError(
            f"no folder {checkpoint!r} and no downloaded model of that name; with a network, fetch it once: "
            f"`hf download {checkpoint}`"
        ) from error


@contextmanager
def loading(checkpoint: str) -> Iterator[None]:
    """Load without bars; whatever transformers raises becomes a SegmenterError that names the checkpoint."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError, ImportError) as error:
        raise SegmenterError(f"the segmenter {checkpoint!r} cannot be loaded: {error}") from error
    finally:
        if shown:
            logging.enable_progress_bar()


def device_of(device: str | None) -> str:
    """``device``, or a CUDA device where there is one, else the CPU."""
    import torch

    return device or ("cuda" if torch.cuda.is_available() else "cpu")


def ready(model: Any, device: str | None) -> Any:
    """The model on its device, not training."""
    return model.to(device_of(device)).eval()
