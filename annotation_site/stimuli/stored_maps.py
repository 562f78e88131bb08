"""The maps of a generation as they were written, or an error that names the file."""

from __future__ import annotations

from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation
from attribution.maps import HeatMaps


def heat_maps(generation: Generation) -> HeatMaps:
    """Raises OSError where a file is missing or damaged (FileDamaged), MapFileError where it holds no maps."""
    name = str(generation.maps.name).removesuffix(".npz")
    content = files.read_whole(f"{name}.npz", generation.maps_sha256)
    return HeatMaps.from_bytes(content, files.read(f"{name}.json"), name=name)
