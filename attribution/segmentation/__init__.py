"""Where in an image a noun's thing is: segmenters behind one interface, for object attribution.

Importing this package loads neither torch nor transformers; a segmenter of theirs loads what it needs on first use.
"""

from attribution.segmentation.base import Masks, Segmenter, WholeImage, segmenter

__all__ = ["Masks", "Segmenter", "WholeImage", "segmenter"]
