"""A study as it is now against one of its registrations: each deviation in plain words, with when and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.utils import translation

from annotation_site.raters.models import Enrolment
from annotation_site.rating.models import Judgement
from annotation_site.reports.exclusions import hits
from annotation_site.reports.loading import load
from annotation_site.reports.preregistration import comparing, putting_back
from annotation_site.reports.preregistration.collecting import content
from annotation_site.reports.preregistration.comparing import Content, Difference
from annotation_site.reports.preregistration.history import Change, History
from annotation_site.reports.preregistration.item_words import of_item
from annotation_site.reports.preregistration.labels import label, said
from annotation_site.reports.preregistration.registering import document_of
from annotation_site.studies.models import Registration, Study

PUT_BACK = "as registered again; in between: %s"


@dataclass(frozen=True)
class Deviation:
    """``changes`` are oldest first, and none where nothing says when it came about."""

    subject: str
    registered: str
    now: str
    changes: tuple[Change, ...]


def deviations(registration: Registration) -> list[Deviation]:
    """All of them, in English: settings first, then items, raters and the size of the sample.

    Of settings and items those that differ, then those that did while the study ran, and are as registered again.
    """
    # As it is now, whatever an object that was read earlier says.
    study, before = Study.objects.get(pk=registration.study_id), document_of(registration)["content"]
    with translation.override("en"):
        now = content(study)
        history = History(study, registration.registered_at)
        left_out = _left_out(study, before)
        return [
            *(_of_setting(each, history) for each in comparing.settings(before, now)),
            *(_of_setting_put_back(each, history) for each in putting_back.settings(before, now, history)),
            *_of_items(before, now, history),
            *_of_raters(registration, before, now, left_out, history),
            *_of_kept(study, before, left_out, history),
            *_of_sample(study, before, history),
        ]


def _of_setting(difference: Difference, history: History) -> Deviation:
    return Deviation(
        subject=label(difference.section, difference.name),
        registered=said(difference.section, difference.registered),
        now=said(difference.section, difference.now),
        changes=history.of(difference),
    )


def _of_setting_put_back(found: list[Difference], history: History) -> Deviation:
    was = dict.fromkeys(said(each.section, each.now) for each in found)
    each = _of_setting(found[0], history)
    return replace(each, now=PUT_BACK % ", then ".join(was))


def _of_items(before: Content, now: Content, history: History) -> Iterator[Deviation]:
    known = {str(item["position"]): item for item in (*now["items"], *before["items"])}
    for each in comparing.items(before["items"], now["items"]):
        yield Deviation(*of_item(each, known[each.name], before, now), history.of(each))
    for each in putting_back.items(before["items"], now["items"], history):
        subject, registered, was = of_item(each, known[each.name], before, now)
        yield Deviation(subject, registered, PUT_BACK % was, history.of(each))


def _of_raters(
    registration: Registration, before: Content, now: Content, left_out: dict[str, str], history: History
) -> Iterator[Deviation]:
    """People who were excluded since, by no registered rule."""
    excluded = Enrolment.objects.people().filter(study=registration.study, excluded_at__gt=registration.registered_at)
    same = _same_rules(before, now)
    for enrolment in excluded.select_related("rater").order_by("excluded_at", "pk"):
        rule = history.rule_of_exclusion(enrolment)
        by_a_rule = bool(rule) and (rule in same or enrolment.rater.pseudonym in left_out)
        if not by_a_rule and not _by_checks(enrolment, before):
            yield Deviation(
                subject=f"Rater {enrolment.rater.pseudonym}",
                registered="counts: no registered rule excludes the rater",
                now=f"excluded: {enrolment.exclusion_reason}",
                changes=history.of_exclusion(enrolment),
            )


def _same_rules(before: Content, now: Content) -> set[str]:
    """The names of registered rules that say what they said: until the study opens a rule's bounds may change."""
    return {rule["name"] for rule in before["exclusions"]["rules"] if rule in now["exclusions"]["rules"]}


def _by_checks(enrolment: Enrolment, before: Content) -> bool:
    """Whether the registered consequence of failed checks excluded somebody."""
    return before["way"]["check_consequence"] == "exclude" and enrolment.exclusion_reason == enrolment.check_failure


def _of_kept(study: Study, before: Content, left_out: dict[str, str], history: History) -> Iterator[Deviation]:
    """People who count although a registered rule, or the registered consequence of failed checks, leaves them out."""
    counted = Enrolment.objects.people().filter(study=study, excluded_at__isnull=True).select_related("rater")
    by_checks = before["way"]["check_consequence"] == "exclude"
    for enrolment in counted.order_by("pk"):
        reason = left_out.get(enrolment.rater.pseudonym) or (enrolment.check_failure if by_checks else "")
        if reason:
            yield Deviation(
                subject=f"Rater {enrolment.rater.pseudonym}",
                registered=f"excluded: {reason}",
                now="counts",
                changes=history.of_restoring(enrolment),
            )


def _left_out(study: Study, before: Content) -> dict[str, str]:
    """Whom registered rules leave out of a closed study, and why: as long as it runs, answers may still mend that."""
    rules = before["exclusions"]["rules"]
    if study.state != Study.State.CLOSED or not rules:
        return {}
    return {hit.rater: hit.reason for hit in hits(load(study), rules)}


def _of_sample(study: Study, before: Content, history: History) -> Iterator[Deviation]:
    """A sample that a closed study did not reach: as long as it runs, more may come."""
    wanted, counted = before["sample"]["judgements"], answers_that_count(study)
    if study.state == Study.State.CLOSED and counted < wanted:
        yield Deviation(
            subject="Sample size",
            registered=f"{wanted} answers that count",
            now=f"{counted} answers that count, and the study is closed",
            changes=history.of_closing(),
        )


def answers_that_count(study: Study) -> int:
    return Judgement.objects.counted().of_people().filter(enrolment__study=study).count()


def as_plain(found: list[Deviation], *, names: bool) -> list[dict[str, Any]]:
    """For JSON, times in ISO 8601; with the ``names`` of who changed what, or without."""
    return [
        {
            "subject": each.subject,
            "registered": each.registered,
            "now": each.now,
            "changes": [
                {"at": change.at.isoformat(), "by": change.by if names else "", "answers_by_then": change.answers}
                for change in each.changes
            ],
        }
        for each in found
    ]
