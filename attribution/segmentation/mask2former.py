"""Mask2Former (Cheng et al., CVPR 2022) through transformers: any panoptic or instance checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from PIL import Image

from attribution.errors import SegmenterError
from attribution.segmentation.base import Masks, known
from attribution.segmentation.coco import coco_class
from attribution.segmentation.loading import device_of, folder_of, loading, ready

CHECKPOINT: Final = "facebook/mask2former-swin-large-coco-panoptic"
#: How COCO's panoptic labels mark stuff that joins several kinds ("grass-merged").
_SUFFIXES: Final = ("-merged", "-other", "-stuff")


class Mask2Former:
    """All segments of a noun's label as one mask. ``threshold`` is the least score of a segment (0 to 1).

    A noun has the label of its name, else of its COCO class ("man" is "person"); other nouns are unknown to it.
    """

    def __init__(self, checkpoint: str = CHECKPOINT, device: str | None = None, threshold: float = 0.5) -> None:
        self._checkpoint, self._device, self._threshold = checkpoint, device, threshold
        self.name = f"Mask2Former ({checkpoint})"

    def masks(self, image: Image.Image, nouns: Sequence[str], *, generation: str = "") -> Masks:
        labels = {noun: label for noun in nouns if (label := self._label(noun)) is not None}
        if not labels:
            return {}
        segments, of_label = self._segments(image)
        empty = np.zeros(segments.shape, dtype=bool)
        return known(
            {noun: np.isin(segments, of_label[label]) if label in of_label else empty for noun, label in labels.items()}
        )

    def _segments(self, image: Image.Image) -> tuple[Any, dict[int, list[int]]]:
        """The number of the segment at each pixel, and the numbers of each label's segments."""
        import torch

        processor, model = self._parts
        inputs = processor(images=[image.convert("RGB")], return_tensors="pt").to(device_of(self._device))
        with torch.inference_mode():
            outputs = model(**inputs)
        found = processor.post_process_panoptic_segmentation(
            outputs, threshold=self._threshold, label_ids_to_fuse=set(), target_sizes=[(image.height, image.width)]
        )[0]
        of_label: dict[int, list[int]] = {}
        for segment in found["segments_info"]:
            of_label.setdefault(segment["label_id"], []).append(segment["id"])
        return found["segmentation"].cpu().numpy(), of_label

    def _label(self, noun: str) -> int | None:
        wanted = (noun.lower(), coco_class(noun))
        return next((self._labels[name] for name in wanted if name in self._labels), None)

    @cached_property
    def _labels(self) -> dict[str, int]:
        """Label numbers by plain name."""
        return {_plain(name): int(number) for number, name in self._parts[1].config.id2label.items()}

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        from transformers import Mask2FormerForUniversalSegmentation, Mask2FormerImageProcessorPil

        folder = folder_of(self._checkpoint)
        with loading(self._checkpoint):
            processor = Mask2FormerImageProcessorPil.from_pretrained(folder)
            model = Mask2FormerForUniversalSegmentation.from_pretrained(folder, local_files_only=True)
        if not model.config.id2label:
            raise SegmenterError(f"the segmenter {self._checkpoint!r} does not name its labels (id2label)")
        return processor, ready(model, self._device)


def _plain(label: str) -> str:
    for suffix in _SUFFIXES:
        label = label.removesuffix(suffix)
    return label.lower()
