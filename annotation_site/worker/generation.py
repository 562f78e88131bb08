"""Turns queued generations into files and done rows. The row is the truth: whoever dies, another goes on from it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError
from django.db.models import Q

from annotation_site.rating.assignment import database_now
from annotation_site.stimuli.models import Generation, GenerationQuerySet, Hindrance, Recipe, Worker
from annotation_site.storage import StorageUnusable
from annotation_site.studies.drawing_order import wanted_by
from annotation_site.studies.models import Item, Study
from annotation_site.worker import finishing, fleet
from annotation_site.worker.finishing import Tally
from annotation_site.worker.reasons import reason_of
from annotation_site.worker.resting import STORAGE
from annotation_site.worker.sizes import FittingSizes
from attribution.errors import WordError

__all__ = ["LEASE", "DeviceLost", "StorageUnusable", "Tally", "counts", "precompute", "wanted_by"]
logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=30)
BATCH = 32
"""Images claimed at once: two groups of a GPU, so that the second is drawn while the first is written."""


class DeviceLost(Exception):
    """The GPU answers nothing but errors until the process ends, which it should."""


@dataclass(frozen=True)
class _Run:
    """What stays the same over a run."""

    tally: Tally
    on_image: Callable[[Tally], None]
    go_on: Callable[[], bool]
    unattended: bool


def waiting(now: datetime) -> bool:
    return Generation.objects.anything_claimable(now)


def rests() -> bool:
    """Whether this process is to draw nothing now: files cannot be written, or it leaves alone all that waits."""
    return STORAGE.rests() or not _for(fleet.worker_name(), Generation.objects.all()).anything_claimable(database_now())


def _for(worker: str, generations: GenerationQuerySet) -> GenerationQuerySet:
    """Without those whose model this worker could not load a while ago."""
    return generations.exclude(recipe__in=Hindrance.objects.resting(worker, database_now()).values("recipe"))


def draw_some(go_on: Callable[[], bool]) -> int:
    """One batch of whatever is queued, the most urgent study first; how many images were made or failed.

    Images whose model cannot be loaded here are left to other workers, and tried again after a rest; they fail with the
    reason once no worker that lives can load it. Where files cannot be written, this process rests before it claims
    again; raises StorageUnusable.
    """
    try:
        tally = precompute(Generation.objects.all(), batch_size=BATCH, limit=BATCH, go_on=go_on, unattended=True)
    except StorageUnusable:
        STORAGE.rest()
        raise
    # An image that failed proves nothing: it may have failed because its files were refused.
    if tally.done:
        STORAGE.served()
    return tally.all


def precompute(
    generations: GenerationQuerySet,
    *,
    batch_size: int,
    on_image: Callable[[Tally], None] = lambda tally: None,
    limit: int | None = None,
    go_on: Callable[[], bool] = lambda: True,
    unattended: bool = False,
) -> Tally:
    """Make every claimable generation, batch by batch, until none is left, ``limit`` are made, or not to ``go_on``.

    A prompt that fails is recorded with its reason and does not stop the others. Raises StorageUnusable when files
    cannot be written, DeviceLost, and, unless ``unattended``, whatever loading the model raises; claims are given back
    on every way out but a kill, and those of a killed process are taken over. ``unattended``, what this worker cannot
    load is left to others as :meth:`Hindrance.note` has it, and an image whose files could not be written several times
    over fails with that reason, so as not to stand in the others' way for ever.
    """
    run = _Run(Tally(), on_image, go_on, unattended)
    worker = fleet.enlist()
    _require_gpu()
    Generation.objects.give_back(worker.name)
    fleet.release_claims_of_the_dead(database_now())
    while go_on() and (limit is None or run.tally.all < limit):
        size = batch_size if limit is None else min(batch_size, limit - run.tally.all)
        wanted = _for(worker.name, generations) if unattended else generations
        batch = wanted.claim(worker=worker.name, limit=size, now=database_now(), lease=LEASE)
        if not batch:
            break
        _make_claimed(put_aside_unwanted(batch), worker, run)
    return run.tally


def _require_gpu() -> None:
    """A GPU whose driver is gone looks like none at all: images would be drawn a hundred times slower, unnoticed."""
    if not settings.NEEDS_GPU:
        return
    import torch

    if not torch.cuda.is_available():
        raise DeviceLost("torch sees no GPU, and ATTEST_NEEDS_GPU is on: see that this process is given one.")


def put_aside_unwanted(batch: list[Generation]) -> list[Generation]:
    """Those that an item still asks for; the others (of a deleted study, of withdrawn items) are held."""
    items = Item.objects.filter(withdrawn_at__isnull=True)
    pairs = items.filter(Q(generation__in=batch) | Q(second_generation__in=batch))
    wanted = {pk for pair in pairs.values_list("generation", "second_generation") for pk in pair}
    unwanted = [generation.pk for generation in batch if generation.pk not in wanted]
    Generation.objects.claimed_by(batch[0].claimed_by).filter(pk__in=unwanted).update(held=True)
    return [generation for generation in batch if generation.pk in wanted]


def renew(worker: str) -> int:
    """Keep what this worker still has to make for another lease, once a tenth of this one is over; how many."""
    now = database_now()
    mine = Generation.objects.claimed_by(worker)
    return mine.filter(claimed_until__lt=now + LEASE * 0.9).update(claimed_until=now + LEASE)


def _make_claimed(batch: list[Generation], worker: Worker, run: _Run) -> None:
    try:
        if batch:
            _make(batch, worker, run)
    except DeviceLost:
        # It may be this very batch that broke the device: counted, so that it cannot do so for ever.
        Generation.objects.take_from_the_dead(now=database_now(), owners=[worker.name])
        raise
    finally:
        Generation.objects.give_back(worker.name)


def _make(batch: list[Generation], worker: Worker, run: _Run) -> None:
    recipe: Recipe = batch[0].recipe
    try:
        pipeline, described = _loaded(recipe)
    except Exception as error:
        # Whatever it is: missing packages, unreadable weights, no memory. It is this worker's, and no image's.
        if not run.unattended:
            raise
        logger.warning("%s cannot be drawn here", recipe, exc_info=True)
        reason = reason_of(error)
        if Hindrance.objects.note(worker=worker, recipe=recipe, reason=reason, now=database_now()):
            _fail_all(batch, error, run)
        return
    worker.hindrances.filter(recipe=recipe).delete()
    Worker.objects.filter(pk=worker.pk).exclude(device=described["device"]).update(device=described["device"])
    _draw(pipeline, {**described, "host": worker.host}, batch, run)


def _loaded(recipe: Recipe) -> tuple[Any, dict[str, Any]]:
    """The recipe's pipeline, and what its images will be made with."""
    from attribution.daam.made_with import made_with
    from attribution.daam.pipelines import kept_pipeline

    record = recipe.record()
    pipeline = kept_pipeline(record)
    return pipeline, made_with(pipeline, record)


