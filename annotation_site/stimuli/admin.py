from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from annotation_site.admin_history import ReadOnlyAdmin
from annotation_site.stimuli.addresses import image_url
from annotation_site.stimuli.bell import ring_after_commit
from annotation_site.stimuli.models import Generation, Prompt, Recipe, Word, Worker
from annotation_site.stimuli.workers import LATELY


class WordInline(TabularInline):
    model = Word
    fields = ("index", "text", "start", "end", "tag", "lemma", "head", "relation")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Prompt)
class PromptAdmin(ReadOnlyAdmin, ModelAdmin):
    list_display = ("text", "source", "source_id", "parser")
    list_filter = ("source", "parser")
    search_fields = ("text", "source_id")
    inlines = [WordInline]


@admin.register(Word)
class WordAdmin(ReadOnlyAdmin, ModelAdmin):
    list_display = ("text", "tag", "lemma", "relation", "prompt")
    list_filter = ("tag", "relation")
    search_fields = ("text", "lemma", "prompt__text")
    list_select_related = ("prompt",)


@admin.register(Recipe)
class RecipeAdmin(ReadOnlyAdmin, ModelAdmin):
    list_display = (
        "model_title",
        "model",
        "revision",
        "steps",
        "guidance",
        "height",
        "width",
        "scheduler",
        "dtype",
        "trained",
    )
    list_filter = ("trained", "model")
    search_fields = ("model", "model_title", "digest")


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin, ModelAdmin):
    list_display = ("short_identity", "prompt", "state", "attempts", "seconds", "done_at", "error")
    list_filter = ("state", "recipe", "items__study")
    search_fields = ("identity", "prompt__text", "error", "claimed_by")
    list_select_related = ("prompt", "recipe")
    # The picture instead of the file fields, whose links lead nowhere: files are served under other names.
    fields = (
        "picture", "prompt", "recipe", "seed", "identity", "state", "attempts", "error", "claimed_by", "claimed_until",
        "seconds", "made_by", "made_with", "origin", "priority", "held", "deaths", "queued_at", "done_at",
        "image_sha256", "maps_sha256",
    )  # fmt: skip
    readonly_fields = fields
    actions = ["retry_failed"]

    @admin.display(description="identity")
    def short_identity(self, generation: Generation) -> str:
        return generation.identity[:12]

    @admin.display(description="picture")
    def picture(self, generation: Generation) -> str:
        if not generation.is_done:
            return "not made yet"
        return format_html('<img src="{}" alt="{}" width="256">', image_url(generation), generation.prompt)

    @admin.action(description="Queue the failed ones again")
    def retry_failed(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        count = Generation.objects.filter(pk__in=queryset.values("pk")).retry_failed()
        ring_after_commit()
        messages.success(request, f"{count} failed generations are queued again.")


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin, ModelAdmin):
    """Who draws: each process with its device, what it does, and how fast it is."""

    list_display = ("name", "kind", "device", "doing", "speed", "made_there", "last_seen", "trouble")
    list_filter = ("kind", "host")
    search_fields = ("name", "device", "trouble")
    fields = (
        "name",
        "kind",
        "device",
        "doing",
        "speed",
        "made_there",
        "started_at",
        "last_seen",
        "stopped_at",
        "trouble",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        return Worker.objects.filter(pk__in=super().get_queryset(request)).with_speed(timezone.now())

    @admin.display(description=_("state"))
    def doing(self, worker: Worker) -> str:
        return worker.doing(timezone.now())

    @admin.display(description=_("images a second, last 5 minutes"))
    def speed(self, worker: Worker) -> str:
        return f"{worker.made_lately / LATELY.total_seconds():.2f}"  # type: ignore[attr-defined]

    @admin.display(description=_("images made"), ordering="made_there")
    def made_there(self, worker: Worker) -> int:
        return worker.made_there  # type: ignore[attr-defined]
