"""Whose images are drawn, and in which order: a study's pause and priority, carried to the rows of the queue.

A claim reads the queue's rows alone, for it must cost the same however many there are. One image may serve several
studies: it is as urgent as the most urgent of those that are not paused, and held when all of them are.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from annotation_site.stimuli.bell import ring_after_commit
from annotation_site.stimuli.models import Generation, GenerationQuerySet
from annotation_site.studies.models import Item, Study


def wanted_by(study: Study) -> GenerationQuerySet:
    """The generations of a study's items in use."""
    items = Item.objects.filter(study=study).in_use()
    wanted = Q(pk__in=items.values("generation"))
    if study.kind == Study.Kind.CHANGE:
        wanted |= Q(pk__in=items.filter(second_generation__isnull=False).values("second_generation"))
    return Generation.objects.filter(wanted)


@transaction.atomic
def set_drawing_order(study: Study, *, paused: bool | None = None, priority: int | None = None) -> None:
    """Pause or resume a study's generation, or move it in the queue; None leaves it as it is."""
    kept = Study.objects.select_for_update().get(pk=study.pk)
    kept.generation_paused = kept.generation_paused if paused is None else paused
    kept.generation_priority = kept.generation_priority if priority is None else priority
    kept.save(update_fields=["generation_paused", "generation_priority"])
    carry_to_queue(kept)


def carry_to_queue(study: Study) -> None:
    """Give what the study waits for its place in the queue, and wake the workers; within a transaction."""
    left = wanted_by(study).exclude(state=Generation.State.DONE)
    sharing = [study, *_others_that_want(left, study)]
    # The last one to write wins: the most urgent of those that are not paused.
    for each in sorted(sharing, key=lambda one: (not one.generation_paused, one.generation_priority)):
        shared = left if each == study else left & wanted_by(each)
        shared.update(priority=each.generation_priority, held=each.generation_paused)
    ring_after_commit()


def drawn(study: Study) -> str:
    """How far the study's images are, for the administration: "12 of 40, 2 failed, first"."""
    counts = dict(wanted_by(study).order_by().values_list("state").annotate(Count("pk")))
    done = _("%(done)d of %(all)d") % {"done": counts.get(Generation.State.DONE, 0), "all": sum(counts.values())}
    failed = counts.get(Generation.State.FAILED, 0)
    parts = [done, _("%(count)d failed") % {"count": failed} if failed else ""]
    if study.generation_paused:
        parts.append(_("paused"))
    elif study.generation_priority != Study.Priority.NORMAL:
        parts.append(str(study.get_generation_priority_display()))
    return ", ".join(part for part in parts if part)


def _others_that_want(generations: GenerationQuerySet, study: Study) -> QuerySet[Study]:
    items = Item.objects.exclude(study=study).in_use()
    wanted = generations.values("pk")
    theirs = items.filter(Q(generation__in=wanted) | Q(second_generation__in=wanted))
    return Study.objects.filter(pk__in=theirs.values("study"))
