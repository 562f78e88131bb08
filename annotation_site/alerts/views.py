"""The page behind the link in a mail: whoever holds it can have a study's alerts stop."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from annotation_site.alerts.links import subscription_of
from annotation_site.rating.assignment import database_now


# The link itself is the right: mail programs send the form without having seen this page (RFC 8058). A GET changes
# nothing, for programs that look into mails follow their links.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mute(request: HttpRequest, token: str) -> HttpResponse:
    subscription = subscription_of(token)
    if subscription is None:
        raise Http404(_("This link is not one of ours: check that all of it was copied."))
    if request.method == "POST":
        subscription.mute(database_now())
        subscription.refresh_from_db(fields=["muted_at"])
    return render(request, "alerts/mute.html", {"study": subscription.study, "muted": subscription.muted_at})
