"""Studies: listed, made, set up, opened, paused and closed."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotation_site.api.conditional import IF_MATCH, require_match, tag_of
from annotation_site.api.idempotency import KEY, once
from annotation_site.api.parsing import StudyParser
from annotation_site.api.problems import Conflict, problems
from annotation_site.api.research import queue
from annotation_site.api.research.base import ListView, ResearchView
from annotation_site.api.research.filters import StudyFilter
from annotation_site.api.research.making import NewStudySerializer, change_study, make_study, study_data
from annotation_site.api.research.serializers import (
    ProgressOfStudySerializer,
    SettingsSerializer,
    StudyDetailSerializer,
)
from annotation_site.rating import assignment
from annotation_site.rating.seats import seats
from annotation_site.studies.models import Study

TAG = ["Studies"]


class StudiesView(ListView):
    parser_classes = [StudyParser]
    queryset = Study.objects.none()
    serializer_class = StudyDetailSerializer
    filterset_class = StudyFilter

    def rows(self) -> QuerySet[Study]:
        return Study.objects.visible_to(self.request.user)

    @extend_schema(operation_id="list_studies", summary="Studies that you may read", tags=TAG, responses={
        200: StudyDetailSerializer(many=True), **problems(400, 401, 403, 429)})  # fmt: skip
    def get(self, request: Request) -> Response:
        """In the order in which they were made."""
        return self.list_rows()

    @extend_schema(operation_id="create_study", summary="Make a study of known stimuli", tags=TAG, parameters=[KEY],
        request=NewStudySerializer,
        responses={201: StudyDetailSerializer, **problems(400, 401, 403, 409, 413, 415, 429)})  # fmt: skip
    def post(self, request: Request) -> Response:
        """A draft with an image queued for each stimulus; you are its researcher. Parse captions yourself first, for
        instance with `attribution.language`. Without consent settings of its own it uses Attest's text."""
        checked = NewStudySerializer(data=request.data, context={"request": request})
        checked.is_valid(raise_exception=True)
        return once(request, lambda: (201, study_data(make_study(request.user, checked.validated_data))))


class StudyView(ResearchView):
    @extend_schema(operation_id="get_study", summary="A study's settings", tags=TAG, responses={
        200: StudyDetailSerializer, **problems(401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        """Its ETag is what a change of it needs."""
        return Response(study_data(self.study_to_read(slug)))

    @extend_schema(operation_id="update_study", summary="Change a study's settings", tags=TAG, parameters=[IF_MATCH],
        request=SettingsSerializer(partial=True),
        responses={200: StudyDetailSerializer, **problems(400, 401, 403, 404, 412, 415, 428, 429)})  # fmt: skip
    def patch(self, request: Request, slug: str) -> Response:
        """Only the fields that you send. What the answers depend on is fixed once the study has opened."""
        study = self.study_to_run(slug)
        checked = SettingsSerializer(data=request.data, partial=True)
        with transaction.atomic():
            study = self.locked(study)
            require_match(request, study_data(study))
            checked.is_valid(raise_exception=True)
            data = study_data(change_study(study, dict(checked.validated_data)))
        return Response(data, headers={"ETag": tag_of(data)})


class ProgressView(ResearchView):
    @extend_schema(operation_id="get_progress", summary="How far a study is", tags=TAG, responses={
        200: ProgressOfStudySerializer, **problems(401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        """Places for judgements, and images, by their state."""
        study = self.study_to_read(slug)
        places = {"state": study.state, "places": vars(seats(study)), "generations": queue.counts(study)}
        return Response(places)


class _MoveView(ResearchView):
    """A change of a study's state. Sent again once it is there, it changes nothing and answers the same."""

    state: Study.State

    def move(self, study: Study) -> None:
        raise NotImplementedError

    def _moved(self, slug: str) -> Response:
        study = self.study_to_run(slug)
        if study.state != self.state:
            self.move(study)
            study.refresh_from_db()
        data = study_data(study)
        return Response(data, headers={"ETag": tag_of(data)})


def _move(operation: str, summary: str) -> Any:
    replies = {200: OpenApiResponse(StudyDetailSerializer), **problems(401, 403, 404, 409, 429)}
    return extend_schema(operation_id=operation, summary=summary, tags=TAG, request=None, responses=replies)


class OpenView(_MoveView):
    state = Study.State.OPEN

    def move(self, study: Study) -> None:
        try:
            assignment.open_study(study)
        except assignment.StudyNotReady as error:
            raise Conflict(str(error)) from error

    @_move("open_study", "Open a study to raters")
    def post(self, request: Request, slug: str) -> Response:
        """Makes the places and fixes the cap; a paused study goes on with those it has. Safe to repeat."""
        return self._moved(slug)


class PauseView(_MoveView):
    state = Study.State.PAUSED

    def move(self, study: Study) -> None:
        if not assignment.pause_study(study):
            raise Conflict(f"Study {study.slug!r} is {study.state}: only an open study can be paused.")

    @_move("pause_study", "Pause a study")
    def post(self, request: Request, slug: str) -> Response:
        """Hands out nothing more for now; answers on their way are still taken. Safe to repeat."""
        return self._moved(slug)


class CloseView(_MoveView):
    state = Study.State.CLOSED

    def move(self, study: Study) -> None:
        if not assignment.close_study(study):
            raise Conflict(f"Study {study.slug!r} is {study.state}: only an open or paused study can be closed.")

    @_move("close_study", "Close a study for good")
    def post(self, request: Request, slug: str) -> Response:
        """Answers on their way are still taken. It cannot be opened again. Safe to repeat."""
        return self._moved(slug)
