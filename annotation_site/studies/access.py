"""The studies a user may read, and those they may run, by address: anything else does not exist for them."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from annotation_site.accounts.roles import is_admin
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item, Study


def study_to_read(request: HttpRequest, slug: str) -> Study:
    """The study, for its researchers, viewers and admins; for everyone in the demo. Raises Http404 for others."""
    return one_of(studies_to_read(request), slug)


def studies_to_read(request: HttpRequest) -> QuerySet[Study]:
    return Study.objects.all() if is_open() else Study.objects.visible_to(request.user)


def study_to_see(request: HttpRequest, slug: str) -> Study:
    """The study, for its researchers, viewers and admins, in the demo too. Raises Http404 for others."""
    return one_of(Study.objects.visible_to(request.user), slug)


def study_to_run(request: HttpRequest, slug: str) -> Study:
    """The study, for its researchers and admins. Raises Http404 for others, who must not learn that it exists."""
    return one_of(Study.objects.run_by(request.user), slug)


def generations_to_read(request: HttpRequest) -> QuerySet[Generation]:
    """The images and maps of the studies that the user may read; those of no study are for admins, and the demo."""
    if is_open() or is_admin(request.user):
        return Generation.objects.all()
    of_items = Item.objects.filter(Q(generation=OuterRef("pk")) | Q(second_generation=OuterRef("pk")))
    return Generation.objects.filter(Exists(of_items.filter(study__in=studies_to_read(request))))


def may_run(request: HttpRequest, study: Study) -> bool:
    return Study.objects.run_by(request.user).filter(pk=study.pk).exists()


def is_open() -> bool:
    """The demo shows its reports to everyone, so that a first user sees them."""
    return settings.ATTEST_ENV == "demo"


def one_of(studies: QuerySet[Study], slug: str) -> Study:
    """The one of this name among studies that somebody may see. Raises Http404 where it is none of them."""
    study = studies.filter(slug=slug).first()
    if study is None:
        raise Http404(_("There is no study “%(slug)s” that you may see.") % {"slug": slug})
    return study
