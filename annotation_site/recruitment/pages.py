"""Who may look at a study's recruitment, and what its pages show."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotation_site.raters.models import Source
from annotation_site.studies.access import study_to_run
from annotation_site.studies.models import Study

View = Callable[..., HttpResponse]


def for_those_who_run_it(view: View) -> View:
    """The view gets the study itself; who may not run it learns nothing, in the demo neither."""

    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def guarded(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
        return view(request, study_to_run(request, slug), *args, **kwargs)

    return guarded


def site_of(request: HttpRequest) -> str:
    """The address under which the site is used now, which links begin with."""
    return f"{request.scheme}://{request.get_host()}"


def with_numbers(sources: QuerySet[Source]) -> QuerySet[Source]:
    """Each source with how many came in by it, and how many finished."""
    done = Q(enrolments__completed_at__isnull=False)
    return sources.annotate(came=Count("enrolments"), finished=Count("enrolments", filter=done))


def source_or_404(study: Study, name: str) -> Source:
    source = with_numbers(study.sources.filter(name=name)).select_related("study").first()
    if source is None:
        raise Http404(_("This study has no way in of that name."))
    return source
