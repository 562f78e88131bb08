"""A study as its raters will see it, by their own templates: for whoever is making it, and storing nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import flow_pages
from annotation_site.rating.assignment.readiness import cap_of
from annotation_site.rating.pages import sent, stimulus
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item, Study

# Stands where a rater's secret would; it leads nowhere.
NO_TOKEN = "your-own-link"  # noqa: S105
SHOWN = ("generation__recipe", "word__prompt", "second_word__prompt", "second_generation", "map_word")
# As strict as everywhere; the editor may frame it, and no form in it is sent, whoever opens it and however.
POLICY = {
    **settings.CONTENT_SECURITY_POLICY["DIRECTIVES"],
    "frame-ancestors": [SELF],
    "form-action": [NONE],
    "sandbox": ["allow-scripts", "allow-same-origin"],
}


@never_cache
@xframe_options_sameorigin
@csp(POLICY)
def preview(request: HttpRequest, study: Study, chosen: Mapping[str, str], **said: Any) -> HttpResponse:
    """The page and language in ``chosen``, of a study as it is in memory: saved or not, nothing of it is written."""
    languages = dict(settings.LANGUAGES)
    locale = chosen.get("preview_locale") or get_language() or ""
    with override(locale if locale in languages else settings.LANGUAGE_CODE):
        context = _instructions(study) if chosen.get("preview_page") == "instructions" else _item(study)
        # A rater is not signed in, and what is said to whoever looks is said on their own pages.
        rater = {"user": AnonymousUser(), "messages": []}
        shared = {"study": study, "languages": languages, **rater, **said}
        return render(request, "rating/preview.html", {**shared, **context})


def _nobody(study: Study) -> Enrolment:
    return Enrolment(study=study, rater=Rater(pseudonym="preview"), token=NO_TOKEN)


def _instructions(study: Study) -> dict[str, Any]:
    context = flow_pages.instructions(_nobody(study), get_language() or "")
    return {**context, "layout": "rating/instructions.html"}


def _item(study: Study) -> dict[str, Any]:
    item = _first_drawn(study)
    if item is None:
        return {"layout": "base.html", "nothing": _("No picture of this study is made yet: there is no item to show.")}
    items = study.items.in_use().count()
    return {
        "enrolment": _nobody(study),
        "item": item,
        "layout": f"rating/{study.kind}.html",
        # Without a seat, like practice: nothing is leased, kept alive or undone.
        "practising": True,
        "done": 0,
        "total": min(items, study.cap or cap_of(study, items * study.seats_per_item)),
        **sent(None),
        **stimulus(item, _nobody(study), turn=0),
    }


def _first_drawn(study: Study) -> Item | None:
    done = Generation.State.DONE
    items = study.items.in_use().filter(generation__state=done).select_related(*SHOWN)
    if study.kind == Study.Kind.CHANGE:
        items = items.filter(second_generation__state=done)
    return items.order_by("position").first()
