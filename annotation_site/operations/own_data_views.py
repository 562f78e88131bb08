"""What raters may do with their own data, by their own link: see it, take it along, have it erased."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotation_site.operations import rater_data
from annotation_site.payments.accounts import accounts
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.raters.pages import forget_rater
from annotation_site.rating import assignment


@never_cache
@require_safe
def own_data(request: HttpRequest, token: str) -> HttpResponse:
    """What is stored of the rater, in words and numbers."""
    enrolment = _enrolment(token)
    context = {"enrolment": enrolment, "rater": enrolment.rater, "parts": _parts(enrolment.rater)}
    return render(request, "operations/own_data.html", context)


@never_cache
@require_safe
def own_data_file(request: HttpRequest, token: str) -> JsonResponse:
    """Every row about the rater, as a file."""
    rater = _enrolment(token).rater
    response = JsonResponse(rater_data.handed_out(rater), json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="attest-{rater.pseudonym}.json"'
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, token: str) -> HttpResponse:
    """Say what it means, then do it. Of two clicks the second finds that the link leads nowhere any more."""
    enrolment = _enrolment(token)
    sure, uncount = request.POST.get("sure") == "yes", request.POST.get("uncount") == "yes"
    if request.method != "POST" or not sure:
        context = {"enrolment": enrolment, "owed": _owed(enrolment.rater), "uncount": uncount}
        error = request.method == "POST"
        return render(request, "operations/erase.html", context | {"error": error}, status=422 if error else 200)
    if not rater_data.erase_by_link(token, uncount=uncount, now=assignment.database_now()):
        raise Http404(_gone())
    forget_rater(request)
    return redirect("erased")


@require_safe
def erased(request: HttpRequest) -> HttpResponse:
    return render(request, "operations/erased.html")


def _enrolment(token: str) -> Enrolment:
    found = Enrolment.objects.select_related("rater").filter(token=token).first()
    if found is None:
        raise Http404(_gone())
    return found


def _gone() -> str:
    return str(
        _(
            "This link leads nowhere: not all of it was copied, another link has taken its place, or what it led to "
            "was erased."
        )
    )


def _parts(rater: Rater) -> Any:
    """The rater's part in each study, with how much of what is stored of it."""
    current = Count("judgements", filter=Q(judgements__current=True), distinct=True)
    return rater.enrolments.select_related("study").annotate(
        answers=current, practised=Count("practice_answers", distinct=True), ids=Count("identities", distinct=True)
    )


def _owed(rater: Rater) -> list[dict[str, Any]]:
    """What the rater is still to be paid, by study."""
    parts = rater.enrolments.select_related("study")
    found = [(part.study, account) for part in parts for account in accounts(part.study, only=[part.pk])]
    return [
        {"study": study.title, "amount": account.owed, "currency": account.earned.scheme.currency}
        for study, account in found
        if account.owed
    ]
