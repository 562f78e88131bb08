"""From a rater's link to their part in a study."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _

from annotation_site.lookups import Lookup
from annotation_site.raters.models import Enrolment

BY_TOKEN = Lookup(lambda: Enrolment.objects.select_related("study"), by="token")


def enrolment_or_404(token: str) -> Enrolment:
    """The enrolment of the link's secret part, with its study."""
    enrolment = BY_TOKEN.first(token)
    if enrolment is None:
        raise Http404(_("This link is not one of ours: check that all of it was copied. Your answers are safe."))
    return enrolment
