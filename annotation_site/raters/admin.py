from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from annotation_site.admin_history import ReadOnlyAdmin
from annotation_site.raters.models import Rater


@admin.register(Rater)
class RaterAdmin(ReadOnlyAdmin, ModelAdmin):
    list_display = ("pseudonym", "simulated", "created_at")
    list_filter = ("simulated",)
    search_fields = ("pseudonym",)
