"""A study's images by state."""

from __future__ import annotations

from django.db.models import Count

from annotation_site.stimuli.models import Generation
from annotation_site.studies.drawing_order import wanted_by
from annotation_site.studies.models import Study


def counts(study: Study) -> dict[str, int]:
    """The images of the items in use by state."""
    rows = wanted_by(study).order_by().values_list("state").annotate(Count("pk"))
    number = dict(rows)
    return {state: number.get(state, 0) for state in Generation.State.values}
