from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from annotation_site.studies.about import ABOUT
from annotation_site.studies.drawing_order import drawn
from annotation_site.studies.forms import TEXT_FIELDS, StudyForm
from annotation_site.studies.models import ConsentText, Item, Study
from annotation_site.studies.rules import FIXED_AT_OPENING
from annotation_site.studies.texts import known_words


def _tab(name: str, description: str, *fields: str) -> tuple[str, dict[str, Any]]:
    """A part of the form, on a tab of its own."""
    return (name, {"fields": fields, "description": description, "classes": ("tab",)})


class StudyAdmin(ModelAdmin):
    """Draft studies can be edited; once a study is open, what its answers depend on stays as it was.

    Registered by `rating`, which runs studies: here nothing is known of seats.
    """

    form = StudyForm
    list_display = ("title", "slug", "kind", "state", "item_count", "images", "cap", "opened_at", "links")
    list_filter = ("state", "kind")
    search_fields = ("title", "slug")
    # Its items were made for its kind.
    readonly_fields = ("kind", "state", "cap", "sampling", "created_at", "opened_at", "closed_at", "links")
    sections = (
        _tab("Study", "What it is called, where it is found, and who may see its pictures.",
             "title", "slug", "kind", "stimuli_access", "links"),
        _tab("What raters are told", "It stands on the study's page, before the consent, and may change at any time.",
             *ABOUT),
        _tab("Places", "How many people judge each item, and how much one person may judge.",
             "seats_per_item", "cap_share", "cap", "lease_minutes"),
        _tab("Pages", "What raters see first, and when they are offered a break.",
             "first_view", "colours", "instructions_shown", "break_every"),
        _tab("Practice", "What raters must show before their first item. All of it at 0 or empty: no practice.",
             "practice_pass_mark", "practice_attempts", "screen_out_code"),
        _tab("Checks", "Items whose right answer is known, put between the others.",
             "check_every", "checks_may_fail", "check_consequence"),
        _tab("Reports", "Rules by which answers are counted, fixed beforehand.",
             "interpretable_minimum", "exclusion_rules", "adaptive_stages", "adaptive_spread"),
        _tab("Consent and end", "What raters agree to, and the code that they are given in the end.",
             "consent_version", "completion_code"),
    )  # fmt: skip
    history = _tab("History", "Where its items come from, and when it moved.",
                   "state", "sampling", "created_at", "opened_at", "closed_at")  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Study]:
        return (
            super()
            .get_queryset(request)
            .annotate(items_there=Count("items", filter=Q(items__purpose=Item.Purpose.RATED)))
        )

    def get_fieldsets(self, request: HttpRequest, obj: Study | None = None) -> Any:
        draft = obj is None or obj.state == Study.State.DRAFT
        texts = tuple(TEXT_FIELDS.values()) if draft else ("texts",)
        said = "The study's own words, by language. The preview below the form shows them as raters will see them."
        return (*self.sections, _tab("Texts", said, *texts), self.history)

    def get_readonly_fields(self, request: HttpRequest, obj: Study | None = None) -> tuple[str, ...]:
        fixed = FIXED_AT_OPENING if obj and obj.state != Study.State.DRAFT else ()
        return (*self.readonly_fields, *fixed)

    def has_add_permission(self, request: HttpRequest) -> bool:
        # A study without items is of no use: the commands make both in one go.
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        draft = obj is None or obj.state == Study.State.DRAFT
        return draft and super().has_delete_permission(request, obj)

    @admin.display(description="items", ordering="items_there")
    def item_count(self, study: Study) -> int:
        return study.items_there  # type: ignore[attr-defined]

    @admin.display(description=_("images"))
    def images(self, study: Study) -> str:
        return drawn(study)

    @admin.display(description="pages")
    def links(self, study: Study) -> str:
        return format_html(
            '<a href="{}">for raters</a> · <a href="{}">report</a>',
            reverse("join", args=[study.slug]),
            reverse("report", args=[study.slug]),
        )


@admin.register(ConsentText)
class ConsentTextAdmin(ModelAdmin):
    """A draft's texts can be edited; after opening, another wording is a new version, which the study then names."""

    list_display = ("study", "version", "locale", "created_at")
    list_filter = ("study",)
    search_fields = ("text", "study__slug")
    list_select_related = ("study",)

    def has_change_permission(self, request: HttpRequest, obj: ConsentText | None = None) -> bool:
        return _is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ConsentText | None = None) -> bool:
        return _is_draft(obj) and super().has_delete_permission(request, obj)


def _is_draft(text: ConsentText | None) -> bool:
    return text is None or text.study.state == Study.State.DRAFT


class ItemAdmin(ModelAdmin):
    """Registered by `rating`, like studies."""

    list_display = (
        "word_text",
        "tag",
        "prompt_text",
        "study",
        "condition",
        "purpose",
        "known_answer",
        "position",
        "generation_state",
        "withdrawn_at",
    )
    list_filter = ("study", "purpose", "word__tag", "condition", "generation__state")
    search_fields = ("word__text", "generation__prompt__text", "generation__identity")
    list_select_related = ("word", "second_word", "generation__prompt", "study", "known")
    raw_id_fields = ("generation", "word", "second_word", "second_generation")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Item | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Item | None = None) -> bool:
        return False

    @admin.display(description="word", ordering="word__text")
    def word_text(self, item: Item) -> str:
        return item.word.text if item.second_word is None else f"{item.word.text}, {item.second_word.text}"

    @admin.display(description="tag", ordering="word__tag")
    def tag(self, item: Item) -> str:
        return item.word.tag

    @admin.display(description="prompt")
    def prompt_text(self, item: Item) -> str:
        return item.generation.prompt.text

    @admin.display(description="generation")
    def generation_state(self, item: Item) -> str:
        return str(item.generation.get_state_display())

    @admin.display(description="right answer")
    def known_answer(self, item: Item) -> str:
        return known_words(item.known, item.study, "en") if hasattr(item, "known") else "-"
