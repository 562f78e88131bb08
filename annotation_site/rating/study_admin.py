"""A study in the administration: its form, and buttons that run it, each behind a page that says what will happen."""

from __future__ import annotations

from typing import Any

from csp.constants import SELF
from django.conf import settings
from django.contrib import admin, messages
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from annotation_site.raters.models import Enrolment
from annotation_site.rating import assignment
from annotation_site.rating.known_admin import known_page
from annotation_site.rating.moves import MOVES, moves_of, situation, unmoved
from annotation_site.rating.preview import preview
from annotation_site.rating.reasons import ReasonForm
from annotation_site.rating.releasing import holders, release
from annotation_site.rating.remedies import where_to_mend
from annotation_site.studies.admin import StudyAdmin
from annotation_site.studies.drawing_actions import DRAWING_ACTIONS
from annotation_site.studies.models import Study


@admin.register(Study)
class RunStudyAdmin(StudyAdmin):
    """Its state is never a field of the form: each change of it is a button, and the audit log says who and why."""

    actions = DRAWING_ACTIONS
    change_form_outer_before_template = "administration/study_bar.html"

    change_form_outer_after_template = "administration/preview.html"

    class Media:
        css = {"all": ("css/administration.css",)}
        js = (Script("js/preview.js", defer=True),)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/move/<slug:to>/", view(self.move_view), name="studies_study_move"),
            path("<int:pk>/known/", view(self.known_view), name="studies_study_known"),
            path("<int:pk>/preview/", view(self.preview_view), name="studies_study_preview"),
            path("<int:pk>/release/", view(self.release_view), name="studies_study_release"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        study = Study.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        context = {**_bar(study), "preview_languages": settings.LANGUAGES} if study else {}
        response = super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})
        response._csp_update = {"frame-src": [SELF]}
        return response

    def known_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Practice and checks: what there is, how raters do on it, and for a draft adding and removing."""
        study = self._study(request, pk)
        context = known_page(request, study)
        if context["done"]:
            return redirect(reverse("admin:studies_study_known", args=[pk]))
        return self._page(request, study, f"Practice and checks: {study.title}", "administration/known.html", context)

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The raters' page of the study as it is written in the form that was sent, or as it is stored."""
        study = self._study(request, pk)
        if request.method != "POST":
            return preview(request, study, request.GET)
        form = self.get_form(request, study, change=True)(request.POST, instance=study)
        form.is_valid()
        return preview(request, study, request.POST, errors=[form.fields[name].label for name in form.errors])

    def move_view(self, request: HttpRequest, pk: int, to: str) -> HttpResponse:
        """What the move brings, or what is missing for it; then the move. Sent twice, the second changes nothing."""
        study, move = self._study(request, pk), MOVES.get(to)
        if move is None:
            raise Http404(f"A study is not moved to {to!r}: {', '.join(MOVES)} are the moves.")
        if study.state not in move.states:
            messages.info(request, unmoved(study))
            return self._back(study)
        form = ReasonForm.of(request, required=False)
        if request.method == "POST" and form.is_valid():
            try:
                messages.success(request, move.do(study, form.cleaned_data["reason"]))
                return self._back(study)
            except assignment.StudyNotReady as error:
                form.add_error(None, str(error))
        found = [(problem, where_to_mend(problem, study)) for problem in _problems(study)]
        context = {
            "move": move,
            "problems": found,
            "blocked": any(problem.blocks for problem, _ in found),
            "lines": move.brings(study, situation(study, timezone.now())),
            "form": form,
        }
        return self._page(request, study, f"{move.label}: {study.title}", "administration/move.html", context)

    def release_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Who holds seats unanswered, and taking them back: one rater's, or all."""
        study = self._study(request, pk)
        form = ReasonForm.of(request)
        if request.method == "POST" and form.is_valid():
            try:
                messages.success(request, release(study, request.POST.get("rater", ""), form.cleaned_data["reason"]))
                return self._back(study)
            except Enrolment.DoesNotExist:
                form.add_error(None, "Choose a rater of this study, or all of them: nothing was taken back.")
        context = {"holders": holders(study), "now": situation(study, timezone.now()), "form": form}
        return self._page(request, study, f"Take back places: {study.title}", "administration/release.html", context)

    def _study(self, request: HttpRequest, pk: int) -> Study:
        study = Study.objects.run_by(request.user).filter(pk=pk).first()
        if study is None:
            raise Http404(f"There is no study {pk} that you may run.")
        return study

    def _back(self, study: Study) -> HttpResponse:
        return redirect(reverse("admin:studies_study_change", args=[study.pk]))

    def _page(
        self, request: HttpRequest, study: Study, title: str, template: str, context: dict[str, Any]
    ) -> TemplateResponse:
        form = context.get("form")
        shared = {**self.admin_site.each_context(request), "title": title, "study": study}
        status = 422 if form is not None and form.is_bound and form.errors else 200
        return TemplateResponse(request, template, {**shared, **context}, status=status)


def _problems(study: Study) -> list[assignment.Problem]:
    return assignment.problems(study) if study.state == Study.State.DRAFT else []


def _bar(study: Study) -> dict[str, Any]:
    """What stands above the form: the state in words, and the moves that are possible."""
    blocking = sum(problem.blocks for problem in _problems(study))
    return {"study": study, "moves": moves_of(study), "now": situation(study, timezone.now()), "blocking": blocking}
