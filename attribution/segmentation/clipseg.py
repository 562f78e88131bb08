"""CLIPSeg (Lueddecke and Ecker, CVPR 2022) through transformers: marks whatever a text names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from PIL import Image

from attribution.errors import SegmenterError
from attribution.segmentation.base import Masks, known
from attribution.segmentation.loading import device_of, folder_of, loading, ready

CHECKPOINT: Final = "CIDAS/clipseg-rd64-refined"
TEMPLATE: Final = "a photo of a {}"


class ClipSeg:
    """A noun's mask is where its probability is at least ``threshold`` (0 to 1); ``template`` asks for it."""

    def __init__(
        self,
        checkpoint: str = CHECKPOINT,
        device: str | None = None,
        threshold: float = 0.5,
        template: str = TEMPLATE,
    ) -> None:
        if not 0 < threshold < 1:
            raise SegmenterError(f"threshold {threshold} of CLIPSeg: give a probability between 0 and 1")
        self._checkpoint, self._device, self._threshold, self._template = checkpoint, device, threshold, template
        self.name = f"CLIPSeg ({checkpoint}, {threshold:g})"

    def masks(self, image: Image.Image, nouns: Sequence[str], *, generation: str = "") -> Masks:
        if not nouns:
            return {}
        import torch

        processor, model = self._parts
        texts = [self._template.format(noun) for noun in nouns]
        asked = processor(
            text=texts, images=[image.convert("RGB")] * len(texts), return_tensors="pt", padding=True, truncation=True
        ).to(device_of(self._device))
        with torch.inference_mode():
            # One text gives [height, width], several [text, height, width].
            logits = model(**asked).logits.reshape(len(texts), 1, *model_side(model))
            large = torch.nn.functional.interpolate(logits, (image.height, image.width), mode="bilinear")
        marked = (large[:, 0].sigmoid() >= self._threshold).cpu().numpy()
        return known(dict(zip(nouns, marked, strict=True)))

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        from transformers import AutoTokenizer, CLIPSegForImageSegmentation, CLIPSegProcessor, ViTImageProcessorPil

        folder = folder_of(self._checkpoint)
        with loading(self._checkpoint):
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            pictures = ViTImageProcessorPil.from_pretrained(folder)
            model = CLIPSegForImageSegmentation.from_pretrained(folder, local_files_only=True)
        return CLIPSegProcessor(pictures, tokenizer), ready(model, self._device)


def model_side(model: Any) -> tuple[int, int]:
    """Height and width of the model's logits: those of the pictures that it takes."""
    side = model.config.vision_config.image_size
    return side, side
