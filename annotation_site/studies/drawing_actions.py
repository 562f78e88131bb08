"""What the administration does with the images of chosen studies: pause, resume, try again, sooner or later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation_site.stimuli.bell import ring_after_commit
from annotation_site.studies.drawing_order import set_drawing_order, wanted_by
from annotation_site.studies.models import Study

Action = Callable[[Any, HttpRequest, QuerySet[Study]], None]


@admin.action(description=gettext_lazy("Pause drawing images"), permissions=["change"])
def pause_drawing(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Study]) -> None:
    for study in queryset:
        set_drawing_order(study, paused=True)
    text = _("%(count)d studies: their images wait. What is in a worker's hands now is still finished.")
    messages.success(request, text % {"count": len(queryset)})


@admin.action(description=gettext_lazy("Resume drawing images"), permissions=["change"])
def resume_drawing(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Study]) -> None:
    for study in queryset:
        set_drawing_order(study, paused=False)
    messages.success(request, _("%(count)d studies: their images are drawn again.") % {"count": len(queryset)})


@admin.action(description=gettext_lazy("Draw failed images again"), permissions=["change"])
def retry_drawing(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Study]) -> None:
    count = sum(wanted_by(study).retry_failed() for study in queryset)
    ring_after_commit()
    messages.success(request, _("%(count)d failed images are queued again.") % {"count": count})


def _draw(priority: Study.Priority) -> Action:
    @admin.action(
        description=gettext_lazy("Draw images: %(when)s") % {"when": priority.label},
        permissions=["change"],
    )
    def place(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Study]) -> None:
        for study in queryset:
            set_drawing_order(study, priority=priority)
        text = _("%(count)d studies: their images are drawn %(when)s.")
        messages.success(request, text % {"count": len(queryset), "when": priority.label})

    place.__name__ = f"draw_{priority.name.lower()}"
    return place


DRAWING_ACTIONS: list[Action] = [
    pause_drawing,
    resume_drawing,
    retry_drawing,
    *(_draw(priority) for priority in reversed(Study.Priority)),
]
