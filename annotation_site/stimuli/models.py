"""Prompts with their words, and the generations (image and maps) made from them: rows that are also the work queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from attribution import records


class Prompt(models.Model):
    """A caption, with the place it came from and the pipeline that parsed it."""

    text = models.TextField()
    source = models.CharField(max_length=200, help_text=_("The caption file or grammar."))
    source_id = models.CharField(max_length=100, blank=True, help_text=_("The caption's own id in its source."))
    parser = models.CharField(max_length=200, blank=True, help_text=_("Name and version of the language pipeline."))

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["text", "source", "source_id", "parser"], name="one_row_for_each_caption")
        ]

    def __str__(self) -> str:
        return self.text


class Word(models.Model):
    """One word of a prompt: ``prompt.text[start:end] == text``; ``head`` is the index of its head (a root: its own)."""

    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="words")
    index = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=200)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    tag = models.CharField(max_length=10, db_index=True, help_text=_("Universal POS tag."))
    lemma = models.CharField(max_length=200)
    head = models.PositiveSmallIntegerField()
    relation = models.CharField(max_length=40, help_text=_("Universal Dependencies relation to the head."))

    class Meta:
        ordering = ["prompt_id", "index"]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "index"], name="one_word_at_each_index"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="a_word_has_characters"),
        ]

    def __str__(self) -> str:
        return f"{self.text} ({self.tag})"


class RecipeQuerySet(models.QuerySet["Recipe"]):
    def ensure(self, record: records.Recipe, *, model_title: str = "", trained: bool = True) -> Recipe:
        """The row of a recipe, made if it is new; what is said of its model stays as it was when it was made."""
        values = {field: getattr(record, field) for field in RECIPE_FIELDS}
        said = {"model_title": model_title, "trained": trained}
        return self.get_or_create(digest=record.digest, defaults=values | said)[0]


RECIPE_FIELDS = ("model", "revision", "steps", "guidance", "height", "width", "scheduler", "dtype")


class Recipe(models.Model):
    """All that decides an image beside its prompt and seed."""

    model = models.CharField(max_length=300, help_text=_("Shipped name, folder or hub id."))
    revision = models.CharField(max_length=100, blank=True)
    steps = models.PositiveSmallIntegerField()
    guidance = models.FloatField()
    height = models.PositiveSmallIntegerField()
    width = models.PositiveSmallIntegerField()
    scheduler = models.CharField(max_length=100, blank=True)
    dtype = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, unique=True)
    model_title = models.CharField(max_length=200, blank=True, help_text=_("The model's name as pages show it."))
    trained = models.BooleanField(default=True, help_text=_("Off for random weights; pages then say so."))

    objects = RecipeQuerySet.as_manager()

    def __str__(self) -> str:
        if self.imported:
            return f"{self.model_title or self.model}, imported"
        return f"{self.model_title or self.model}, {self.steps} steps, guidance {self.guidance:g}"

    @property
    def imported(self) -> bool:
        """Whether its images were made elsewhere: no steps of ours drew them."""
        return self.steps == 0

    def record(self) -> records.Recipe:
        return records.Recipe(**{field: getattr(self, field) for field in RECIPE_FIELDS})


class GenerationQuerySet(models.QuerySet["Generation"]):
    def claimable(self, now: datetime) -> Self:
        """Queued, or claimed by a worker whose lease has run out."""
        dead = Q(state=Generation.State.CLAIMED, claimed_until__lt=now)
        return self.filter(Q(state=Generation.State.QUEUED) | dead)

    def claim(self, *, worker: str, limit: int, now: datetime, lease: timedelta) -> list[Generation]:
        """Up to ``limit`` generations of one recipe, now claimed by ``worker``; empty when none is left.

        Each row is taken by a conditional update, and the row count decides between two workers that saw it free.
        """
        first = self.claimable(now).order_by("id").first()
        if first is None:
            return []
        taken = []
        same_recipe = self.claimable(now).filter(recipe=first.recipe_id).order_by("id")
        for pk in list(same_recipe.values_list("pk", flat=True)[:limit]):
            claimed = (
                self.filter(pk=pk)
                .claimable(now)
                .update(
                    state=Generation.State.CLAIMED,
                    claimed_by=worker,
                    claimed_until=now + lease,
                    attempts=models.F("attempts") + 1,
                    error="",
                )
            )
            if claimed:
                taken.append(pk)
        # All of them were taken by others: look again rather than report an empty queue.
        if not taken:
            return self.claim(worker=worker, limit=limit, now=now, lease=lease)
        return list(self.filter(pk__in=taken).select_related("prompt", "recipe").order_by("id"))

    def retry_failed(self) -> int:
        """Queue the failed ones again; how many there were."""
        return self.filter(state=Generation.State.FAILED).update(state=Generation.State.QUEUED)


class Generation(models.Model):
    """One image with its maps, wanted or made. ``identity`` is the hash of prompt, recipe and seed."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        CLAIMED = "claimed", _("being made")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="generations")
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="generations")
    seed = models.BigIntegerField()
    identity = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=200, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    image = models.FileField(blank=True, max_length=200)
    maps = models.FileField(blank=True, max_length=200)
    image_sha256 = models.CharField(max_length=64, blank=True)
    maps_sha256 = models.CharField(max_length=64, blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text=_("Seconds per image, its batch shared out."))
    origin = models.TextField(
        blank=True, default="", help_text=_("Where an imported image comes from; empty: drawn here, by its recipe.")
    )
    queued_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = GenerationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["state", "id"], name="generation_queue")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="done")
                | ~Q(image="") & ~Q(image_sha256="") & (~Q(origin="") | ~Q(maps="") & ~Q(maps_sha256="")),
                name="a_done_generation_has_hashed_files",
            ),
            models.CheckConstraint(
                condition=~Q(state="claimed") | Q(claimed_until__isnull=False), name="a_claim_runs_out"
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(error=""), name="a_failure_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.identity[:12]} ({self.get_state_display()})"

    def record(self) -> records.Generation:
        return records.Generation(prompt=self.prompt.text, recipe=self.recipe.record(), seed=self.seed)

    @property
    def is_done(self) -> bool:
        return self.state == self.State.DONE

    @property
    def is_public(self) -> bool:
        """Whether a study shows it to whoever has its address."""
        public = {"study__stimuli_access": "public"}
        return self.items.filter(**public).exists() or self.second_items.filter(**public).exists()
