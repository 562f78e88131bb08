"""What the tour's buttons do. Where there is no tour there are no such addresses either."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth import login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotation_site.accounts.demo import demo_researcher
from annotation_site.operations import tour

View = Callable[[HttpRequest], HttpResponse]


def tour_only(view: View) -> View:
    @require_POST
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not tour.on():
            raise Http404
        return view(request)

    return guarded


@tour_only
def move(request: HttpRequest) -> HttpResponse:
    """To a step, by its number from 1; anything else hides the tour."""
    wanted = request.POST.get("to", "")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 3 else 0
    if not 1 <= number <= len(tour.STEPS):
        request.session[tour.KEY] = tour.HIDDEN
        return redirect("home")
    request.session[tour.KEY] = number - 1
    step = tour.STEPS[number - 1]
    if step.needs_account and not request.user.is_authenticated and tour.may_sign_in(request):
        return redirect("home")
    return redirect(step.address)


@tour_only
def sign_in(request: HttpRequest) -> HttpResponse:
    """Become the demo's researcher, and go on with the tour."""
    if not tour.may_sign_in(request):
        raise PermissionDenied(_("One click signs in on the demo's own machine alone."))
    if not request.user.is_authenticated:
        login(request, demo_researcher(), backend="allauth.account.auth_backends.AuthenticationBackend")
    card = tour.tour(request)["tour"]
    return redirect(card["step"].address if "step" in card else "home")