def _draw(pipeline: Any, described: dict[str, Any], batch: list[Generation], run: _Run) -> None:
    """A batch; when it fails as a whole, its members one by one, so that the one at fault is found."""
    from attribution.daam.made_with import is_device_lost

    todo = list(batch)
    try:
        with closing(_drawn(pipeline, batch[0].recipe, batch)) as results:
            for generation, drawn in results:
                _finish(generation, drawn, described, run)
                todo.remove(generation)
                if not run.go_on():
                    return
    except (StorageUnusable, DatabaseError):
        raise
    except Exception as error:
        if is_device_lost(error):
            raise DeviceLost(str(error)) from error
        if len(batch) == 1:
            logger.warning("Generation %s failed", batch[0].identity, exc_info=True)
            _fail_all(batch, error, run)
            return
        logger.info("A batch of %d failed (%s); trying its members one by one.", len(batch), error)
        for generation in todo:
            if not run.go_on():
                return
            renew(generation.claimed_by)
            _draw(pipeline, described, [generation], run)


def _finish(generation: Generation, drawn: Any, described: dict[str, Any], run: _Run) -> None:
    try:
        finishing.finish(generation, drawn, described, run.tally)
    except (WordError, DataError, IntegrityError) as error:
        # The image is as good as it will get: drawn again, it would lack the word's map or be refused by the database.
        finishing.fail(generation, error, run.tally)
    except StorageUnusable as error:
        if not (run.unattended and STORAGE.refused_too_often(generation.pk)):
            raise
        finishing.fail(generation, error, run.tally)
    renew(generation.claimed_by)
    run.on_image(run.tally)


def _fail_all(batch: list[Generation], error: Exception, run: _Run) -> None:
    for generation in batch:
        finishing.fail(generation, error, run.tally)
        run.on_image(run.tally)


def _drawn(pipeline: Any, recipe: Recipe, batch: list[Generation]) -> Generator[tuple[Generation, Any]]:
    from attribution import generate

    prompts = [generation.prompt.text for generation in batch]
    seeds = [generation.seed for generation in batch]
    sizes = FittingSizes()
    try:
        with closing(generate(recipe.record(), prompts, seeds, pipeline=pipeline, cache=sizes)) as drawn:
            yield from zip(batch, drawn, strict=True)
    finally:
        sizes.store()


def counts(study: Study, *, now: datetime) -> dict[str, int]:
    """Generations of a study: done, failed, claimed by a live lease, held back by a pause, and left to make."""
    mine = wanted_by(study)
    return {
        "done": mine.filter(state=Generation.State.DONE).count(),
        "failed": mine.filter(state=Generation.State.FAILED).count(),
        "running": mine.filter(state=Generation.State.CLAIMED, claimed_until__gte=now).count(),
        "held": mine.filter(state=Generation.State.QUEUED, held=True).count(),
        "left": mine.claimable(now).count(),
    }
