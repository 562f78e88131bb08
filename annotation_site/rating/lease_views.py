"""What a rater's open page tells of itself: still there, or left. The leases follow, by the database's clock."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from annotation_site.rating import assignment
from annotation_site.rating.links import enrolment_or_404


# As for answers: the secret link says who it is, and a cookie adds nothing.
@csrf_exempt
@never_cache
@require_POST
def heartbeat(request: HttpRequest, token: str) -> JsonResponse:
    """Keep what the rater holds: ``{"leased_until": ...}``, or 409 with null there when they hold nothing any more."""
    until = assignment.heartbeat(enrolment_or_404(token), assignment.database_now())
    return JsonResponse({"leased_until": until}, status=200 if until else 409)


@csrf_exempt
@never_cache
@require_POST
def release(request: HttpRequest, token: str) -> JsonResponse:
    """Give back all that the rater holds unanswered: ``{"released": how many, "leased_until": null}``."""
    return JsonResponse({"released": assignment.release_all(enrolment_or_404(token)), "leased_until": None})
