"""The preregistration of a study as its report shows it, from the database."""

from __future__ import annotations

from annotation_site.reports.preregistration.deviations import Deviation, deviations
from annotation_site.reports.preregistration.history import Change
from annotation_site.reports.preregistration.registering import document_of
from annotation_site.reports.preregistration.standing import DeviationRow, Standing
from annotation_site.studies.models import Registration, Study


def standing(study: Study) -> Standing | None:
    """The registration that counts with what deviates from it; None where nothing is registered."""
    found = Registration.objects.standing(study)
    if found is None:
        return None
    return Standing(
        number=found.number,
        registered_at=f"{found.registered_at:%Y-%m-%d %H:%M} UTC",
        sha256=found.sha256,
        judgements=found.judgements,
        seed=document_of(found)["content"]["analysis"]["seed"],
        deviations=tuple(_row(each) for each in deviations(found)),
    )


def _row(found: Deviation) -> DeviationRow:
    return DeviationRow(found.subject, found.registered, found.now, "; ".join(map(when, found.changes)) or "not known")


def when(change: Change) -> str:
    """The moment, and whether data had come in by then."""
    answers = "1 answer" if change.answers == 1 else f"{change.answers} answers"
    data = f"after {answers}" if change.answers else "before any answer"
    return f"{change.at:%Y-%m-%d %H:%M} UTC, {data}"
