"""Word heat maps as arrays, files and pictures: NumPy and Pillow only."""

from attribution.maps.alignment import Alignment, Token
from attribution.maps.heat_maps import HeatMap, HeatMaps
from attribution.maps.overlay import heat_map_png

__all__ = ["Alignment", "HeatMap", "HeatMaps", "Token", "heat_map_png"]
