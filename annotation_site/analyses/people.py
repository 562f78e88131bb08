"""People's answers as the analyses of images take them."""

from __future__ import annotations

import numpy as np

from annotation_site.reports.loading import load
from annotation_site.reports.outcomes import outcomes
from annotation_site.studies.models import Study
from attribution.analysis.aggregation import Status


def both_seen(study: Study) -> dict[str, bool]:
    """By image identity, whether most people saw both nouns; scored images only, and no simulated raters."""
    if study.kind != Study.Kind.PRESENCE:
        return {}
    data = load(study)
    found = outcomes(data, data.counted(simulated=False))
    scored = found.having(Status.SCORED) & ~np.asarray(data.items.withdrawn)
    right = {int(data.items.position[item]): bool(found.score[item]) for item in scored.nonzero()[0]}
    rows = study.items.in_use().order_by("position").values_list("position", "generation__identity")
    return {identity: right[position] for position, identity in rows.iterator() if position in right}
