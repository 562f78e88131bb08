"""Items and the images made for them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation_site.api.problems import Conflict, problems
from annotation_site.api.research import queue
from annotation_site.api.research.base import ListView, ResearchView, found_or_404
from annotation_site.api.research.filters import GenerationFilter, ItemFilter
from annotation_site.api.research.serializers import GenerationSerializer, ItemSerializer
from annotation_site.rating import assignment
from annotation_site.stimuli.bell import ring_after_commit
from annotation_site.stimuli.models import Generation
from annotation_site.studies.drawing_order import wanted_by
from annotation_site.studies.models import Item, Study

ITEMS, IMAGES = ["Items"], ["Images"]


def items_of(study: Study) -> QuerySet[Item]:
    return Item.objects.filter(study=study).select_related(
        "generation__prompt", "second_generation", "word", "second_word"
    )


class ItemsView(ListView):
    queryset = Item.objects.none()
    serializer_class = ItemSerializer
    filterset_class = ItemFilter
    order = "position"

    def rows(self) -> QuerySet[Item]:
        return items_of(self.study_to_read(self.kwargs["slug"]))

    @extend_schema(operation_id="list_items", summary="Items of a study", tags=ITEMS, responses={
        200: ItemSerializer(many=True), **problems(400, 401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        """In the study's order, withdrawn ones and checks too."""
        return self.list_rows()


class ItemView(ResearchView):
    @extend_schema(operation_id="get_item", summary="An item", tags=ITEMS, responses={
        200: ItemSerializer, **problems(401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, slug: str, position: int) -> Response:
        """By its position in the study."""
        return Response(item_data(self.study_to_read(slug), position))


class WithdrawView(ResearchView):
    @extend_schema(operation_id="withdraw_item", summary="Take an item out of a study", tags=ITEMS, request=None,
        responses={200: ItemSerializer, **problems(401, 403, 404, 409, 429)})  # fmt: skip
    def post(self, request: Request, slug: str, position: int) -> Response:
        """Its judgements stay stored and count no more. Safe to repeat. Refused (409) for the last practice item or
        check that a running study asks for."""
        study = self.study_to_run(slug)
        found = found_or_404(items_of(study).filter(position=position), f"item {position}")
        try:
            assignment.withdraw_item(found)
        except assignment.CannotWithdraw as error:
            raise Conflict(str(error)) from error
        return Response(item_data(study, position))


def item_data(study: Study, position: int) -> dict[str, Any]:
    found = found_or_404(items_of(study).filter(position=position), f"item {position} of {study.slug!r}")
    data: dict[str, Any] = ItemSerializer(found).data
    return data


class GenerationsView(ListView):
    queryset = Generation.objects.none()
    serializer_class = GenerationSerializer
    filterset_class = GenerationFilter

    def rows(self) -> QuerySet[Generation]:
        return wanted_by(self.study_to_read(self.kwargs["slug"])).select_related("prompt", "recipe")

    @extend_schema(operation_id="list_generations", summary="Images of a study", tags=IMAGES, responses={
        200: GenerationSerializer(many=True), **problems(400, 401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        """Those of items in use. “error” says why one failed."""
        return self.list_rows()


class GenerationView(ResearchView):
    @extend_schema(operation_id="get_generation", summary="An image", tags=IMAGES, responses={
        200: GenerationSerializer, **problems(401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, slug: str, identity: str) -> Response:
        """By its identity: the hash of prompt, recipe and seed."""
        mine = wanted_by(self.study_to_read(slug)).filter(identity=identity).select_related("prompt", "recipe")
        found = found_or_404(mine, f"image {identity[:12]!r} of {slug!r}")
        return Response(GenerationSerializer(found, context={"request": request}).data)


class QueuedSerializer(serializers.Serializer):
    queued = serializers.IntegerField(help_text="Failed images that are queued again now.")
    left = serializers.IntegerField(help_text="Images that are still to be made.")


class RetryView(ResearchView):
    @extend_schema(operation_id="retry_generations", summary="Queue failed images again", tags=IMAGES, request=None,
        responses={200: QueuedSerializer, **problems(401, 403, 404, 429)})  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """And wakes the workers, also where none had failed. Safe to repeat."""
        study = self.study_to_run(slug)
        queued = wanted_by(study).retry_failed()
        ring_after_commit()
        now = queue.counts(study)
        return Response({"queued": queued, "left": now["queued"] + now["claimed"]})
