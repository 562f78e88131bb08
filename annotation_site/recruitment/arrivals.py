"""Prolific as a source of raters: its ids, its signatures, its codes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from annotation_site.raters.models import Enrolment
from annotation_site.raters.sources import Arrival, ArrivalProblem, End, Outcome, Source, SourceKind
from annotation_site.recruitment.models import ProlificStudy, Submission
from annotation_site.recruitment.tokens import claims

PERSON, SESSION, STUDY, TOKEN = "PROLIFIC_PID", "SESSION_ID", "STUDY_ID", "prolific_token"
BACK = "https://app.prolific.com/submissions/complete?cc="


class FromProlific(SourceKind):
    """Participants of Prolific: PROLIFIC_PID, SESSION_ID and STUDY_ID, signed where the source asks for it."""

    key = Source.Kind.PROLIFIC
    paid_by = Source.PaidBy.PROLIFIC

    def parameters(self, source: Source) -> dict[str, str]:
        return {"person": PERSON, "session": SESSION, "study": STUDY}

    def carriers(self, source: Source) -> set[str]:
        return {*super().carriers(source), TOKEN}

    def identify(self, source: Source, given: Mapping[str, str], *, site: str, now: datetime) -> Arrival:
        token = next((value for name, value in given.items() if name.casefold() == TOKEN), "")
        if token:
            # What is signed counts, whatever stands beside it.
            given = dict(claims(token, site=site))
        elif source.signed:
            raise ArrivalProblem(
                _(
                    "Prolific has not signed this link. Open the study from Prolific, and not by a copied address. "
                    "Nothing was stored."
                )
            )
        arrival = super().identify(source, given, site=site, now=now)
        for name, value in ((SESSION, arrival.session), (STUDY, arrival.study)):
            if not value:
                raise ArrivalProblem(
                    _(
                        "The link has no “%(name)s”, which says who you are. Open the study from the site that "
                        "listed it, and not by a copied address. Nothing was stored."
                    )
                    % {"name": name}
                )
        expected = _study_of(source)
        if expected and arrival.study != expected:
            raise ArrivalProblem(
                _(
                    "This link belongs to another study at Prolific. Open this study from Prolific again. "
                    "Nothing was stored."
                )
            )
        return arrival

    def namespace(self, source: Source) -> str:
        return "prolific"

    def enrolled(self, enrolment: Enrolment, arrival: Arrival, now: datetime) -> None:
        """Tie the submission to the rater; who comes with another one after giving the first back takes part again."""
        study = ProlificStudy.objects.filter(source=enrolment.arrived_by_id).first()
        if study is None:
            return
        fields = {"prolific_study": study, "enrolment": enrolment, "status": "ACTIVE"}
        row, new = Submission.objects.get_or_create(
            submission_id=arrival.session, defaults=fields | {"status_at": now, "started_at": now}
        )
        if not new:
            Submission.objects.filter(pk=row.pk, enrolment__isnull=True).update(enrolment=enrolment)
        elif enrolment.left_at is not None:
            Enrolment.objects.filter(pk=enrolment.pk).update(left_at=None)

    def end(self, source: Source, outcome: Outcome, arrival: Arrival) -> End:
        code = super().end(source, outcome, arrival).code
        if outcome == Outcome.SCREENED_OUT and _screened_out_by_us(source):
            return End()
        return End(code, f"{BACK}{code}" if code else "")


def _study_of(source: Source) -> str:
    return ProlificStudy.objects.filter(source=source).values_list("prolific_id", flat=True).first() or ""


def _screened_out_by_us(source: Source) -> bool:
    by_us = ProlificStudy.objects.filter(source=source, screen_out_actor=ProlificStudy.Actor.RESEARCHER)
    return by_us.filter(screen_out_reward__gt=0).exists()
