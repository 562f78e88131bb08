"""Turns queued generations into files and done rows. The row is the truth: whoever dies, another goes on from it."""

from __future__ import annotations

import errno
import io
import logging
import os
import socket
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from PIL import Image

from annotation_site.rating.assignment import database_now, release_pending
from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, GenerationQuerySet, Recipe
from annotation_site.storage import StorageUnavailable
from annotation_site.studies.models import Item, Study
from attribution.errors import AttributionError, WordError
from attribution.maps import HeatMaps

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=30)


class StorageFull(Exception):
    """There is no room for the files, or no way to their storage; the generations are queued again."""


@dataclass
class Tally:
    """What a run did: images made, and the reason of each failure by the generation's identity."""

    done: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def worker_name() -> str:
    """Host and process: the next process on this host can tell whether the owner of a claim still lives."""
    return f"{socket.gethostname()}:{os.getpid()}"


def wanted_by(study: Study) -> GenerationQuerySet:
    """The generations of a study's items in use."""
    items = Item.objects.filter(study=study).in_use()
    wanted = Q(pk__in=items.values("generation"))
    if study.kind == Study.Kind.CHANGE:
        wanted |= Q(pk__in=items.filter(second_generation__isnull=False).values("second_generation"))
    return Generation.objects.filter(wanted)


def precompute(
    generations: GenerationQuerySet,
    *,
    batch_size: int,
    on_image: Callable[[Tally], None] = lambda tally: None,
    limit: int | None = None,
) -> Tally:
    """Make every claimable generation, batch by batch, until none is left or ``limit`` are made.

    A prompt that fails is recorded with its reason and does not stop the others. Raises StorageFull when the disk is
    full, and whatever loading the model raises; claims are given back on every way out but a kill, and those of a
    killed process on this host are taken over at once, of another host when their lease runs out.
    """
    tally = Tally()
    worker = worker_name()
    release_claims_of_the_dead(generations)
    while limit is None or tally.done + len(tally.failed) < limit:
        size = batch_size if limit is None else min(batch_size, limit - tally.done - len(tally.failed))
        batch = generations.claim(worker=worker, limit=size, now=database_now(), lease=LEASE)
        if not batch:
            break
        try:
            _make(batch, tally, on_image)
        finally:
            give_back(worker)
    return tally


def give_back(worker: str) -> int:
    """Queue again what this worker claimed and did not finish."""
    mine = Generation.objects.filter(state=Generation.State.CLAIMED, claimed_by=worker)
    return mine.update(state=Generation.State.QUEUED, claimed_by="", claimed_until=None)


def renew(worker: str) -> int:
    """Keep what this worker still has to make for another lease, once a tenth of this one is over; how many."""
    now = database_now()
    mine = Generation.objects.filter(state=Generation.State.CLAIMED, claimed_by=worker)
    return mine.filter(claimed_until__lt=now + LEASE * 0.9).update(claimed_until=now + LEASE)


def release_claims_of_the_dead(generations: GenerationQuerySet) -> int:
    """Queue again what a process of this host claimed that is no longer running."""
    host = socket.gethostname()
    claimed = generations.filter(state=Generation.State.CLAIMED, claimed_by__startswith=f"{host}:")
    owners = set(claimed.order_by().values_list("claimed_by", flat=True))
    return sum(give_back(owner) for owner in owners if not _alive(owner))


