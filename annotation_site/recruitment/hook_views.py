"""Where Prolific's events arrive."""

from __future__ import annotations

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from annotation_site.recruitment.hooks import BadEvent, handle, read

logger = logging.getLogger(__name__)


# The signature says who sends it; Prolific has no cookie of ours.
@csrf_exempt
@require_POST
def prolific(request: HttpRequest) -> HttpResponse:
    """200 for an event that has had its effect, now or before; anything else makes Prolific send it again."""
    if not settings.PROLIFIC_WEBHOOK_SECRET:
        return JsonResponse({"problem": "This site has no PROLIFIC_WEBHOOK_SECRET."}, status=404)
    now = timezone.now()
    try:
        event = read(request.headers, request.body, secret=settings.PROLIFIC_WEBHOOK_SECRET, now=now)
    except BadEvent as problem:
        logger.warning("an event for Prolific's address was not taken: %s", problem)
        return JsonResponse({"problem": str(problem)}, status=problem.status)
    return JsonResponse({"new": handle(request.headers, event, now=now)})
