"""The rater's way for programs: enrol, claim, answer, keep or give back. JSON in, JSON out, errors as problems."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import get_language
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation_site.api import payloads, serializers
from annotation_site.api.authentication import IsEnrolled
from annotation_site.api.idempotency import KEY, key_of
from annotation_site.api.problems import Conflict, problems
from annotation_site.api.throttles import EnrolThrottle, RaterThrottle
from annotation_site.api.turns import next_turn
from annotation_site.raters.consent import consent_of
from annotation_site.raters.external import enrol_external, find_external
from annotation_site.raters.models import Enrolment
from annotation_site.rating import assignment, flow
from annotation_site.rating.assignment import Answer
from annotation_site.rating.context import read_context
from annotation_site.rating.forms import form_class
from annotation_site.rating.models import Seat
from annotation_site.rating.tickets import BadTicket, Ticket
from annotation_site.rating.views import SEEN
from annotation_site.studies.models import Study


class RaterSchema(AutoSchema):
    """All of it under one heading."""

    def get_tags(self) -> list[str]:
        return ["Rating"]


class RaterView(APIView):
    """A call of a rater, by bearer token; never kept by a cache."""

    permission_classes = [IsEnrolled]
    throttle_classes = [RaterThrottle]
    schema = RaterSchema()

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class StudyView(RaterView):
    permission_classes = []

    @extend_schema(
        operation_id="study",
        summary="What to show before enrolling",
        auth=[],
        responses={200: serializers.StudySerializer, **problems(404)},
    )
    def get(self, request: Request, slug: str) -> Response:
        """Question, instructions and consent text, in the language of Accept-Language."""
        return Response(payloads.study(_study_or_404(slug)))


class EnrolView(RaterView):
    permission_classes = []
    throttle_classes = [EnrolThrottle]

    @extend_schema(
        operation_id="enrol",
        summary="Enrol a person who has consented",
        auth=[],
        request=serializers.EnrolSerializer,
        responses={
            200: OpenApiResponse(serializers.EnrolledSerializer, "The external id was known: the same enrolment."),
            201: serializers.EnrolledSerializer,
            **problems(400, 404, 409, 415, 429),
        },
    )
    def post(self, request: Request) -> Response:
        """Gives the token of all other calls. The same external id gives the same enrolment again, at any time."""
        fields = _valid(serializers.EnrolSerializer, request)
        study = _study_or_404(fields["study"])
        known = find_external(study, fields["external_id"]) if fields["external_id"] else None
        if known is not None:
            return Response(payloads.enrolled(known, request))
        enrolment, new = _enrol(study, fields)
        return Response(payloads.enrolled(enrolment, request), status=201 if new else 200)


class OwnView(RaterView):
    @extend_schema(
        operation_id="own",
        summary="Progress of the caller",
        responses={200: serializers.OwnSerializer, **problems(401, 403, 429)},
    )
    def get(self, request: Request) -> Response:
        """How far the caller is, and the completion code at the end."""
        return Response(payloads.own(request.auth))


class ClaimView(RaterView):
    @extend_schema(
        operation_id="claim",
        summary="Claim a seat, or get the one held",
        request=None,
        responses={200: serializers.TurnSerializer, **problems(401, 403, 429)},
    )
    def post(self, request: Request) -> Response:
        """What comes next for the caller. Asked again before the answer it is the same seat, its lease renewed."""
        return Response(next_turn(request.auth, request, now=assignment.database_now()))


class JudgementView(RaterView):
    @extend_schema(
        operation_id="judge",
        summary="Answer",
        parameters=[KEY],
        request=serializers.AnswerSerializer,
        responses={200: serializers.JudgementSerializer, **problems(400, 401, 403, 404, 409, 415, 429)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Stored for good when this answers 200. Safe to repeat: the same key and body get the first reply; another
        body under the same key gets 409, and the first one stands. With a new key it is a correction."""
        key = key_of(request)
        fields = _valid(serializers.AnswerSerializer, request)
        seat, ticket = _shown_or_404(request.auth, pk, fields["ticket"])
        try:
            judgement = assignment.record(
                seat=seat,
                enrolment=request.auth,
                answer=_answer(request.auth.study, fields["answer"]),
                key=key,
                shown_at=ticket.shown_at,
                browser_milliseconds=fields["browser_milliseconds"],
                context=read_context(fields.get("context", {})),
            )
        except assignment.KeyReused as error:
            raise Conflict(f"{error} Use a new Idempotency-Key for a correction.") from error
        return Response(payloads.judgement(judgement))


