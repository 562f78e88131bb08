"""The admin's own content policy, language and addresses, whom the audit log names, what is said of a storage away."""

from __future__ import annotations

import logging
from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import override

from annotation_site import audit
from annotation_site.stimuli.serving import unavailable
from annotation_site.storage import StorageUnusable

logger = logging.getLogger(__name__)

# Unfold's pages carry Alpine.js, which evaluates expressions, and inline styles. A test leaves each source out and
# sees that it is needed.
ADMIN_POLICY = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}


class NoNulInTheAdmin:
    """Refuses the admin's addresses with a NUL, which PostgreSQL cannot hold in a text: its searches would fail.

    All other pages answer it in their own words.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        holds = "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", "")
        if holds and request.path_info.startswith(reverse("admin:index")):
            raise SuspiciousOperation("The address holds a NUL.")
        return self.get_response(request)


class AdminContentSecurityPolicy:
    """Loosens the policy for the admin alone, by no more than its theme needs. Stands after CSPMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # A page there that sets its whole policy itself is stricter.
        if request.path.startswith(reverse("admin:index")) and not hasattr(response, "_csp_config"):
            response._csp_replace = ADMIN_POLICY  # type: ignore[attr-defined]
        return response


class AdminInEnglish:
    """The admin in English, whatever language its visitor reads elsewhere. Stands after LocaleMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        with override("en"):
            return self.get_response(request)


class AuditedUser:
    """Lets the audit log ask who is signed in. Stands after AuthenticationMiddleware, and itself asks nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = audit.user.set(lambda: request.user)
        try:
            return self.get_response(request)
        finally:
            audit.user.reset(before)


class StorageAway:
    """503 where a page needs files that cannot be read or written at present; the log says why."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, StorageUnusable):
            return None
        logger.error("%s", exception)
        return unavailable()
