"""Finding a study by what a user typed."""

from __future__ import annotations

from django.core.management.base import CommandError

from annotation_site.studies.models import Study


def study_or_error(slug: str) -> Study:
    """The study of this slug; a CommandError that lists the slugs there are when it does not exist."""
    try:
        return Study.objects.get(slug=slug)
    except Study.DoesNotExist:
        known = ", ".join(Study.objects.values_list("slug", flat=True)[:20]) or "none yet"
        raise CommandError(f"There is no study {slug!r}. Studies: {known}.") from None
