"""The researcher's page of webhooks: register, change, pause, see what was sent, send it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation_site.rating.assignment import database_now
from annotation_site.webhooks import changes
from annotation_site.webhooks.forms import FIELDS, WebhookForm
from annotation_site.webhooks.models import Webhook
from annotation_site.webhooks.tasks import send_soon

A_PAGE = 50


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """A user's webhooks, and the form for another. The page that answers the form shows the secret, no other does."""
    form = WebhookForm(request.POST or None, user=request.user, instance=Webhook())
    secret = ""
    if request.method == "POST" and form.is_valid():
        _, secret = changes.register(request.user, **form.cleaned_data)
        form = WebhookForm(user=request.user)
    context = {"webhooks": _mine(request).select_related("study"), "form": form, "secret": secret}
    return render(request, "webhooks/index.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One webhook: what was sent, and its settings."""
    found = _one(request, uid)
    form = WebhookForm(request.POST or None, user=request.user, instance=found)
    if request.method == "POST" and form.is_valid():
        fields = {name: form.cleaned_data[name] for name in FIELDS}
        changes.change(_one(request, uid), **fields)
        messages.success(request, _("Saved."))
        return redirect("webhook", uid=uid)
    return render(request, "webhooks/webhook.html", _page(request, _one(request, uid), form))


@login_required
@require_POST
def act(request: HttpRequest, uid: UUID, action: str) -> HttpResponse:
    """Pause, go on, or delete."""
    found = _one(request, uid)
    if action == "delete":
        found.delete()
        messages.success(request, _("The webhook to %(address)s is deleted.") % {"address": found.address})
        return redirect("webhooks")
    changes.change(found, active=action == "resume")
    return redirect("webhook", uid=uid)


@never_cache
@login_required
@require_POST
def secret(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A new secret, on this page alone."""
    found = _one(request, uid)
    context = _page(request, found, WebhookForm(user=request.user, instance=found))
    return render(request, "webhooks/webhook.html", {**context, "secret": changes.new_secret(found)})


@login_required
@require_POST
def redeliver(request: HttpRequest, uid: UUID, delivery: UUID) -> HttpResponse:
    sent = get_object_or_404(_one(request, uid).deliveries, uid=delivery)
    with transaction.atomic():
        if sent.again(database_now()):
            send_soon(sent)
    messages.success(request, _("It is sent again within a minute, under its first id."))
    return redirect("webhook", uid=uid)


def _page(request: HttpRequest, found: Webhook, form: WebhookForm) -> dict[str, Any]:
    sent = found.deliveries.select_related("study").order_by("-pk")
    return {"webhook": found, "form": form, "page": Paginator(sent, A_PAGE).get_page(request.GET.get("page"))}


def _mine(request: HttpRequest) -> Any:
    return Webhook.objects.of(request.user)


def _one(request: HttpRequest, uid: UUID) -> Webhook:
    found: Webhook = get_object_or_404(_mine(request).select_related("study", "owner"), uid=uid)
    return found
