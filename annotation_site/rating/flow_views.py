"""The pages around the items: instructions, practice with feedback, a request for care, breaks.

Each is shown only when it is the rater's turn for it, and otherwise leads to what is; instructions can be read again
at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from annotation_site.raters.models import Enrolment
from annotation_site.rating import assignment, flow, flow_pages
from annotation_site.rating.forms import AnswerForm, form_class
from annotation_site.rating.links import enrolment_or_404
from annotation_site.rating.practice import answer, practice, read

Page = Callable[[HttpRequest, Enrolment], HttpResponse]


def step_page(view: Page) -> Callable[..., HttpResponse]:
    """A page of the rater's own link, by GET and POST."""

    # As for answers: the secret link says who sends the form, and a cookie adds nothing.
    @csrf_exempt
    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def page(request: HttpRequest, token: str) -> HttpResponse:
        return view(request, enrolment_or_404(token))

    return page


@step_page
def instructions(request: HttpRequest, enrolment: Enrolment) -> HttpResponse:
    if not assignment.may_rate(enrolment):
        return redirect("done", token=enrolment.token)
    if request.method == "POST":
        flow.instructed(enrolment, now=assignment.database_now())
        return redirect("rate", token=enrolment.token)
    return render(request, "rating/instructions.html", flow_pages.instructions(enrolment, get_language() or ""))


@step_page
def practise(request: HttpRequest, enrolment: Enrolment) -> HttpResponse:
    now = assignment.database_now()
    step = flow.next_step(enrolment, now)
    if step.kind is not flow.Kind.PRACTICE:
        return redirect(step.address)
    if request.method != "POST":
        return _practice(request, enrolment)
    if "read" in request.POST:
        read(enrolment, _number(request, "read"), now=now)
        return redirect("rate", token=enrolment.token)
    form = form_class(enrolment.study)(request.POST)
    if not form.is_valid():
        return _practice(request, enrolment, form)
    answer(enrolment, _number(request, "item"), _number(request, "attempt"), form.to_answer(), now=now)
    return redirect("practice", token=enrolment.token)


def _practice(request: HttpRequest, enrolment: Enrolment, form: AnswerForm | None = None) -> HttpResponse:
    state = practice(enrolment)
    if state.unread is not None:
        page = flow_pages.feedback(enrolment, state, state.unread, get_language() or "")
        return render(request, "rating/feedback.html", page)
    if state.item is None:
        # Finished in another tab just now.
        return redirect("rate", token=enrolment.token)
    page = flow_pages.practice_item(enrolment, state, state.item, form)
    return render(request, "rating/practice.html", page, status=422 if form else 200)


@step_page
def care(request: HttpRequest, enrolment: Enrolment) -> HttpResponse:
    return _between(request, enrolment, flow.Kind.CARE)


@step_page
def pause(request: HttpRequest, enrolment: Enrolment) -> HttpResponse:
    return _between(request, enrolment, flow.Kind.BREAK)


def _between(request: HttpRequest, enrolment: Enrolment, kind: flow.Kind) -> HttpResponse:
    """A page between two items, left by a button."""
    now = assignment.database_now()
    step = flow.next_step(enrolment, now)
    if step.kind is not kind:
        return redirect(step.address)
    if request.method != "POST":
        return render(request, f"rating/{kind.value}.html", flow_pages.between(enrolment))
    if kind is flow.Kind.CARE:
        flow.warned(enrolment, now=now)
    else:
        flow.break_offered(enrolment)
    return redirect("rate", token=enrolment.token)


def _number(request: HttpRequest, name: str) -> int:
    """A row's number from the form; 0, which no row has, for anything else."""
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
