"""The words of the tiny world and what they look like: data only."""

from __future__ import annotations

from typing import Final

RGB = tuple[int, int, int]

COLOURS: Final[dict[str, RGB]] = {
    "red": (220, 30, 38),
    "orange": (252, 130, 12),
    "yellow": (252, 214, 8),
    "green": (20, 128, 56),
    "blue": (30, 80, 222),
    "purple": (128, 38, 172),
    "pink": (255, 118, 190),
    "brown": (132, 78, 36),
    "white": (252, 252, 252),
}

#: A noun's plural, and the colour of the thing where the caption names none.
NOUNS: Final[dict[str, tuple[str, str]]] = {
    "circle": ("circles", "red"),
    "square": ("squares", "blue"),
    "triangle": ("triangles", "purple"),
    "star": ("stars", "yellow"),
    "moon": ("moons", "white"),
    "sun": ("suns", "orange"),
    "tree": ("trees", "green"),
    "flower": ("flowers", "pink"),
    "cactus": ("cactuses", "green"),
    "house": ("houses", "brown"),
    "fish": ("fish", "orange"),
    "heart": ("hearts", "red"),
}

#: Named bodies; their colours are their own.
NAMES: Final[tuple[str, ...]] = ("Saturn", "Mars", "Earth", "Bob")

#: Cohyponyms: nouns that share a hypernym. The remaining nouns belong to no group.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "heavenly bodies": ("star", "moon", "sun"),
    "plants": ("tree", "flower", "cactus"),
    "plain figures": ("circle", "square", "triangle"),
}

SIZES: Final[dict[str, float]] = {"small": 0.76, "": 1.0, "big": 1.12}

#: A verb's third person and participle, its adverbs (mild, strong).
VERBS: Final[dict[str, tuple[str, str, tuple[str, str]]]] = {
    "float": ("floats", "floating", ("gently", "freely")),
    "rest": ("rests", "resting", ("quietly", "safely")),
    "fall": ("falls", "falling", ("slowly", "quickly")),
    "glow": ("glows", "glowing", ("softly", "brightly")),
}

NUMBERS: Final[dict[int, str]] = {2: "two", 3: "three"}

#: A ground's colours above and below the horizon; equal where there is none.
GROUNDS: Final[dict[str, tuple[RGB, RGB]]] = {
    "plain": ((206, 209, 217), (206, 209, 217)),
    "sky": ((142, 202, 244), (142, 202, 244)),
    "night": ((26, 30, 74), (26, 30, 74)),
    "grass": ((214, 236, 248), (132, 202, 96)),
    "sand": ((250, 216, 206), (234, 204, 140)),
}

#: How a caption names a ground: words with tag, the one that shows it last. ``plain`` is also what silence means.
GROUND_PHRASES: Final[dict[str, tuple[tuple[tuple[str, str], ...], ...]]] = {
    "plain": ((("on", "ADP"), ("a", "DET"), ("plain", "ADJ"), ("background", "NOUN")),),
    "sky": ((("in", "ADP"), ("the", "DET"), ("sky", "NOUN")),),
    "night": ((("at", "ADP"), ("night", "NOUN")), (("during", "ADP"), ("the", "DET"), ("night", "NOUN"))),
    "grass": ((("on", "ADP"), ("the", "DET"), ("grass", "NOUN")), (("over", "ADP"), ("the", "DET"), ("grass", "NOUN"))),
    "sand": ((("on", "ADP"), ("the", "DET"), ("sand", "NOUN")), (("over", "ADP"), ("the", "DET"), ("sand", "NOUN"))),
}

#: Where a caption may put a single thing: the words, and the centre in pixels of 64.
PLACES: Final[dict[str, tuple[tuple[tuple[str, str], ...], tuple[int, int]]]] = {
    "left": ((("on", "ADP"), ("the", "DET"), ("left", "NOUN")), (19, 32)),
    "right": ((("on", "ADP"), ("the", "DET"), ("right", "NOUN")), (45, 32)),
    "top": ((("at", "ADP"), ("the", "DET"), ("top", "NOUN")), (32, 20)),
    "bottom": ((("at", "ADP"), ("the", "DET"), ("bottom", "NOUN")), (32, 44)),
}

SHADE_OF_EFFECT: Final[RGB] = (112, 116, 132)
HALO: Final[RGB] = (255, 246, 186)
