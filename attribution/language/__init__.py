"""Captions, their analysis into words, and the sampling of words by part of speech.

Importing this package does not import spaCy; :func:`load_parser` does.
"""

from attribution.language.captions import Caption, load_captions
from attribution.language.parser import Parser, load_parser
from attribution.language.sampling import Pair, Sample, TagRow, sample_pairs

__all__ = ["Caption", "Pair", "Parser", "Sample", "TagRow", "load_captions", "load_parser", "sample_pairs"]
