"""The page of a study's practice and checks in the administration."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from annotation_site.rating.known import shown
from annotation_site.rating.known_forms import KnownForm, remove_known_item
from annotation_site.studies.gold import StudyStarted
from annotation_site.studies.models import Item, Study


def known_page(request: HttpRequest, study: Study) -> dict[str, Any]:
    """What the page shows; ``done`` is set when the request changed something and the page is to be read again."""
    draft = study.state == Study.State.DRAFT and study.kind != Study.Kind.CHANGE
    posted = request.POST if request.method == "POST" else None
    adding = posted is not None and "remove" not in posted
    form = KnownForm(posted if adding else None, study=study)
    done = posted is not None and (_added(request, form) if adding else _removed(request, study))
    return {
        "form": form,
        "known": [] if done else shown(study),
        "draft": draft,
        "done": done,
        "rated": study.items.in_use().count(),
    }


def _added(request: HttpRequest, form: KnownForm) -> bool:
    if not form.is_valid():
        return False
    try:
        with transaction.atomic():
            item = form.add()
    except (ValidationError, StudyStarted) as error:
        form.add_error(None, error.messages if isinstance(error, ValidationError) else str(error))
        return False
    messages.success(request, f"Added: {item}.")
    return True


def _removed(request: HttpRequest, study: Study) -> bool:
    number = request.POST["remove"]
    try:
        item = remove_known_item(study, int(number) if number.isdecimal() and number.isascii() else -1)
    except Item.DoesNotExist:
        messages.info(request, "It was removed before.")
    except StudyStarted as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Removed: {item}.")
    return True
