"""How often a client may ask: enrolling by address, everything else by rater or account. The rates are settings."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.views import APIView

from annotation_site.raters.models import Enrolment
from annotation_site.throttling import Throttle


class EnrolThrottle(Throttle):
    """New raters from one address."""

    scope = "enrol"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"throttle/enrol/{self.get_ident(request)}"


class RaterThrottle(Throttle):
    """Requests of one rater."""

    scope = "rater"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return f"throttle/rater/{request.auth.pk}" if isinstance(request.auth, Enrolment) else None


class ResearcherThrottle(Throttle):
    """Requests of one account, by all of its tokens."""

    scope = "researcher"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return f"throttle/researcher/{request.user.pk}" if request.user else None
