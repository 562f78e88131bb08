"""When a setting came to differ and by whom, as far as rows and the audit log know."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from auditlog.models import LogEntry
from django.db.models import QuerySet

from annotation_site.payments.accounts import schemes_of
from annotation_site.raters.models import Enrolment
from annotation_site.raters.source_rows import Source
from annotation_site.rating.models import Judgement
from annotation_site.reports.preregistration.comparing import Difference
from annotation_site.studies.models import ConsentText, Item, KnownAnswer, Study

# Where a setting is kept under another name than it is registered by.
KEPT_IN = {"wording": "texts", "consent": "consent_version", "exclusions": "exclusion_rules"}


@dataclass(frozen=True)
class Change:
    """A change since the registration; ``by`` is empty where nobody knows, ``answers`` are people's by then."""

    at: datetime
    by: str
    answers: int


class History:
    """What happened to a study since a moment."""

    def __init__(self, study: Study, since: datetime) -> None:
        self.study, self.since = study, since

    def of(self, difference: Difference) -> tuple[Change, ...]:
        """The changes that led to a difference, oldest first; empty where nothing says when."""
        if difference.section == "items":
            found = self.of_items.get(int(difference.name), [])
            return self._changes((entry.timestamp, by(entry)) for entry in found)
        if difference.section == "recruiting":
            return self._changes((at, "") for at in self._sources(difference.name))
        if difference.section == "pay":
            return self._changes((scheme.made_at, scheme.made_by) for scheme in schemes_of(self.study))
        found = self._of_field(KEPT_IN.get(difference.section, difference.name))
        if difference.section == "consent":
            found = found + self._logged(ConsentText.objects.filter(study=self.study))
        return self._changes((entry.timestamp, by(entry)) for entry in found)

    def of_exclusion(self, enrolment: Enrolment) -> tuple[Change, ...]:
        known = [(entry.timestamp, by(entry)) for entry in self._exclusions(enrolment)]
        return self._changes(known or [(enrolment.excluded_at, "")])[-1:]

    def rule_of_exclusion(self, enrolment: Enrolment) -> str:
        """The rule of the study that excluded the rater; empty where a person did, whatever they wrote."""
        last = self._exclusions(enrolment)[-1:]
        return str(last[0].changes.get("exclusion_rule", ["", ""])[1]) if last else ""

    def _exclusions(self, enrolment: Enrolment) -> list[LogEntry]:
        found = self._of_raters.get(enrolment.pk, [])
        return [entry for entry in found if "excluded_at" in (entry.changes or {})]

    def of_restoring(self, enrolment: Enrolment) -> tuple[Change, ...]:
        """Empty for a rater whom nobody has excluded."""
        found = self._of_raters.get(enrolment.pk, [])
        restored = [entry for entry in found if set(entry.changes or {}) == {"exclusion_reason"}]
        return self._changes((entry.timestamp, by(entry)) for entry in restored)[-1:]

    def of_closing(self) -> tuple[Change, ...]:
        closed = [entry for entry in self._of_field("state") if entry.changes["state"][1] == Study.State.CLOSED]
        return self._changes((entry.timestamp, by(entry)) for entry in closed)

    def follows_opening(self, entry: LogEntry) -> bool:
        """Whether an entry is later than the study's opening: by the log's own order, for two clocks may differ."""
        return self.study.opened_at is not None and entry.pk > self._opening

    @cached_property
    def _opening(self) -> int:
        """The entry of the opening; 0 where the study had opened before."""
        opened = [entry.pk for entry in self._of_field("state") if entry.changes["state"][0] == Study.State.DRAFT]
        return min(opened, default=0)

    @cached_property
    def of_study(self) -> list[LogEntry]:
        """Entries about the study itself, oldest first."""
        return self._logged(Study.objects.filter(pk=self.study.pk))

    def _of_field(self, field: str) -> list[LogEntry]:
        return [entry for entry in self.of_study if field in (entry.changes or {})]

    def _sources(self, name: str) -> list[datetime]:
        return list(Source.objects.filter(study=self.study, name=name).values_list("created_at", flat=True))

    @cached_property
    def of_items(self) -> dict[int, list[LogEntry]]:
        """Entries about items and their known answers, by position: many items may differ, so all are read at once."""
        items, known = Item.objects.filter(study=self.study), KnownAnswer.objects.filter(item__study=self.study)
        places: list[tuple[QuerySet[Any], dict[int, int]]] = [
            (items, dict(items.values_list("pk", "position"))),
            (known, dict(known.values_list("pk", "item__position"))),
        ]
        found: dict[int, list[LogEntry]] = {}
        for rows, place in places:
            for entry in self._logged(rows):
                found.setdefault(place[entry.object_id], []).append(entry)
        return found

    @cached_property
    def _of_raters(self) -> dict[int, list[LogEntry]]:
        """Entries about enrolments, by their keys: many raters may be excluded, so all are read at once."""
        found: dict[int, list[LogEntry]] = {}
        for entry in self._logged(Enrolment.objects.filter(study=self.study)):
            found.setdefault(entry.object_id, []).append(entry)
        return found

    def _logged(self, rows: QuerySet[Any]) -> list[LogEntry]:
        """Entries about these rows since, oldest first."""
        about = LogEntry.objects.get_for_model(rows.model).filter(object_id__in=rows.order_by().values("pk"))
        return list(about.filter(timestamp__gt=self.since).select_related("actor").order_by("timestamp", "pk"))

    def _changes(self, known: Any) -> tuple[Change, ...]:
        """Those after the registration."""
        return tuple(Change(at, who, self._answers_by(at)) for at, who in known if at > self.since)

    @cached_property
    def _answered(self) -> list[datetime]:
        """When each answer of people was given, in order."""
        given = Judgement.objects.of_people().filter(enrolment__study=self.study)
        return sorted(given.order_by().values_list("answered_at", flat=True))

    def _answers_by(self, at: datetime) -> int:
        return bisect_right(self._answered, at)


def by(entry: LogEntry) -> str:
    """Whose change an entry notes: an account, or a program with the account that ran it."""
    if entry.actor is not None:
        return str(entry.actor.get_username())
    return str((entry.additional_data or {}).get("by", ""))
