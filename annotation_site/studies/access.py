"""The studies a user may read, and those they may run, by address: anything else does not exist for them."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from annotation_site.studies.models import Study


def study_to_read(request: HttpRequest, slug: str) -> Study:
    """The study, for its researchers, viewers and admins; for everyone in the demo. Raises Http404 for others."""
    studies = Study.objects.all() if is_open() else Study.objects.visible_to(request.user)
    return _one(studies.filter(slug=slug).first(), slug)


def study_to_run(request: HttpRequest, slug: str) -> Study:
    """The study, for its researchers and admins. Raises Http404 for others, who must not learn that it exists."""
    return _one(Study.objects.run_by(request.user).filter(slug=slug).first(), slug)


def is_open() -> bool:
    """The demo shows its reports to everyone, so that a first user sees them."""
    return settings.ATTEST_ENV == "demo"


def _one(study: Study | None, slug: str) -> Study:
    if study is None:
        raise Http404(_("There is no study “%(slug)s” that you may see.") % {"slug": slug})
    return study
