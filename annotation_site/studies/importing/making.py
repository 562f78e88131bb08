"""From checked rows to a draft study, or more items of one: all of them or, unless asked otherwise, nothing."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max

from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, Prompt, Recipe, Word
from annotation_site.studies.arms import REFERENCE, rotated
from annotation_site.studies.building import interleave
from annotation_site.studies.importing.bundles import Bundle
from annotation_site.studies.importing.checking import Checked, Checks, Refusal, check, workspace
from annotation_site.studies.importing.manifest import ROWS, UNTAGGED, Target
from annotation_site.studies.members import Member
from annotation_site.studies.models import Item, Study
from attribution import records

KINDS = (Study.Kind.LIKERT, Study.Kind.PRESENCE)
Parse = Callable[[Sequence[str]], Mapping[str, Sequence[records.Word]]]


class ImportRefused(Exception):
    """The import as a whole cannot be made; the message says why and what to do."""


@dataclass
class Outcome:
    """What came of an import; ``study`` is None where nothing was imported."""

    study: Study | None
    rows: int = 0
    images: int = 0
    items: int = 0
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """Where an import goes: a new study of this slug and kind, or the draft that has it."""

    slug: str
    kind: str
    title: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


def import_stimuli(
    content: bytes,
    bundle: Bundle,
    wanted: Wanted,
    *,
    source: str,
    now: datetime,
    seed: int = 0,
    owner: Any = None,
    skip_refused: bool = False,
    most: int = ROWS,
    parse: Parse | None = None,
    on_row: Callable[[], None] = lambda: None,
) -> Outcome:
    """Import a manifest's rows. With a refused one nothing is imported, unless ``skip_refused``.

    ``source`` names the manifest in what is stored; ``owner`` becomes a researcher of a new study; ``parse`` gives the
    words of prompts, for rows without a tag. Raises ImportRefused, and StorageUnavailable before any row is made.
    """
    _checked_target(wanted)
    with workspace() as folder:
        found = check(content, bundle, wanted.kind, Path(folder), most=most, on_row=on_row)
        if not found.rows or (found.refused and not skip_refused):
            return Outcome(None, refused=found.refused, notes=found.notes)
        words = parse(sorted({each.row.prompt for each in found.rows})) if parse else {}
        _store(found)
        try:
            with transaction.atomic():
                study, items = _make(found.rows, wanted, words, source=source, now=now, seed=seed, owner=owner)
                origin = {"source": source, "sha256": hashlib.sha256(content).hexdigest(), "rows": len(found.rows)}
                imported = [*study.sampling.get("imported", []), origin | {"refused": len(found.refused)}]
                study.sampling = {**study.sampling, "imported": imported}
                study.save(update_fields=["sampling"])
        except IntegrityError as error:
            raise ImportRefused(
                f"Study {wanted.slug!r} has been changed by another import just now, or has some of these items "
                "already: look at it, and import what is missing."
            ) from error
    _note_arms(study, found)
    images = len({each.picture.sha256 for each in found.rows})
    return Outcome(study, len(found.rows), images, items, found.refused, found.notes)


def _checked_target(wanted: Wanted) -> None:
    study = Study.objects.filter(slug=wanted.slug).first()
    if wanted.kind not in KINDS:
        raise ImportRefused(f"Kind {wanted.kind!r} cannot be imported: choose from {', '.join(KINDS)}.")
    if study is not None and study.state != Study.State.DRAFT:
        raise ImportRefused(f"Study {study.slug!r} is {study.state}: items are added to a draft. Choose another slug.")
    if study is not None and study.kind != wanted.kind:
        raise ImportRefused(f"Study {study.slug!r} is of kind {study.kind}, not {wanted.kind}: choose its kind.")
    if study is None:
        try:
            _new(wanted).full_clean()
        except ValidationError as error:
            raise ImportRefused(
                "; ".join(f"{name}: {' '.join(each)}" for name, each in error.message_dict.items())
            ) from error


def _new(wanted: Wanted) -> Study:
    title = wanted.title or wanted.slug.replace("-", " ").capitalize()
    return Study(slug=wanted.slug, kind=wanted.kind, title=title, **{"instructions_shown": True, **wanted.settings})


def _store(found: Checks) -> None:
    for digest in {each.picture.sha256 for each in found.rows}:
        files.write(image_name(digest), found.content(digest))
    for digest in {digest for each in found.rows for digest in each.maps.values()}:
        files.write(map_name(digest), found.content(digest))


def image_name(sha256: str) -> str:
    return f"imported/{sha256[:2]}/{sha256}.png"


def map_name(sha256: str) -> str:
    return f"imported/{sha256[:2]}/{sha256}.npy"


@dataclass(frozen=True)
class _Placed:
    """A row with what items are interleaved by."""

    checked: Checked
    stratum: str


def _make(
    rows: list[Checked],
    wanted: Wanted,
    words: Mapping[str, Sequence[records.Word]],
    *,
    source: str,
    now: datetime,
    seed: int,
    owner: Any,
) -> tuple[Study, int]:
    study = Study.objects.select_for_update().filter(slug=wanted.slug).first()
    if study is None:
        study = _new(wanted)
        study.save()
        if owner is not None:
            Member.objects.create(study=study, user=owner, role=Member.Role.RESEARCHER)
    elif study.state != Study.State.DRAFT:
        raise ImportRefused(f"Study {study.slug!r} was opened meanwhile: nothing was imported.")
    prompts = {
        text: _Words(study, text, source, words.get(text, ())) for text in dict.fromkeys(r.row.prompt for r in rows)
    }
    made: dict[str, Generation] = {}
    places = []
    for checked in rows:
        target = prompts[checked.row.prompt].row(checked.row.target)
        places.append(_Placed(checked, checked.row.condition or target.tag))
    ordered = interleave(places, random.Random(seed))  # noqa: S311 - a reproducible draw
    methods = tuple(dict.fromkeys(method for each in rows for method in each.maps))
    last = study.items.aggregate(last=Max("position"))["last"]
    items: list[Item] = []
    for placed, method in rotated(ordered, methods):
        checked = placed.checked
        if method and method not in checked.maps:
            continue
        words_of = prompts[checked.row.prompt]
        generation = _generation(study, checked, words_of.prompt, source, now, made)
        digest = checked.maps.get(method, "")
        items.append(
            Item(
                study=study,
                generation=generation,
                word=words_of.row(checked.row.target),
                second_word=words_of.row(checked.row.second) if checked.row.second else None,
                condition=checked.row.condition,
                arm=method,
                map_source=Item.MapSource.FILE if digest else Item.MapSource.OWN,
                map_file=map_name(digest) if digest else "",
                map_sha256=digest,
                position=(0 if last is None else last + 1) + len(items),
            )
        )
    Item.objects.bulk_create(items, batch_size=500)
    return study, len(items)


class _Words:
    """A prompt's row with those of its words, made as they are needed."""

    def __init__(self, study: Study, text: str, source: str, words: Sequence[records.Word]) -> None:
        parser = "language pipeline" if words else ""
        self.prompt, new = Prompt.objects.get_or_create(
            text=text, source=f"imported: {source}"[:200], source_id=study.slug, parser=parser
        )
        if new and words:
            names = ("text", "start", "end", "tag", "lemma", "head", "relation")
            Word.objects.bulk_create(
                Word(prompt=self.prompt, index=index, **{name: getattr(word, name) for name in names})
                for index, word in enumerate(words)
            )
        self._rows = {(word.start, word.end): word for word in self.prompt.words.all()}

    def row(self, target: Target) -> Word:
        place = (target.start, target.end)
        if place not in self._rows:
            text, index = self.prompt.text[target.start : target.end], len(self._rows)
            self._rows[place] = Word.objects.create(
                prompt=self.prompt, index=index, text=text, start=target.start, end=target.end, tag=target.tag,
                lemma=text.lower(), head=index, relation="",
            )  # fmt: skip
        return self._rows[place]


