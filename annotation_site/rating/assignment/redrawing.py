"""Having an image drawn again whose files are damaged."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from annotation_site import audit
from annotation_site.rating.assignment import hints
from annotation_site.rating.assignment.leases import FREED
from annotation_site.rating.models import Seat
from annotation_site.stimuli.models import Generation
from annotation_site.studies.drawing_order import carry_to_queue
from annotation_site.studies.models import Item, Study


@transaction.atomic
def draw_again(generation: Generation, *, reason: str = "") -> bool:
    """Queue a finished image again: nobody is shown its items until it is made, and judgements stay and count.

    False, and nothing is changed, where the image is not finished or was imported, so that no recipe can draw it.
    """
    finished = Generation.objects.filter(pk=generation.pk, state=Generation.State.DONE, origin="")
    # The hashes stay: they tell whether the new image is the old one to the byte.
    if not finished.update(state=Generation.State.QUEUED, image="", maps="", done_at=None):
        return False
    items = Item.objects.filter(Q(generation=generation) | Q(second_generation=generation))
    shown = Seat.objects.filter(item__in=items, state__in=[Seat.State.FREE, Seat.State.LEASED])
    shown.update(**{**FREED, "state": Seat.State.PENDING})
    audit.note(generation, reason, state=(Generation.State.DONE, Generation.State.QUEUED))
    for study in Study.objects.filter(pk__in=items.values("study")):
        carry_to_queue(study)
        hints.forget(study.pk)
    return True
