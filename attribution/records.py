"""Plain values that every part of the package exchanges: prompts, words, recipes, generations."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a prompt as the parser saw it.

    ``start`` and ``end`` are character offsets into the prompt (``prompt.text[start:end] == text``).
    ``tag`` is the Universal POS tag, ``relation`` the Universal Dependencies relation to the word with
    index ``head`` in the same prompt; the root of a sentence is its own head.
    """

    text: str
    start: int
    end: int
    tag: str
    lemma: str
    head: int
    relation: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A caption with its words in reading order. ``source_id`` names it in the file it came from."""

    text: str
    words: tuple[Word, ...] = ()
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides an image beside its prompt and seed.

    ``model`` is a shipped name, a folder or a hub id, ``revision`` pins a hub id, ``steps`` counts inference
    steps, ``guidance`` is the classifier-free guidance scale, ``height`` and ``width`` are pixels,
    ``scheduler`` is a diffusers class name ('' = the model's own), ``dtype`` a torch dtype's name.
    """

    model: str
    revision: str = ""
    steps: int = 30
    guidance: float = 7.5
    height: int = 512
    width: int = 512
    scheduler: str = ""
    dtype: str = "float32"

    @property
    def digest(self) -> str:
        """SHA-256 (64 hex digits) of the recipe's canonical JSON."""
        return _digest(asdict(self))


@dataclass(frozen=True, slots=True)
class Generation:
    """One image to make, or made: a prompt's text, a recipe and a seed."""

    prompt: str
    recipe: Recipe
    seed: int

    @property
    def identity(self) -> str:
        """SHA-256 (64 hex digits) over prompt, recipe and seed: equal identities, equal images."""
        return _digest({"prompt": self.prompt, "recipe": asdict(self.recipe), "seed": self.seed})


def _digest(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
