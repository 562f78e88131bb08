"""COCO's 80 object classes, and which nouns mean one: synonyms and kinds of person, by lemma. Reports print the map.

The classes are those of COCO's instance annotations (T.-Y. Lin et al., ECCV 2014). A noun that is wider than its class
("animal", "food") or that means something else as often ("glass", "bat") is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from attribution.records import Word

# fmt: off
CLASSES: Final[tuple[str, ...]] = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)
SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "person": (
        "adult", "baby", "batter", "boy", "bride", "catcher", "chef", "child", "cowboy", "cyclist", "girl", "groom",
        "guy", "kid", "lady", "man", "motorcyclist", "officer", "pedestrian", "people", "pitcher", "player",
        "policeman", "rider", "skateboarder", "skier", "snowboarder", "soldier", "surfer", "teenager", "toddler",
        "umpire", "woman", "worker",
    ),
    "bicycle": ("bike",),
    "car": ("automobile", "sedan", "taxi", "cab", "suv"),
    "motorcycle": ("motorbike", "moped", "scooter"),
    "airplane": ("aeroplane", "plane", "aircraft", "airliner", "jet", "jetliner", "biplane"),
    "train": ("locomotive",),
    "truck": ("lorry", "pickup"),
    "boat": ("ship", "sailboat", "canoe", "kayak", "rowboat", "yacht", "ferry"),
    "traffic light": ("stoplight", "traffic signal", "stop light"),
    "fire hydrant": ("hydrant",),
    "bird": ("duck", "goose", "seagull", "gull", "pigeon", "parrot", "owl", "swan", "pelican"),
    "cat": ("kitten", "kitty"),
    "dog": ("puppy", "pup"),
    "horse": ("pony", "foal"),
    "sheep": ("lamb", "ram", "ewe"),
    "cow": ("bull", "calf", "cattle", "ox"),
    "bear": ("polar bear",),
    "backpack": ("rucksack", "knapsack"),
    "umbrella": ("parasol",),
    "handbag": ("purse",),
    "tie": ("necktie", "bow tie"),
    "suitcase": ("luggage",),
    "frisbee": ("disc",),
    "skis": ("ski",),
    "sports ball": ("ball", "baseball", "soccer ball", "tennis ball", "football", "basketball"),
    "baseball glove": ("mitt", "catcher's mitt"),
    "tennis racket": ("racket", "racquet", "tennis racquet"),
    "cup": ("mug",),
    "donut": ("doughnut",),
    "couch": ("sofa", "loveseat"),
    "potted plant": ("houseplant",),
    "dining table": ("table", "kitchen table"),
    "tv": ("television", "monitor", "tv set"),
    "laptop": ("laptop computer", "notebook computer"),
    "remote": ("remote control", "wii remote"),
    "cell phone": ("phone", "cellphone", "mobile phone", "smartphone"),
    "microwave": ("microwave oven",),
    "oven": ("stove",),
    "refrigerator": ("fridge",),
    "scissors": ("scissor",),
    "teddy bear": ("teddy", "stuffed bear"),
    "hair drier": ("hair dryer", "hairdryer", "blow dryer"),
}
# fmt: on
LONGEST: Final = 2
NOUNS: Final = frozenset({"NOUN", "PROPN"})


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun of a prompt: its lemma (two words where those name a COCO class), its class or None, all its words."""

    name: str
    coco: str | None
    words: tuple[int, ...]


def coco_class(noun: str) -> str | None:
    """The COCO class that ``noun`` (singular, any case) means, or None."""
    return _class_of_noun().get(noun.lower())


def nouns_of(words: Sequence[Word]) -> list[Noun]:
    """The nouns and names of a prompt in order of their first words; a noun said twice is one with both places.

    Two neighbouring words that name a class ("hot dog", "teddy bears") are one noun.
    """
    found: dict[str, list[int]] = {}
    at = 0
    while at < len(words):
        name, length = _noun_at(words, at)
        if name:
            found.setdefault(name, []).extend(range(at, at + length))
        at += length
    return [Noun(name, coco_class(name), tuple(places)) for name, places in found.items()]


def _noun_at(words: Sequence[Word], at: int) -> tuple[str, int]:
    """The noun that starts at a word, and how many words it has; "" where none does."""
    run = words[at : at + LONGEST]
    if len(run) == LONGEST and run[-1].tag in NOUNS:
        first = run[0].text.lower()
        for last in (_lemma(run[-1]), run[-1].text.lower()):
            if f"{first} {last}" in _class_of_noun():
                return f"{first} {last}", LONGEST
    return (_lemma(words[at]) if words[at].tag in NOUNS else ""), 1


def _lemma(word: Word) -> str:
    return (word.lemma or word.text).lower()


@cache
def _class_of_noun() -> dict[str, str]:
    return {name: name for name in CLASSES} | {noun: name for name, nouns in SYNONYMS.items() for noun in nouns}
