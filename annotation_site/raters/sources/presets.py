"""New sources of the usual kinds, filled in as those sites need them."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotation_site.raters.source_rows import Outcome, Source, new_code
from annotation_site.raters.sources.kinds import kind_of
from annotation_site.studies.models import Study


@dataclass(frozen=True)
class Preset:
    """One choice of the form for a new source."""

    label: str | Promise
    kind: str
    paid_by: str
    parameters: dict[str, str] = field(default_factory=dict)


PRESETS: dict[str, Preset] = {
    "prolific": Preset(_("Prolific"), Source.Kind.PROLIFIC, Source.PaidBy.PROLIFIC),
    "invitation": Preset(_("Invitation links, by e-mail or on paper"), Source.Kind.INVITATION, Source.PaidBy.CODE),
    "open": Preset(_("Open link, with a cap if wanted"), Source.Kind.OPEN, Source.PaidBy.NONE),
    "connect": Preset(
        _("CloudResearch Connect"),
        Source.Kind.PARAMETERS,
        Source.PaidBy.OUTSIDE,
        {"person": "participantId", "session": "assignmentId", "study": "projectId"},
    ),
    "sona": Preset(_("SONA"), Source.Kind.PARAMETERS, Source.PaidBy.OUTSIDE, {"person": "survey_code"}),
    "mturk": Preset(
        _("Mechanical Turk and its like"),
        Source.Kind.PARAMETERS,
        Source.PaidBy.CODE,
        {"person": "workerId", "session": "assignmentId", "study": "hitId"},
    ),
    "panel": Preset(_("Another panel"), Source.Kind.PARAMETERS, Source.PaidBy.OUTSIDE, {"person": "id"}),
}
# What the sites themselves put in the place of an id when they send a person on.
SENT_AS = {
    "survey_code": "%SURVEY_CODE%",
    "workerId": "${workerId}",
    "assignmentId": "${assignmentId}",
    "hitId": "${hitId}",
    "PROLIFIC_PID": "{{%PROLIFIC_PID%}}",
    "SESSION_ID": "{{%SESSION_ID%}}",
    "STUDY_ID": "{{%STUDY_ID%}}",
}
ADDED_BY_THE_SITE = frozenset({"participantId", "projectId"})


def new_source(study: Study, preset: str, name: str, *, cap: int | None = None) -> Source:
    """Make a source after a preset, with a code for each outcome where the site asks for codes. Not saved yet."""
    chosen = PRESETS[preset]
    outcomes = Outcome.values if chosen.kind == Source.Kind.PROLIFIC else [Outcome.COMPLETE.value]
    ends = {} if chosen.paid_by == Source.PaidBy.NONE else {outcome: {"code": new_code()} for outcome in outcomes}
    return Source(
        study=study,
        name=name,
        kind=chosen.kind,
        paid_by=chosen.paid_by,
        cap=cap,
        parameters=dict(chosen.parameters),
        ends=ends,
    )


def arrival_address(source: Source, site: str) -> str:
    """The link to give to the site that recruits, with the places for its ids."""
    address = site + reverse("arrive", args=[source.study.slug, source.name])
    names = list(kind_of(source).parameters(source).values())
    if source.kind == Source.Kind.INVITATION or not names or ADDED_BY_THE_SITE & set(names):
        return address
    return f"{address}?{urlencode({name: SENT_AS.get(name, 'ID') for name in names}, safe='{}%$')}"