def _alive(owner: str) -> bool:
    try:
        os.kill(int(owner.rpartition(":")[2]), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _make(batch: list[Generation], tally: Tally, on_image: Callable[[Tally], None]) -> None:
    """A batch; when it fails as a whole, its members one by one, so that the one at fault is found."""
    from attribution.daam.pipelines import kept_pipeline

    recipe: Recipe = batch[0].recipe
    pipeline = kept_pipeline(recipe.record())
    todo = list(batch)
    try:
        with closing(_drawn(pipeline, recipe, batch)) as results:
            for generation, drawn in results:
                try:
                    _finish(generation, drawn, tally)
                except WordError as error:
                    # The image is as good as it will get: drawing it again would not map the word.
                    _fail(generation, error, tally)
                todo.remove(generation)
                renew(generation.claimed_by)
                on_image(tally)
    except StorageFull:
        raise
    except Exception as error:
        if len(batch) == 1:
            logger.warning("Generation %s failed", batch[0].identity, exc_info=True)
            _fail(batch[0], error, tally)
            on_image(tally)
            return
        logger.info("A batch of %d failed (%s); trying its members one by one.", len(batch), error)
        for generation in todo:
            renew(generation.claimed_by)
            _make([generation], tally, on_image)


def _drawn(pipeline: Any, recipe: Recipe, batch: list[Generation]) -> Generator[tuple[Generation, Any]]:
    from attribution import generate

    prompts = [generation.prompt.text for generation in batch]
    seeds = [generation.seed for generation in batch]
    cache = settings.DATA_DIR / "cache"
    with closing(generate(recipe.record(), prompts, seeds, pipeline=pipeline, cache=cache)) as drawn:
        yield from zip(batch, drawn, strict=True)


def _finish(generation: Generation, drawn: Any, tally: Tally) -> None:
    """Write the files, check them, and mark the row done: all or nothing as readers see it."""
    _require_maps(generation, drawn.heat_maps)
    image = _png(drawn.image)
    # Words need no padding tokens, which would be most of the file.
    maps, description = drawn.heat_maps.without_padding().to_bytes()
    image_name, maps_name, description_name = files.names(generation.identity)
    contents = {image_name: image, maps_name: maps, description_name: description}
    with transaction.atomic():
        # Only the row's owner writes: a worker that lost its lease must not touch files that another has finished.
        owned = Generation.objects.select_for_update().filter(
            pk=generation.pk, state=Generation.State.CLAIMED, claimed_by=generation.claimed_by
        )
        if owned.first() is None:
            return
        _write(contents)
        owned.update(
            state=Generation.State.DONE,
            image=image_name,
            image_sha256=files.sha256(image),
            maps=maps_name,
            maps_sha256=files.sha256(maps),
            seconds=drawn.seconds,
            done_at=database_now(),
            error="",
            claimed_by="",
            claimed_until=None,
        )
        release_pending([generation])
    tally.done += 1


def _write(contents: dict[str, bytes]) -> None:
    try:
        for name, content in contents.items():
            files.write(name, content)
    except OSError as error:
        if isinstance(error, StorageUnavailable):
            raise StorageFull(f"{error} Then run precompute again.") from error
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull(
                f"No space left for {next(iter(contents))}: free some, then run precompute again."
            ) from error
        raise


def _require_maps(generation: Generation, maps: HeatMaps) -> None:
    """Every word whose place in this image an item asks about must have a map; WordError names the one without."""
    items = Item.objects.filter(generation=generation, second_generation__isnull=True).in_use()
    for item in items.select_related("word", "second_word"):
        for word in (item.word, item.second_word):
            if word is not None:
                maps.word(word.start, word.end)


def _png(image: Image.Image) -> bytes:
    """The image's PNG, decoded once more to be sure that it is whole."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    with Image.open(io.BytesIO(buffer.getvalue())) as written:
        written.load()
    return buffer.getvalue()


def _fail(generation: Generation, error: Exception, tally: Tally) -> None:
    reason = str(error) if isinstance(error, AttributionError) else f"{type(error).__name__}: {error}"
    Generation.objects.filter(
        pk=generation.pk, state=Generation.State.CLAIMED, claimed_by=generation.claimed_by
    ).update(state=Generation.State.FAILED, error=reason[:2000] or "no reason given", claimed_by="", claimed_until=None)
    tally.failed[generation.identity] = reason


def counts(study: Study, *, now: datetime) -> dict[str, int]:
    """Generations of a study: done, failed, claimed by a live lease, and left to make."""
    mine = wanted_by(study)
    running = mine.filter(state=Generation.State.CLAIMED).filter(Q(claimed_until__gte=now)).count()
    return {
        "done": mine.filter(state=Generation.State.DONE).count(),
        "failed": mine.filter(state=Generation.State.FAILED).count(),
        "running": running,
        "left": mine.claimable(now).count(),
    }
