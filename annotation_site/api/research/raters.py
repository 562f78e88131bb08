"""Raters in a study and what they answered."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation_site.api.idempotency import KEY, once
from annotation_site.api.problems import Conflict, problems
from annotation_site.api.research.base import ListView, ResearchView, found_or_404
from annotation_site.api.research.filters import EnrolmentFilter, JudgementFilter
from annotation_site.api.research.serializers import EnrolmentSerializer, JudgementRowSerializer
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement
from annotation_site.studies.models import Study

RATERS, ANSWERS = ["Raters"], ["Judgements"]


class EnrolmentsView(ListView):
    queryset = Enrolment.objects.none()
    serializer_class = EnrolmentSerializer
    filterset_class = EnrolmentFilter
    reads = "read:judgements"

    def rows(self) -> QuerySet[Enrolment]:
        return Enrolment.objects.filter(study=self.study_to_read(self.kwargs["slug"])).select_related("rater")

    @extend_schema(operation_id="list_enrolments", summary="Raters of a study", tags=RATERS, responses={
        200: EnrolmentSerializer(many=True), **problems(400, 401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        """By pseudonym, in the order in which they came."""
        return self.list_rows()


class EnrolmentView(ResearchView):
    reads = "read:judgements"

    @extend_schema(operation_id="get_enrolment", summary="A rater in a study", tags=RATERS, responses={
        200: EnrolmentSerializer, **problems(401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, slug: str, rater: str) -> Response:
        """By pseudonym."""
        return Response(_data(_enrolment(self.study_to_read(slug), rater)))


class ReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=500, help_text="Why; reports name it.")


class ExcludeView(ResearchView):
    @extend_schema(operation_id="exclude_rater", summary="Exclude a rater", tags=RATERS, request=ReasonSerializer,
        responses={200: EnrolmentSerializer, **problems(400, 401, 403, 404, 415, 429)})  # fmt: skip
    def post(self, request: Request, slug: str, rater: str) -> Response:
        """The answers stay stored and count no more. Of somebody who is excluded already the first reason stands."""
        enrolment = _enrolment(self.study_to_run(slug), rater)
        checked = ReasonSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        if enrolment.excluded_at is None:
            enrolment.exclude(checked.validated_data["reason"], assignment.database_now())
        return Response(_data(enrolment))


class RestoreView(ResearchView):
    @extend_schema(operation_id="restore_rater", summary="Lift an exclusion", tags=RATERS, request=None, responses={
        200: EnrolmentSerializer, **problems(401, 403, 404, 429)})  # fmt: skip
    def post(self, request: Request, slug: str, rater: str) -> Response:
        """The answers count again, but for those whose places were given to others. Safe to repeat."""
        enrolment = _enrolment(self.study_to_run(slug), rater)
        enrolment.restore()
        return Response(_data(enrolment))


class SimulatedSerializer(serializers.Serializer):
    token = serializers.CharField(help_text="The bearer token by which the program rates.")
    rater = serializers.CharField(help_text="The pseudonym.")


class SimulateView(ResearchView):
    writes = "rater"

    @extend_schema(operation_id="add_simulated_rater", summary="Enrol a program as a rater", tags=RATERS,
        parameters=[KEY], request=None,
        responses={201: SimulatedSerializer, **problems(400, 401, 403, 404, 409, 429)})  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """Marked as simulated for good: no report counts its answers unless it is asked to. It needs neither
        instructions nor practice, but it takes places that people could have."""
        study = self.study_to_run(slug)
        if not study.is_open:
            raise Conflict(f"Study {slug!r} is {study.state}: open it first.")
        return once(request, lambda: (201, _simulated(study)))


def _simulated(study: Study) -> dict[str, Any]:
    now = assignment.database_now()
    rater = Rater.objects.create(simulated=True)
    enrolment = Enrolment.objects.create(rater=rater, study=study, source="simulation", instructed_at=now, ready_at=now)
    return {"token": enrolment.token, "rater": rater.pseudonym}


def _enrolment(study: Study, pseudonym: str) -> Enrolment:
    mine = Enrolment.objects.filter(study=study, rater__pseudonym=pseudonym).select_related("rater")
    found: Enrolment = found_or_404(mine, f"rater {pseudonym!r} in {study.slug!r}")
    return found


def _data(enrolment: Enrolment) -> dict[str, Any]:
    data: dict[str, Any] = EnrolmentSerializer(enrolment).data
    return data


class JudgementsView(ListView):
    queryset = Judgement.objects.none()
    serializer_class = JudgementRowSerializer
    filterset_class = JudgementFilter
    reads = "read:judgements"

    def rows(self) -> QuerySet[Judgement]:
        stored = Judgement.objects.filter(seat__study=self.study_to_read(self.kwargs["slug"]))
        return stored.select_related("seat__item", "enrolment__rater")

    @extend_schema(operation_id="list_judgements", summary="Judgements of a study", tags=ANSWERS, responses={
        200: JudgementRowSerializer(many=True), **problems(400, 401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        """Every stored answer, in the order in which they came, whether a report counts it or not."""
        return self.list_rows()
