"""Items with known answers from a manifest: for the pictures of any model, with masks drawn by people or segmenters.

A JSON list; each entry names a picture of the study by the beginning of its generation's identity, and a word of its
prompt, by ``occurrence`` (from 1) where the word stands there more than once:

    {"generation": "3f9a", "word": "dog", "mask": "masks/dog.png"}                                           gold
    {"generation": "3f9a", "word": "dog", "mask": "masks/dog.png", "lowest": 4, "highest": 5}            practice
    {"generation": "3f9a", "word": "dog", "map_of": "sky", "lowest": 1, "highest": 2, "reasons": {"en": "..."}}
    {"generation": "3f9a", "word": "the", "opt_out": "word_too_abstract"}
    {"generation": "77b0", "word": "cat", "second_word": "dog", "first_present": true, "second_present": false}

A mask is an image file beside the manifest, light where the word is shown.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from django.core.exceptions import ValidationError
from django.db import transaction
from PIL import Image

from annotation_site.stimuli.models import Generation, Word
from annotation_site.studies.gold import Mask, NotAMask, add_gold_item, add_known_item, store_mask
from annotation_site.studies.models import Item, Study

ANSWER = ("lowest", "highest", "opt_out", "first_present", "second_present", "reasons")
KNOWN = {"generation", "word", "occurrence", "second_word", "mask", "map_of", *ANSWER}


class BadManifest(Exception):
    """An entry cannot be used; the message names the entry and what is wrong with it."""


@transaction.atomic
def add_from_manifest(study: Study, path: Path, purpose: str) -> list[Item]:
    """The items of a manifest, all or none. A gold entry with a mask becomes two: the mask, and its complement."""
    made: list[Item] = []
    for number, entry in enumerate(_read(path), start=1):
        try:
            made += _add(study, entry, path.parent, purpose)
        except (KeyError, TypeError, ValueError, NotAMask, ValidationError, OSError) as error:
            said = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
            raise BadManifest(f"{path}, entry {number}: {said}") from error
        except BadManifest as error:
            raise BadManifest(f"{path}, entry {number}: {error}") from error
    return made


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadManifest(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadManifest(f"{path} must be a list of entries, each an object.")
    return entries


def _add(study: Study, entry: dict[str, Any], folder: Path, purpose: str) -> list[Item]:
    unknown = sorted(set(entry) - KNOWN)
    if unknown:
        raise BadManifest(f"{', '.join(unknown)}: no such field; there are {', '.join(sorted(KNOWN))}.")
    generation = _generation(study, entry["generation"])
    word = _word(generation, entry["word"], entry.get("occurrence", 1))
    mask = _mask(folder / entry["mask"]) if "mask" in entry else None
    known = {name: entry[name] for name in ANSWER if name in entry}
    if purpose == Item.Purpose.GOLD and mask is not None and not known:
        return [add_gold_item(study, generation, word, mask, good=good) for good in (True, False)]
    shown: dict[str, Any] = store_mask(mask) if mask is not None else {}
    if "map_of" in entry:
        shown = {"map_source": Item.MapSource.OTHER_WORD, "map_word": _word(generation, entry["map_of"], 1)}
    if "second_word" in entry:
        shown["second_word"] = _word(generation, entry["second_word"], 1)
    return [add_known_item(study, generation, word, purpose=purpose, known=known, **shown)]


def _generation(study: Study, identity: str) -> Generation:
    mine = Generation.objects.filter(items__study=study, identity__startswith=identity, state=Generation.State.DONE)
    found = list(mine.select_related("prompt").distinct().order_by("id")[:2])
    if len(found) != 1:
        raise BadManifest(
            f"generation {identity!r} is {len(found) or 'none'} of the study's finished pictures: name one."
        )
    return found[0]


def _word(generation: Generation, text: str, occurrence: int) -> Word:
    words = list(generation.prompt.words.filter(text=text).order_by("index"))
    if not 1 <= occurrence <= len(words):
        raise BadManifest(
            f"{text!r} stands {len(words)} times in {generation.prompt.text!r}: no occurrence {occurrence}."
        )
    return words[occurrence - 1]


def _mask(path: Path) -> Mask:
    with Image.open(path) as image:
        return np.asarray(image.convert("L")) > 127
