"""Enrolments in the admin: how far each rater is, practice and checks passed and failed, exclusion with its reason.

Here and not beside the model, for the steps of a rater's way and the outcomes of checks are known in this package.
"""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from annotation_site.admin_history import ReadOnlyAdmin
from annotation_site.raters.models import Enrolment, PracticeAnswer
from annotation_site.rating import checks
from annotation_site.rating.bulk import FOR_RATERS, raters
from annotation_site.rating.bulk_admin import BulkAdmin, action_for
from annotation_site.rating.checks import Result


@admin.action(description="Revoke their links: make new ones")
def revoke_links(modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet[Enrolment]) -> None:
    """Shown this once to whoever revoked them, to be given to the raters."""
    for enrolment in queryset.select_related("rater"):
        enrolment.renew_link("revoked in the administration")
        link = request.build_absolute_uri(reverse("rate", args=[enrolment.token]))
        messages.success(request, f"The old link of {enrolment.rater.pseudonym} leads nowhere now. The new one: {link}")


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnlyAdmin, BulkAdmin):
    """Raters are excluded and restored by deeds with a reason, never in a form; the judgements stay either way."""

    deeds = FOR_RATERS
    things = "raters"
    counted = staticmethod(raters)

    list_display = ("rater", "study", "stage", "practice", "check_counts", "source", "consented_at", "exclusion_reason")
    list_filter = (
        "study",
        "source",
        "rater__simulated",
        ("excluded_at", admin.EmptyFieldListFilter),
        ("check_failure", admin.EmptyFieldListFilter),
        ("screened_out_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("rater__pseudonym", "study__slug", "exclusion_reason")
    list_select_related = ("rater", "study")
    fields = (
        "rater",
        "study",
        "source",
        "locale",
        "consent_version",
        "consent_text",
        "consented_at",
        "instructed_at",
        "practice_given",
        "ready_at",
        "screened_out_at",
        "checks_given",
        "check_failure",
        "warned_at",
        "completed_at",
        "excluded_at",
        "exclusion_reason",
    )
    actions = (*map(action_for, FOR_RATERS.values()), revoke_links)
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrolment]:
        rows = super().get_queryset(request)
        return rows.prefetch_related("practice_answers__item__word", checks.with_answers())

    @admin.display(description="stage")
    def stage(self, enrolment: Enrolment) -> str:
        """How far the rater is, in a word."""
        stages = {
            "excluded": enrolment.excluded_at,
            "screened out": enrolment.screened_out_at,
            "finished": enrolment.completed_at,
            "rating": enrolment.ready_at,
            "practising": enrolment.practice_answers.all(),
            "instructed": enrolment.instructed_at,
        }
        return next((name for name, reached in stages.items() if reached), "enrolled")

    @admin.display(description="practice")
    def practice(self, enrolment: Enrolment) -> str:
        """How many answers of the last attempt fitted: "2 of 3, attempt 2"."""
        given = list(enrolment.practice_answers.all())
        if not given:
            return "-"
        attempt = max(answer.attempt for answer in given)
        last = [answer.acceptable for answer in given if answer.attempt == attempt]
        return f"{sum(last)} of {len(last)}, attempt {attempt}"

    @admin.display(description="checks")
    def check_counts(self, enrolment: Enrolment) -> str:
        outcome = [result.passed for result in _results(enrolment)]
        return f"{outcome.count(True)} passed, {outcome.count(False)} failed" if outcome else "-"

    @admin.display(description="practice answers")
    def practice_given(self, enrolment: Enrolment) -> str:
        return _lines([_practised(answer) for answer in enrolment.practice_answers.all()])

    @admin.display(description="answers to checks")
    def checks_given(self, enrolment: Enrolment) -> str:
        words = {True: "passed", False: "failed", None: "opted out"}
        return _lines([f"{words[result.passed]}: {result.reason}" for result in _results(enrolment)])


def _results(enrolment: Enrolment) -> list[Result]:
    return checks.judged(enrolment.check_answers)  # type: ignore[attr-defined]


def _practised(answer: PracticeAnswer) -> str:
    given = answer.opt_out or answer.rating or f"present {answer.first_present}, {answer.second_present}"
    verdict = "fitted" if answer.acceptable else "did not fit"
    return f"attempt {answer.attempt}, item {answer.item_id} (“{answer.item.word.text}”): {given}, {verdict}"


def _lines(lines: list[str]) -> SafeString | str:
    return format_html_join("", "<p>{}</p>", ((line,) for line in lines)) or "-"
