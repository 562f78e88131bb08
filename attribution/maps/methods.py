"""The names of the ways to make a word's map, for programs that offer them without loading torch.

:mod:`attribution.daam.methods` carries them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SUMMARIES: Mapping[str, str] = MappingProxyType(
    {
        "daam": "attention to the word, the mean over steps, layers and heads (Tang et al. 2023)",
        "concept-attention": "what joint attention gives out for the word beside the others (Helbling et al. 2025)",
        "other-word": "a control: the map of another word of the prompt",
        "blob": "a control: a Gaussian in the middle of the picture",
        "uniform": "a control: the same value everywhere",
    }
)
"""One line about each method, by name; the first is the default of every program."""

CONTROLS = ("other-word", "blob", "uniform")
"""Those that explain nothing, to compare the others with."""
