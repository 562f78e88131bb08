"""Seats and judgements as read-only history; items are withdrawn."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from annotation_site.admin_history import ReadOnlyAdmin
from annotation_site.rating import enrolment_admin, study_admin  # noqa: F401 - each registers its model
from annotation_site.rating.bulk import FOR_ITEMS, items
from annotation_site.rating.bulk_admin import BulkAdmin, action_for
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.admin import ItemAdmin
from annotation_site.studies.models import Item


@admin.register(Seat)
class SeatAdmin(ReadOnlyAdmin, ModelAdmin):
    list_display = ("item", "study", "round", "state", "enrolment", "leased_until")
    list_filter = ("study", "state")
    search_fields = ("item__word__text", "enrolment__rater__pseudonym")
    list_select_related = ("item__word", "item__generation__prompt", "study", "enrolment__rater", "enrolment__study")


@admin.register(Judgement)
class JudgementAdmin(ReadOnlyAdmin, ModelAdmin):
    list_display = ("rater", "word", "tag", "answer_text", "revision", "current", "surplus", "answered_at")
    list_filter = ("seat__study", "seat__item__word__tag", "rating", "opt_out", "current", "surplus")
    search_fields = ("enrolment__rater__pseudonym", "seat__item__word__text", "seat__item__generation__prompt__text")
    list_select_related = ("enrolment__rater", "seat__item__word")

    @admin.display(description="rater", ordering="enrolment__rater__pseudonym")
    def rater(self, judgement: Judgement) -> str:
        return str(judgement.enrolment.rater)

    @admin.display(description="word", ordering="seat__item__word__text")
    def word(self, judgement: Judgement) -> str:
        return judgement.seat.item.word.text

    @admin.display(description="tag", ordering="seat__item__word__tag")
    def tag(self, judgement: Judgement) -> str:
        return judgement.seat.item.word.tag


@admin.register(Item)
class RunItemAdmin(BulkAdmin, ItemAdmin):
    """With what is done to items of a study that has seats."""

    deeds = FOR_ITEMS
    things = "items"
    counted = staticmethod(items)
    actions = tuple(map(action_for, FOR_ITEMS.values()))