def _generation(
    study: Study, checked: Checked, prompt: Prompt, source: str, now: datetime, made: dict[str, Generation]
) -> Generation:
    """The image's row, of its study alone: its identity says which image of which study, as the manifest tells."""
    row, picture = checked.row, checked.picture
    parts = {
        "imported": picture.sha256,
        "study": study.slug,
        "prompt": row.prompt,
        "model": row.model,
        "seed": row.seed,
    }
    identity = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    if identity in made:
        return made[identity]
    record = records.Recipe(
        model=row.model or "unknown", steps=0, guidance=0, height=picture.height, width=picture.width, dtype=""
    )
    recipe = Recipe.objects.ensure(record, model_title=row.model or "an unknown model")
    told = {"line": row.line, "model": row.model, "seed": row.seed, "note": row.note}
    origin = f"imported from {source}, " + ", ".join(f"{name} {value}" for name, value in told.items() if value)
    made[identity] = Generation.objects.get_or_create(
        identity=identity,
        defaults={
            "prompt": prompt,
            "recipe": recipe,
            "seed": int(row.seed) if row.seed.isascii() and row.seed.isdigit() and len(row.seed) < 19 else 0,
            "state": Generation.State.DONE,
            "image": image_name(picture.sha256),
            "image_sha256": picture.sha256,
            "origin": origin,
            "done_at": now,
        },
    )[0]
    return made[identity]


def _note_arms(study: Study, found: Checks) -> None:
    methods = set(study.items.values_list("arm", flat=True))
    if len(methods) > 1 and REFERENCE not in methods:
        found.notes.append(
            f"no method is called {REFERENCE!r}, so the report does not compare methods: call the reference so"
        )
    untagged = sum(each.row.target.tag == UNTAGGED for each in found.rows)
    if untagged and not any(each.row.condition for each in found.rows):
        found.notes.append(f"{untagged} rows name no tag: unless parsed, their words are reported under {UNTAGGED}")
