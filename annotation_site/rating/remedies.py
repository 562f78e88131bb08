"""Where in the administration each problem of a draft is mended."""

from __future__ import annotations

from django.urls import reverse

from annotation_site.rating.assignment import Problem
from annotation_site.studies.models import Study


def where_to_mend(problem: Problem, study: Study) -> str:
    """The address of the page that mends it; empty where none does."""
    change = reverse("admin:studies_study_change", args=[study.pk])
    pictures = reverse("admin:stimuli_generation_changelist") + f"?items__study__id__exact={study.pk}"
    consent = reverse("admin:studies_consenttext_add")
    return {
        "items": reverse("admin:studies_item_changelist") + f"?study__id__exact={study.pk}",
        "consent": f"{consent}?study={study.pk}&version={study.consent_version}",
        "known": reverse("admin:studies_study_known", args=[study.pk]),
        "images": pictures,
        "failed": f"{pictures}&state__exact=failed",
        "share": change,
    }.get(problem.part, "")
