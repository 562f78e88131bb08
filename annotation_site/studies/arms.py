"""Arms: the same words of the same images shown with several maps, to see whether raters can tell them apart.

Each arm is an item of its own with seats of its own, so that every map of a word is judged equally often. In a study's
order each word comes once in every stretch, its arms rotated, so that any stretch holds all arms alike. A rater may
meet a word again under another arm; nothing on the page tells the arms apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from django.db import transaction
from django.db.models import Max

from annotation_site.stimuli import files
from annotation_site.stimuli.models import Word
from annotation_site.studies.models import Item, Study

T = TypeVar("T")
REFERENCE = "daam"
SOURCES = {
    REFERENCE: Item.MapSource.OWN,
    "other-word": Item.MapSource.OTHER_WORD,
    "blob": Item.MapSource.BLOB,
    "uniform": Item.MapSource.UNIFORM,
}


class ArmError(Exception):
    """The arms cannot be made; the message names what is missing."""


def check_arms(arms: Sequence[str]) -> None:
    """Refuse unknown and repeated arms, and arms without the reference that they are compared with."""
    unknown = sorted(set(arms) - set(SOURCES))
    if unknown:
        raise ArmError(f"Arm {unknown[0]!r} is not known: choose from {', '.join(SOURCES)}.")
    if len(set(arms)) != len(arms):
        raise ArmError(f"Arms {', '.join(arms)} name one twice: name each once.")
    if arms and (REFERENCE not in arms or len(arms) < 2):
        raise ArmError(f"Arms {', '.join(arms)}: name {REFERENCE!r} and at least one other to compare it with.")


def rotated(things: Sequence[T], arms: Sequence[str]) -> Iterator[tuple[T, str]]:
    """Each thing once with every arm, in as many passes as there are arms; without arms once, under none."""
    names = arms or ("",)
    for turn in range(len(names)):
        for place, thing in enumerate(things):
            yield thing, names[(place + turn) % len(names)]


def other_word(words: Iterable[Word], target: Word, rng: random.Random) -> Word:
    """Another word of the same prompt, drawn at random; punctuation and the target's own repeats are left out."""
    others = [
        word
        for word in sorted(words, key=lambda each: each.index)
        if word.tag != "PUNCT" and word.text.lower() != target.text.lower()
    ]
    if not others:
        raise ArmError(f"{target.text!r} is the only word of {target.prompt.text!r}: leave the arm other-word out.")
    return rng.choice(others)


@transaction.atomic
def add_arm(study: Study, name: str, folder: Path) -> int:
    """Add another method's maps to a draft as an arm: one ``IDENTITY-START-END.npy`` for each word; how many.

    ``IDENTITY`` is the image's, ``START`` and ``END`` the word's characters in its prompt. Each file is float32 or
    uint8 [height, width]. Items without an arm become the reference. Raises ArmError.
    """
    if study.state != Study.State.DRAFT:
        raise ArmError(f"Study {study.slug!r} is {study.state}: arms are added to a draft.")
    if name in SOURCES or not name or study.items.filter(arm=name).exists():
        raise ArmError(f"Arm {name!r} is taken: choose another name than {', '.join(SOURCES)} and the study's own.")
    own = study.items.in_use().filter(map_source=Item.MapSource.OWN).select_related("generation", "word")
    items = list(own.order_by("position"))
    last = study.items.aggregate(last=Max("position"))["last"]
    study.items.in_use().filter(arm="", map_source=Item.MapSource.OWN).update(arm=REFERENCE)
    made = [_imported(item, name, folder, last + 1 + place) for place, item in enumerate(items)]
    Item.objects.bulk_create(made, batch_size=500)
    return len(made)


def _imported(item: Item, name: str, folder: Path, position: int) -> Item:
    path = folder / f"{item.generation.identity}-{item.word.start}-{item.word.end}.npy"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArmError(f"{path} cannot be read: give a map for every word of the study.") from error
    digest = files.sha256(content)
    stored = f"arms/{digest[:2]}/{digest}.npy"
    files.write(stored, content)
    return Item(
        study_id=item.study_id,
        generation=item.generation,
        word=item.word,
        arm=name,
        map_source=Item.MapSource.FILE,
        map_file=stored,
        map_sha256=digest,
        position=position,
    )
