"""A study's report: the same rows as its page, files and figures."""

from __future__ import annotations

import json

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from annotation_site.api.problems import problems
from annotation_site.api.research.base import ResearchView
from annotation_site.reports.formats import as_json
from annotation_site.reports.report import build_report
from annotation_site.studies.models import Study

SIMULATED = OpenApiParameter(
    "simulated", bool, description="true: the numbers of simulated raters as well, in a section of their own."
)


class SectionSerializer(serializers.Serializer):
    """The numbers of one population of raters."""

    population = serializers.CharField()
    raters = serializers.DictField(help_text="How many, the most that one gave, and all of their judgements.")
    rows = serializers.ListField(child=serializers.DictField(), help_text="One for each tag, condition or swap set.")
    overall = serializers.DictField(required=False)
    contrasts = serializers.ListField(child=serializers.DictField(), required=False)
    arms = serializers.ListField(child=serializers.DictField(), required=False)
    difference = serializers.DictField(required=False)
    clustered = serializers.DictField(required=False)
    groups = serializers.ListField(child=serializers.DictField(), required=False)
    objects = serializers.ListField(child=serializers.DictField(), required=False)
    crowd = serializers.DictField(required=False, help_text="Agreement, and each rater by pseudonym.")


class StandingSerializer(serializers.Serializer):
    """The registration that counts, and what deviates from it."""

    number = serializers.IntegerField()
    registered_at = serializers.CharField()
    sha256 = serializers.CharField()
    judgements = serializers.IntegerField(help_text="Answers of people that were stored when it was made.")
    seed = serializers.IntegerField()
    deviations = serializers.ListField(child=serializers.DictField())


class ReportSerializer(serializers.Serializer):
    """A measure is an object of value, low and high, or says in “reason” why it is undefined."""

    study = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=Study.Kind.choices)
    state = serializers.ChoiceField(choices=Study.State.choices)
    raters_an_item = serializers.IntegerField()
    interpretable_minimum = serializers.IntegerField()
    seed = serializers.IntegerField(help_text="Of the resampling: the same seed gives the same intervals.")
    resamples = serializers.IntegerField()
    confidence = serializers.FloatField()
    rules = serializers.ListField(child=serializers.DictField())
    adaptive = serializers.DictField()
    totals = serializers.DictField(child=serializers.IntegerField(), help_text="Every judgement in exactly one place.")
    people = SectionSerializer()
    exclusions = serializers.ListField(child=serializers.DictField(), required=False)
    sensitivity = serializers.ListField(child=serializers.DictField(), required=False)
    simulated = SectionSerializer(required=False)
    preregistration = StandingSerializer(required=False)


class ReportView(ResearchView):
    reads = "read:reports"

    @extend_schema(operation_id="get_report", summary="A study's report", tags=["Reports"], parameters=[SIMULATED],
        responses={200: ReportSerializer, **problems(400, 401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        """From the judgements as they stand; people alone unless asked. Every column is explained in the docs."""
        study = self.study_to_read(slug)
        report = build_report(study, include_simulated=_flag(request, "simulated"))
        return Response(json.loads(as_json(report)))


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise ValidationError({name: [f"{text!r} is neither true nor false."]})
    return text == "true"
