"""A user's own account: who they are here, and their API tokens."""

from __future__ import annotations

from typing import cast

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation_site.accounts.forms import TokenForm
from annotation_site.accounts.models import ApiToken
from annotation_site.accounts.roles import lacks_second_factor, role_of
from annotation_site.accounts.tokens import make_token


@require_safe
@never_cache
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    user = request.user
    context = {
        "role": role_of(user),
        "has_second_factor": is_mfa_enabled(user),
        "lacks_second_factor": lacks_second_factor(user),
        "tokens": ApiToken.objects.filter(user=user).count(),
    }
    return render(request, "account/overview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def tokens(request: HttpRequest) -> HttpResponse:
    """GET lists them, POST makes one and shows it this once."""
    user = cast(User, request.user)
    if lacks_second_factor(user):
        return redirect("mfa_activate_totp")
    form = TokenForm(request.POST or None, user=user)
    made = _made(form, user) if request.method == "POST" and form.is_valid() else ""
    if made:
        form = TokenForm(user=user)
    context = {"form": form, "made": made, "tokens": ApiToken.objects.filter(user=user)}
    return render(request, "account/tokens.html", context, status=422 if form.errors else 200)


def _made(form: TokenForm, user: User) -> str:
    """The token's text; empty where the same form was sent twice at once, which the form then says."""
    try:
        with transaction.atomic():
            return make_token(user, **form.wanted())
    except IntegrityError:
        form.add_error("name", form.taken())
        return ""


@require_POST
@never_cache
@login_required
def revoke(request: HttpRequest) -> HttpResponse:
    """Delete one of the user's own tokens; what is not there any more is deleted already."""
    key = request.POST.get("token", "").replace("\0", "")
    ApiToken.objects.filter(user=request.user, token_key=key).delete()
    messages.success(request, _("The token is revoked: programs that use it are refused from now on."))
    return redirect("tokens")
