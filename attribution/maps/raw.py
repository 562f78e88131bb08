"""An image's heat maps apart: what each step, layer or head contributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from attribution.maps.alignment import Alignment
from attribution.maps.heat_maps import Floats

AXES = ("steps", "layers", "heads")


@dataclass(frozen=True, eq=False)
class RawMaps:
    """What each entry along some axes contributes to an image's maps.

    ``values`` is float32 [one size for each of ``axes``, token, height, width] at the size of the image's own maps;
    its sum over ``axes`` is the image's ``.tokens`` (up to rounding). ``axes`` is in the order of AXES. ``labels``
    names the entries of each axis in order: "steps" the numbers of the denoiser's runs, "layers" the layers' names,
    "heads" pairs of layer and head, so that it stands in for "layers". ``kept[i]`` is the text encoder's position of
    token i. A step's contribution may be below 0 near an edge: the clamp at zero follows the sum over steps.
    """

    values: Floats
    axes: tuple[str, ...]
    labels: dict[str, tuple[Any, ...]]
    alignment: Alignment
    kept: tuple[int, ...]

    def __post_init__(self) -> None:
        sizes = tuple(len(self.labels[axis]) for axis in self.axes)
        if self.values.shape[: len(sizes)] != sizes or self.values.ndim != len(sizes) + 3:
            raise ValueError(f"values of shape {self.values.shape} for axes {self.axes} of sizes {sizes}")

    def total(self) -> Floats:
        """The sum over all axes, float32 [token, height, width]: the image's ``.tokens``."""
        sums: Floats = self.values.sum(axis=tuple(range(len(self.axes))))
        return sums

    def at(self, **entries: Any) -> Floats:
        """The contributions of one entry along some axes, named by its label: ``at(layers="mid_block...")``.

        The named axes are gone from the result. Raises ValueError, naming the known labels, for an unknown one.
        """
        unknown = entries.keys() - set(self.axes)
        if unknown:
            raise ValueError(
                f"no axis {', '.join(sorted(unknown))} in these raw maps; they have {', '.join(self.axes)}"
            )
        index = tuple(self._index(axis, entries[axis]) if axis in entries else slice(None) for axis in self.axes)
        found: Floats = self.values[index]
        return found

    def _index(self, axis: str, label: Any) -> int:
        if label not in self.labels[axis]:
            raise ValueError(f"no {axis} entry {label!r}; there are {', '.join(map(str, self.labels[axis]))}")
        return self.labels[axis].index(label)
