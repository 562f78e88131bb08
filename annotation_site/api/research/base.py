"""What the researcher's views share: the token and its scope, the study, pages of rows, entity tags."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation_site.accounts.tokens import ApiTokenAuthentication, HasScope
from annotation_site.api.conditional import tagged
from annotation_site.api.keyset import KeysetPages
from annotation_site.api.throttles import ResearcherThrottle
from annotation_site.studies.models import Study

PAGING = frozenset({"limit", "cursor"})


class ResearchSchema(AutoSchema):
    """Adds the scope that a token needs, for the reference and the client."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        # Guessed from a view's replies otherwise, of which errors would come first.
        if serializer is None:
            return self.method == "GET" and isinstance(self.view, ListView)
        return bool(super()._is_list_view(serializer))

    def get_extensions(self) -> dict[str, Any]:
        return {"x-scope": self.view.scope_of(self.method)}


class ApiTokenScheme(OpenApiAuthenticationExtension):
    """How the schema describes a researcher's token."""

    target_class = ApiTokenAuthentication
    name = "account"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token made on the account's page."}


class ResearchView(APIView):
    """A call by a researcher's token. ``reads`` and ``writes`` are the scopes that it must have."""

    authentication_classes = [ApiTokenAuthentication]
    throttle_classes = [ResearcherThrottle]
    schema = ResearchSchema()
    reads = "read:studies"
    writes = "write:studies"

    def scope_of(self, method: str) -> str:
        return self.reads if method in SAFE_METHODS else self.writes

    def get_permissions(self) -> list[BasePermission]:
        return [HasScope(self.scope_of(self.request.method))]

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().finalize_response(request, response, *args, **kwargs)
        # Private to the token, and asked about again before each use.
        response["Cache-Control"] = "private, no-cache"
        if request.method in ("GET", "HEAD") and response.status_code == 200:
            return tagged(request, response)
        return response

    def study_to_read(self, slug: str) -> Study:
        found: Study = found_or_404(Study.objects.visible_to(self.request.user).filter(slug=slug), f"study {slug!r}")
        return found

    def study_to_run(self, slug: str) -> Study:
        """The caller's own study; a viewer's is not found, as on the pages."""
        found: Study = found_or_404(Study.objects.run_by(self.request.user).filter(slug=slug), f"study {slug!r}")
        return found

    def locked(self, study: Study) -> Study:
        """The study read again under a lock, for a change of it: within a transaction."""
        return Study.objects.select_for_update().get(pk=study.pk)


class ListView(ResearchView, GenericAPIView):
    """Rows of a queryset, filtered, in pages."""

    filter_backends = [DjangoFilterBackend]
    filterset_class: type[FilterSet]
    pagination_class = KeysetPages
    order = "pk"

    def get_queryset(self) -> QuerySet[Any]:
        # While the schema is made nobody asks, and no row is wanted.
        return self.queryset.all() if getattr(self, "swagger_fake_view", False) else self.rows()

    def rows(self) -> QuerySet[Any]:
        raise NotImplementedError

    def list_rows(self) -> Response:
        self._refuse_unknown()
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def _refuse_unknown(self) -> None:
        known = {*self.filterset_class.base_filters, *PAGING}
        unknown = sorted(set(self.request.query_params) - known)
        if unknown:
            said = f"There is no such filter: choose from {', '.join(sorted(known))}."
            raise ValidationError({name: [said] for name in unknown})


def found_or_404(rows: QuerySet[Any], what: str) -> Any:
    found = rows.first()
    if found is None:
        raise Http404(f"There is no {what} that this token may use.")
    return found
