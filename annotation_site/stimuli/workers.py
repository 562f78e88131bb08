"""The processes that draw, as rows: who lives, on which device, what each is doing, and what fits into its memory."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Count, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

SILENCE = timedelta(minutes=3)
"""A worker that has sent no sign of life for so long is dead; it sends one every twenty seconds."""

LATELY = timedelta(minutes=5)
"""Over which images a second are counted."""


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
        """Those that wait for Celery's bell."""
        return self.alive(now).filter(kind=Worker.Kind.CELERY, busy_since__isnull=True)


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
    trouble = models.TextField(blank=True, help_text=_("Why its last job broke off; empty when all is well."))

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
