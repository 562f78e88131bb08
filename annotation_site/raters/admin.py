from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from annotation_site.admin_history import ReadOnlyAdmin
from annotation_site.raters.models import Enrolment, Rater


@admin.register(Rater)
class RaterAdmin(ReadOnlyAdmin, ModelAdmin):
    list_display = ("pseudonym", "simulated", "created_at")
    list_filter = ("simulated",)
    search_fields = ("pseudonym",)


@admin.register(Enrolment)
class EnrolmentAdmin(ModelAdmin):
    """A rater is excluded by writing down a reason, and restored by deleting it; the judgements stay either way."""

    list_display = ("rater", "study", "source", "consented_at", "completed_at", "excluded_at", "exclusion_reason")
    list_filter = ("study", "source", "rater__simulated", ("excluded_at", admin.EmptyFieldListFilter))
    search_fields = ("rater__pseudonym", "study__slug", "exclusion_reason")
    list_select_related = ("rater", "study")
    fields = (
        "rater",
        "study",
        "source",
        "locale",
        "consent_version",
        "consented_at",
        "completed_at",
        "excluded_at",
        "exclusion_reason",
    )
    readonly_fields = tuple(name for name in fields if name != "exclusion_reason")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Enrolment | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Enrolment, form: Any, change: bool) -> None:
        reason = obj.exclusion_reason.strip()
        if not reason:
            obj.restore()
        else:
            obj.exclude(reason, obj.excluded_at or timezone.now())
