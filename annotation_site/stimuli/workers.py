"""The processes that draw, as rows: who lives, on which device, what each is doing, and what fits into its memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from annotation_site.stimuli.models import Recipe

SILENCE = timedelta(minutes=3)
"""A worker that has sent no sign of life for so long is dead; it sends one every twenty seconds."""

LATELY = timedelta(minutes=5)
"""Over which images a second are counted."""

HEARD_WITHIN = timedelta(minutes=1)
"""A message to a worker that nobody has heard for so long is lost, or has expired."""

SHORTEST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=5)
MOST_TRIES = 7
"""So often a worker tries to load a model before it counts as one that cannot: its rests are the longest by then."""


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self, now: datetime) -> Self:
        return self.filter(stopped_at__isnull=True, last_seen__gte=now - SILENCE)

    def dead(self, now: datetime) -> Self:
        return self.filter(Q(stopped_at__isnull=False) | Q(last_seen__lt=now - SILENCE))

    def with_speed(self, now: datetime) -> Self:
        """With ``made_there``, all images that each has made, and ``made_lately``, those of the last five minutes."""
        lately = Q(made__done_at__gt=now - LATELY)
        return self.annotate(made_there=Count("made"), made_lately=Count("made", filter=lately))

    def idle(self, now: datetime) -> Self:
        """Those that wait for Celery's bell, and to whom no message is on its way."""
        unheard = Q(rung_at__gt=now - HEARD_WITHIN)
        return self.alive(now).filter(kind=Worker.Kind.CELERY, busy_since__isnull=True).exclude(unheard)

    def ring(self, now: datetime) -> list[int]:
        """Those of the idle that are now to be sent a message. The row count decides between two who ring at once."""
        found = list(self.idle(now).values_list("pk", flat=True))
        return [pk for pk in found if self.filter(pk=pk).idle(now).update(rung_at=now)]

    def hear(self, worker: int, rung_at: datetime) -> bool:
        """Whether a worker's message is its last and unheard: one that is older, or comes twice, is one too many."""
        return bool(self.filter(pk=worker, rung_at=rung_at).update(rung_at=None))

    def may_yet_draw(self, recipe: Recipe, now: datetime) -> Self:
        """Those that live, take whatever is queued, and have not tried in vain so often that they count as unable."""
        unable = Hindrance.objects.filter(worker=OuterRef("pk"), recipe=recipe, tries__gte=MOST_TRIES)
        return self.alive(now).exclude(kind=Worker.Kind.COMMAND).exclude(Exists(unable))


class Worker(models.Model):
    """One process that works off the queue. A process that is started again under the same name keeps its row."""

    class Kind(models.TextChoices):
        CELERY = "celery", _("Celery worker")
        LOOP = "loop", _("manage.py work")
        COMMAND = "command", _("manage.py precompute")

    name = models.CharField(max_length=200, unique=True, help_text=_("Host and process."))
    host = models.CharField(max_length=150)
    token = models.CharField(max_length=32, help_text=_("Drawn by the process: another one is another process."))
    kind = models.CharField(max_length=10, choices=Kind)
    device = models.CharField(max_length=200, blank=True, help_text=_("Known once it has loaded a model."))
    started_at = models.DateTimeField()
    last_seen = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    busy_since = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When Celery's last message to it was sent, until somebody hears it.")
    )
    trouble = models.TextField(
        blank=True, help_text=_("Why its last job broke off, or what it cannot draw; empty when all is well.")
    )

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen"]

    def __str__(self) -> str:
        return self.name

    def doing(self, now: datetime) -> str:
        """What it does now, in a word or two."""
        if self.stopped_at is not None:
            return gettext("stopped")
        if self.last_seen < now - SILENCE:
            return gettext("silent: killed, or its machine is gone")
        return gettext("working") if self.busy_since is not None else gettext("waits for work")


class HindranceQuerySet(models.QuerySet["Hindrance"]):
    def resting(self, worker: str, now: datetime) -> Self:
        """What this worker leaves alone for now."""
        return self.filter(worker__name=worker, until__gt=now)

    def note(self, *, worker: Worker, recipe: Recipe, reason: str, now: datetime) -> bool:
        """A worker could not load a recipe's model, and rests it, twice as long each time; whether nobody can by now.

        Then it does not rest: what is queued for nobody is to fail with the reason.
        """
        mine, _ = self.get_or_create(worker=worker, recipe=recipe, defaults={"until": now})
        mine.tries, mine.reason = min(mine.tries + 1, MOST_TRIES), reason
        others = Worker.objects.may_yet_draw(recipe, now).exclude(pk=worker.pk)
        nobody = mine.tries == MOST_TRIES and not others.exists()
        if not nobody:
            mine.until = now + min(SHORTEST_REST * 2 ** (mine.tries - 1), LONGEST_REST)
        mine.save()
        return nobody


class Hindrance(models.Model):
    """A recipe whose model a worker could not load, and until when it leaves that to others; gone once it could."""

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE, related_name="hindrances")
    recipe = models.ForeignKey("stimuli.Recipe", on_delete=models.CASCADE, related_name="hindrances")
    tries = models.PositiveSmallIntegerField(default=0)
    until = models.DateTimeField()
    reason = models.TextField()

    objects = HindranceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["worker", "recipe"], name="a_worker_is_hindered_once_a_recipe"),
        ]

    def __str__(self) -> str:
        return f"{self.worker} cannot draw {self.recipe}"


def speeds(workers: Iterable[Worker], now: datetime) -> dict[int, float]:
    """Images a second over the last five minutes, by worker; off the index that each worker's images have."""
    these = Worker.objects.filter(pk__in=[worker.pk for worker in workers], made__done_at__gt=now - LATELY)
    made = these.order_by().values_list("pk").annotate(Count("made"))
    return {pk: number / LATELY.total_seconds() for pk, number in made}


class FittingBatch(models.Model):
    """How many images of a recipe are drawn together on a device, after its memory did not suffice for more."""

    host = models.CharField(max_length=150)
    device = models.CharField(max_length=200)
    recipe = models.CharField(max_length=64, help_text=_("The recipe's digest, size and type included."))
    images = models.PositiveIntegerField()
    noted_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "device", "recipe"], name="a_recipe_fits_a_device_in_one_way"),
            models.CheckConstraint(condition=Q(images__gte=1), name="a_batch_has_an_image"),
        ]

    def __str__(self) -> str:
        return f"{self.images} on {self.device} of {self.host}"