class HeartbeatView(RaterView):
    @extend_schema(
        operation_id="heartbeat",
        summary="Keep a seat",
        request=None,
        responses={200: serializers.LeaseSerializer, **problems(401, 403, 404, 429)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Extends the lease of a seat that the caller holds; send one a minute while a person looks at it."""
        until = assignment.renew(_held_or_404(request.auth, pk), request.auth)
        if until is None:
            raise Http404(_not_held(pk))
        return Response({"leased_until": until})


class ReleaseView(RaterView):
    @extend_schema(
        operation_id="release",
        summary="Give a seat back",
        request=None,
        responses={200: serializers.LeaseSerializer, **problems(401, 403, 404, 429)},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Frees a seat that the caller holds, unanswered, for others; the caller may get it again."""
        if not assignment.release(_held_or_404(request.auth, pk), request.auth):
            raise Http404(_not_held(pk))
        return Response({"leased_until": None})


class NowhereView(RaterView):
    """Any other address: a problem, where Django's own page would be HTML."""

    permission_classes = []
    throttle_classes = []

    @extend_schema(exclude=True)
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404(f"There is nothing at {request.path}: addresses end with a slash, and /api/docs/ lists them.")


def _valid(serializer: type[Any], request: Request) -> dict[str, Any]:
    checked = serializer(data=request.data)
    checked.is_valid(raise_exception=True)
    fields: dict[str, Any] = checked.validated_data
    return fields


def _study_or_404(slug: str) -> Study:
    study = Study.objects.exclude(state=Study.State.DRAFT).filter(slug=slug).first()
    if study is None:
        raise Http404(f"There is no study {slug!r}: check the slug with the people who run it.")
    return study


def _enrol(study: Study, fields: dict[str, Any]) -> tuple[Enrolment, bool]:
    if not study.is_open:
        raise Conflict(f"Study {study.slug!r} is {study.state}: nobody new is taken in now.")
    if study.sources.exists():
        raise Conflict(f"Study {study.slug!r} takes people in by its own links alone: use one of its ways in.")
    if not fields["consent"]:
        raise ValidationError({"consent": ["It is false: enrol only those who have accepted the consent text."]})
    locale, now = get_language() or "", assignment.database_now()
    consent = consent_of(study, locale)
    if fields["consent_version"] != consent.version:
        raise Conflict(
            f"The study's consent text has version {consent.version!r}, you named {fields['consent_version']!r}: "
            f"show the text of GET /api/v1/studies/{study.slug}/ and ask again."
        )
    enrolment, new = enrol_external(study, fields["external_id"], consent, locale=locale, now=now, source="api")
    if fields["instructions_read"]:
        flow.instructed(enrolment, now=now)
    return enrolment, new


def _shown_or_404(enrolment: Enrolment, pk: int, text: str) -> tuple[Seat, Ticket]:
    """The seat, if the ticket proves that it was shown to this rater: also after its lease ended."""
    try:
        ticket = Ticket.read(text, enrolment)
    except BadTicket as error:
        raise Http404(f"The ticket is not that of seat {pk}: send the one that came with it, unchanged.") from error
    if ticket.seat != pk:
        raise Http404(f"The ticket is that of seat {ticket.seat}, not of seat {pk}: send each seat its own.")
    return Seat.objects.select_related(*SEEN).get(pk=pk), ticket


def _answer(study: Study, values: list[str]) -> Answer:
    """What the page's own form makes of the values."""
    single = study.kind != Study.Kind.PRESENCE
    if single and len(values) != 1:
        raise ValidationError({"answer": [f"{len(values)} values were sent: this question takes exactly one."]})
    form = form_class(study)({"answer": values[0] if single else values})
    if not form.is_valid():
        raise ValidationError(dict(form.errors))
    return form.to_answer()


def _held_or_404(enrolment: Enrolment, pk: int) -> Seat:
    seat = Seat.objects.filter(pk=pk, enrolment=enrolment, state=Seat.State.LEASED).first()
    if seat is None:
        raise Http404(_not_held(pk))
    return seat


def _not_held(pk: int) -> str:
    return f"You hold no seat {pk}: its lease ended, or it never was yours. Claim one with POST /api/v1/seats/."
