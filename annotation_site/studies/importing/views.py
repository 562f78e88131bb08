"""The page where a researcher uploads images and maps made elsewhere."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotation_site.studies.importing.bundles import BundleError
from annotation_site.studies.importing.forms import ImportForm
from annotation_site.studies.importing.making import ImportRefused, Outcome, import_stimuli
from annotation_site.studies.members import may_create
from annotation_site.throttling import limited

# A request is answered while its sender waits: more than this is the command's.
ROWS_SENT = 1000
LISTED = 100


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@limited("upload")
def import_study(request: HttpRequest) -> HttpResponse:
    if not may_create(request.user):
        raise PermissionDenied(_("Studies are made by researchers: ask an administrator to make you one."))
    form = ImportForm(request.POST or None, request.FILES or None, user=request.user)
    outcome = _imported(request, form) if request.method == "POST" else None
    if outcome is not None and outcome.study is not None:
        messages.success(request, _summary(outcome))
        for note in outcome.notes[:LISTED]:
            messages.info(request, f"{note}.")
        return redirect("report", slug=outcome.study.slug)
    context = {
        "form": form,
        "outcome": outcome,
        "refused": outcome.refused[:LISTED] if outcome else [],
        "rows": ROWS_SENT,
    }
    return render(request, "studies/import.html", context, status=422 if request.method == "POST" else 200)


def _imported(request: HttpRequest, form: ImportForm) -> Outcome | None:
    """What came of it; None where the form says what is wrong."""
    if not form.is_valid():
        return None
    try:
        name, content, bundle = form.opened()
        return import_stimuli(
            content,
            bundle,
            form.wanted(),
            source=name,
            now=timezone.now(),
            owner=request.user,
            skip_refused=form.cleaned_data["skip_refused"],
            most=ROWS_SENT,
        )
    except (BundleError, ImportRefused) as error:
        form.add_error(None, _("Nothing was imported: %(reason)s") % {"reason": error})
        return None


def _summary(outcome: Outcome) -> str:
    items = ngettext("%(n)d item", "%(n)d items", outcome.items) % {"n": outcome.items}
    lines = ngettext("%(n)d line", "%(n)d lines", outcome.rows) % {"n": outcome.rows}
    refused = len(outcome.refused)
    said = _("%(items)s imported from %(lines)s.") % {"items": items, "lines": lines}
    if not refused:
        return said
    first = outcome.refused[0]
    more = ngettext("%(n)d line was refused", "%(n)d lines were refused", refused) % {"n": refused}
    return said + " " + _("%(more)s; the first, line %(line)d: %(reason)s.") % {
        "more": more, "line": first.line, "reason": first.reason,
    }  # fmt: skip
