"""Prompts with their words, and the generations (image and maps) made from them: rows that are also the work queue."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from annotation_site.stimuli.queue import GenerationQuerySet
from annotation_site.stimuli.workers import FittingBatch, Hindrance, Worker
from attribution import records

__all__ = ["FittingBatch", "Generation", "GenerationQuerySet", "Hindrance", "Prompt", "Recipe", "Word", "Worker"]


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
    priority = models.SmallIntegerField(
        default=0, db_default=0, help_text=_("That of its most urgent study; higher comes first.")
    )
    held = models.BooleanField(
        default=False, db_default=False, help_text=_("Every study that wants it is paused, or none wants it.")
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    deaths = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("Workers that died or fell silent drawing it.")
    )
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
    made_by = models.ForeignKey(
        Worker, on_delete=models.SET_NULL, related_name="made", null=True, blank=True, db_index=False
    )
    made_with = models.JSONField(
        null=True, blank=True, help_text=_("Versions, device, attention: what else it takes to make it again.")
    )
    queued_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = GenerationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["state", "id"], name="generation_queue"),
            # What a claim reads: its head is the next batch, however many wait.
            models.Index(
                F("priority").desc(), F("id"), condition=Q(state="queued", held=False), name="generations_to_draw"
            ),
            models.Index(fields=["claimed_until"], condition=Q(state="claimed"), name="claimed_generations"),
            models.Index(fields=["made_by", "done_at"], name="generations_by_worker"),
        ]
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
