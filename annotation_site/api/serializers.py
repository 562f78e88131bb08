"""What clients send and get, field by field; the OpenAPI schema is made from these."""

from __future__ import annotations

from rest_framework import serializers

from annotation_site.rating.forms import FIRST, LONGEST_MILLISECONDS, SECOND
from annotation_site.studies import questions
from annotation_site.studies.models import Study

NO_NULL = r"^[^\x00]*$"
LIKERT = [choice.value for choice in questions.LIKERT_RATINGS + questions.LIKERT_OPT_OUTS]
PRESENCE = [FIRST, SECOND, *(choice.value for choice in questions.PRESENCE_OPT_OUTS)]
CHANGE = [choice.value for choice in questions.CHANGES + questions.CHANGE_OPT_OUTS]
VALUES = list(dict.fromkeys(LIKERT + PRESENCE + CHANGE))
STATUSES = ("rate", "wait", "done", "instructions", "practice", "care", "break")


class ChoiceSerializer(serializers.Serializer):
    value = serializers.CharField(help_text="What to send as the answer.")
    key = serializers.CharField(help_text="The key that chooses it on Attest's own pages.")
    label = serializers.CharField()


class ConsentSerializer(serializers.Serializer):
    version = serializers.CharField()
    paragraphs = serializers.ListField(child=serializers.CharField())


class StudySerializer(serializers.Serializer):
    """What a person must be shown before they enrol."""

    slug = serializers.SlugField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=Study.Kind.choices)
    state = serializers.ChoiceField(choices=Study.State.choices)
    question = serializers.CharField()
    instructions = serializers.ListField(
        child=serializers.CharField(), help_text="Paragraphs; empty where the study has no words of its own."
    )
    consent = ConsentSerializer()


class EnrolSerializer(serializers.Serializer):
    """A person's part in a study. Send ``consent`` only after they have read and accepted the text."""

    study = serializers.SlugField(max_length=50, help_text="The study's slug.")
    external_id = serializers.RegexField(
        NO_NULL,
        max_length=200,
        required=False,
        allow_blank=True,
        default="",
        help_text="Your own id of the person: the same id gives the same enrolment. Stored as a keyed hash only. "
        "Whoever knows it can answer for the person, so make it hard to guess. Without one it is always a new person.",
    )
    consent = serializers.BooleanField(help_text="true: the person accepted the text of this version.")
    consent_version = serializers.RegexField(NO_NULL, max_length=20, help_text="The version that the person was shown.")
    instructions_read = serializers.BooleanField(
        default=False, help_text="true: you have shown the instructions yourself, so Attest need not."
    )


class EnrolledSerializer(serializers.Serializer):
    token = serializers.CharField(help_text="The bearer token of all other calls. It is also the secret of the link.")
    link = serializers.URLField(help_text="Where the person can go on with Attest's own pages.")
    study = serializers.SlugField()
    pseudonym = serializers.CharField()
    consent_version = serializers.CharField(help_text="The version that was accepted first; it stands.")


class ProgressSerializer(serializers.Serializer):
    done = serializers.IntegerField()
    total = serializers.IntegerField(help_text="The most this person can be given.")


class OwnSerializer(serializers.Serializer):
    study = serializers.SlugField()
    pseudonym = serializers.CharField()
    progress = ProgressSerializer()
    completion_code = serializers.CharField(allow_null=True, help_text="Once there is nothing left to do.")


class TargetSerializer(serializers.Serializer):
    text = serializers.CharField()
    start = serializers.IntegerField(help_text="Offset of its first character in the prompt.")
    end = serializers.IntegerField(help_text="Offset after its last character.")


class SecondSerializer(serializers.Serializer):
    """The picture to compare with, of studies of what changed between two."""

    image = serializers.URLField()
    prompt = serializers.CharField()
    target = TargetSerializer(help_text="The word in which the two prompts differ.")


class SeatSerializer(serializers.Serializer):
    """One stimulus, leased to the caller."""

    id = serializers.IntegerField()
    ticket = serializers.CharField(help_text="Proof that this seat was shown to this person, and when. Send it back.")
    leased_until = serializers.DateTimeField(help_text="Send a heartbeat before; a later answer may not be counted.")
    question = serializers.CharField()
    choices = ChoiceSerializer(many=True)
    several = serializers.BooleanField(help_text="Whether an answer may hold more than one value.")
    prompt = serializers.CharField(allow_null=True, help_text="null where people must not know it.")
    target = TargetSerializer(allow_null=True, help_text="The word whose heat map is judged, or that was swapped.")
    image = serializers.URLField()
    second = SecondSerializer(allow_null=True, help_text="The other picture, where two are compared; else null.")
    heat_map = serializers.URLField(allow_null=True, help_text="A picture to lay over the image.")
    heat_map_values = serializers.URLField(allow_null=True, help_text="The map's own values, as bytes.")


class TurnSerializer(serializers.Serializer):
    """What comes next for a person."""

    status = serializers.ChoiceField(
        choices=STATUSES,
        help_text="rate: judge the seat. wait: ask again later. done: the end. break, care: said once, ask again to "
        "go on. instructions, practice: to be done at the link first.",
    )
    link = serializers.URLField(help_text="The page on which a person does this.")
    seat = SeatSerializer(allow_null=True)
    progress = ProgressSerializer()
    completion_code = serializers.CharField(allow_null=True)


class AnswerSerializer(serializers.Serializer):
    ticket = serializers.RegexField(r"^[\w.:=-]+$", max_length=500)
    answer = serializers.ListField(
        child=serializers.ChoiceField(choices=VALUES),
        min_length=1,
        max_length=2,
        help_text="Values of the seat's choices: one, or both objects of a presence study.",
    )
    browser_milliseconds = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_MILLISECONDS,
        required=False,
        allow_null=True,
        default=None,
        help_text="From both pictures painted to the answer.",
    )
    context = serializers.DictField(
        required=False,
        help_text="views, locale, viewport and renderer, as Attest's pages send them; nonsense is left out.",
    )


class JudgementSerializer(serializers.Serializer):
    seat = serializers.IntegerField()
    answer = serializers.ListField(child=serializers.CharField())
    revision = serializers.IntegerField(help_text="1, or more for a correction; earlier ones are kept.")
    surplus = serializers.BooleanField(help_text="true: kept, but the seat was taken by then, so it is not counted.")
    answered_at = serializers.DateTimeField()


class LeaseSerializer(serializers.Serializer):
    leased_until = serializers.DateTimeField(allow_null=True)


class ProblemSerializer(serializers.Serializer):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False)
