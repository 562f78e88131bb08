"""Webhooks: where to send word of what happens in studies, and what was sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.db.models import QuerySet
from django_filters.rest_framework import ChoiceFilter, FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotation_site.api.conditional import IF_MATCH, require_match, tag_of
from annotation_site.api.idempotency import KEY, once
from annotation_site.api.problems import problems
from annotation_site.api.research.base import ListView, ResearchView, found_or_404
from annotation_site.api.research.making import check_storable
from annotation_site.api.research.serializers import refuse_unknown
from annotation_site.rating.assignment import database_now
from annotation_site.studies.models import Study
from annotation_site.webhooks import changes
from annotation_site.webhooks.models import Delivery, Event, Webhook
from annotation_site.webhooks.tasks import send_soon

TAG = ["Webhooks"]


class WebhookSerializer(serializers.Serializer):
    """Where word is sent, of what. The number of the report and its bound are for report.threshold alone."""

    id = serializers.UUIDField(source="uid", read_only=True)
    study = serializers.SlugField(
        source="study.slug", allow_null=True, required=False, default=None, help_text="null: all studies that you run."
    )
    address = serializers.CharField(max_length=500)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=Event.choices), min_length=1, max_length=len(Event.values)
    )
    measure = serializers.ChoiceField(choices=Webhook.Measure.choices, required=False, default="")
    above = serializers.FloatField(required=False, allow_null=True, default=None, min_value=-1e9, max_value=1e9)
    below = serializers.FloatField(required=False, allow_null=True, default=None, min_value=-1e9, max_value=1e9)
    least_judgements = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**31 - 1)
    active = serializers.BooleanField(required=False, default=True)
    created_at = serializers.DateTimeField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        refuse_unknown(self)
        check_storable(attrs)
        return attrs


class ChangedWebhookSerializer(WebhookSerializer):
    """What can be changed; the study stays."""

    study = None


class SecretSerializer(serializers.Serializer):
    secret = serializers.CharField(help_text="What deliveries are signed with. It is shown this once.")


class NewWebhookSerializer(WebhookSerializer):
    secret = serializers.CharField(read_only=True, help_text="What deliveries are signed with. It is shown this once.")


class DeliverySerializer(serializers.ModelSerializer):
    """One event for one address, with how sending it went."""

    id = serializers.UUIDField(source="uid")
    study = serializers.SlugField(source="study.slug")
    data = serializers.DictField()

    class Meta:
        model = Delivery
        fields = (
            "id",
            "event",
            "study",
            "data",
            "happened_at",
            "state",
            "attempts",
            "due_at",
            "last_attempt_at",
            "last_status",
            "last_error",
        )
        read_only_fields = fields


class NoFilter(FilterSet):
    pass


class DeliveryFilter(FilterSet):
    state = ChoiceFilter(choices=Delivery.State.choices)
    event = ChoiceFilter(choices=Event.choices)


class WebhooksView(ListView):
    queryset = Webhook.objects.none()
    serializer_class = WebhookSerializer
    filterset_class = NoFilter
    reads = "write:studies"

    def rows(self) -> QuerySet[Webhook]:
        return Webhook.objects.of(self.request.user).select_related("study")

    @extend_schema(operation_id="list_webhooks", summary="Your webhooks", tags=TAG, responses={
        200: WebhookSerializer(many=True), **problems(400, 401, 403, 429)})  # fmt: skip
    def get(self, request: Request) -> Response:
        """Their secrets are not told again."""
        return self.list_rows()

    @extend_schema(operation_id="create_webhook", summary="Register a webhook", tags=TAG, parameters=[KEY],
        request=WebhookSerializer,
        responses={201: NewWebhookSerializer, **problems(400, 401, 403, 404, 409, 415, 429)})  # fmt: skip
    def post(self, request: Request) -> Response:
        """Word of what happens from now on, in one study or in all that you run."""
        checked = WebhookSerializer(data=request.data)
        checked.is_valid(raise_exception=True)
        fields = dict(checked.validated_data)
        slug = fields.pop("study")["slug"]
        return once(request, lambda: (201, self._made(slug, fields)))

    def _made(self, slug: str | None, fields: dict[str, Any]) -> dict[str, Any]:
        study: Study | None = self.study_to_run(slug) if slug else None
        try:
            webhook, secret = changes.register(self.request.user, study=study, **fields)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error
        return {**_data(webhook), "secret": secret}


class _OneView(ResearchView):
    reads = "write:studies"

    def mine(self, uid: UUID) -> Webhook:
        mine = Webhook.objects.of(self.request.user).filter(uid=uid).select_related("study", "owner")
        found: Webhook = found_or_404(mine, f"webhook {uid}")
        return found


class WebhookView(_OneView):
    @extend_schema(operation_id="get_webhook", summary="A webhook", tags=TAG, responses={
        200: WebhookSerializer, **problems(401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, webhook: UUID) -> Response:
        """Its ETag is what a change of it needs."""
        return Response(_data(self.mine(webhook)))

    @extend_schema(operation_id="update_webhook", summary="Change a webhook", tags=TAG, parameters=[IF_MATCH],
        request=ChangedWebhookSerializer(partial=True),
        responses={200: WebhookSerializer, **problems(400, 401, 403, 404, 412, 415, 428, 429)})  # fmt: skip
    def patch(self, request: Request, webhook: UUID) -> Response:
        """While it is not active nothing is sent, and nothing is lost."""
        pk = self.mine(webhook).pk
        with transaction.atomic():
            found = Webhook.objects.select_for_update(of=("self",)).select_related("study", "owner").get(pk=pk)
            require_match(request, _data(found))
            checked = ChangedWebhookSerializer(data=request.data, partial=True)
            checked.is_valid(raise_exception=True)
            try:
                data = _data(changes.change(found, **checked.validated_data))
            except DjangoValidationError as error:
                raise serializers.ValidationError(error.message_dict) from error
        return Response(data, headers={"ETag": tag_of(data)})

    @extend_schema(operation_id="delete_webhook", summary="Delete a webhook", tags=TAG, parameters=[IF_MATCH],
        request=None, responses={204: None, **problems(401, 403, 404, 412, 428, 429)})  # fmt: skip
    def delete(self, request: Request, webhook: UUID) -> Response:
        """With its log; what is still to be sent is not."""
        found = self.mine(webhook)
        require_match(request, _data(found))
        found.delete()
        return Response(status=204)


class SecretView(_OneView):
    @extend_schema(operation_id="renew_webhook_secret", summary="Make a new secret", tags=TAG, parameters=[KEY],
        request=None, responses={200: SecretSerializer, **problems(400, 401, 403, 404, 409, 429)})  # fmt: skip
    def post(self, request: Request, webhook: UUID) -> Response:
        """Everything sent from now on is signed with it, repeats of earlier deliveries too."""
        found = self.mine(webhook)
        return once(request, lambda: (200, {"secret": changes.new_secret(found)}))


class DeliveriesView(_OneView, ListView):
    queryset = Delivery.objects.none()
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter

    def rows(self) -> QuerySet[Delivery]:
        return self.mine(self.kwargs["webhook"]).deliveries.select_related("study")

    @extend_schema(operation_id="list_deliveries", summary="What was sent", tags=TAG, responses={
        200: DeliverySerializer(many=True), **problems(400, 401, 403, 404, 429)})  # fmt: skip
    def get(self, request: Request, webhook: UUID) -> Response:
        """Each event with its state, attempts, and the last error."""
        return self.list_rows()


class RedeliverView(_OneView):
    @extend_schema(operation_id="redeliver", summary="Send a delivery again", tags=TAG, request=None, responses={
        200: DeliverySerializer, **problems(401, 403, 404, 429)})  # fmt: skip
    def post(self, request: Request, webhook: UUID, delivery: UUID) -> Response:
        """Under its first id, by which the receiver knows it. One that is still to be sent anyway stays as it is."""
        mine = self.mine(webhook).deliveries.filter(uid=delivery).select_related("study")
        found: Delivery = found_or_404(mine, f"delivery {delivery}")
        with transaction.atomic():
            if found.again(database_now()):
                send_soon(found)
        found.refresh_from_db()
        return Response(DeliverySerializer(found).data)


def _data(webhook: Webhook) -> dict[str, Any]:
    data: dict[str, Any] = WebhookSerializer(webhook).data
    return data
