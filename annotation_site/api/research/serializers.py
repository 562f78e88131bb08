"""What researchers' programs are sent. Raters are named by their pseudonym; no id of theirs and no link is in here."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotation_site.api.payloads import answer_values
from annotation_site.raters.models import Enrolment
from annotation_site.rating.models import Judgement
from annotation_site.reports.data import FATES
from annotation_site.reports.data import Rater as RaterFacts
from annotation_site.reports.exports.fates import fate_of
from annotation_site.stimuli.addresses import image_url
from annotation_site.stimuli.models import Generation, Recipe
from annotation_site.studies.about import ABOUT
from annotation_site.studies.models import Item, Study

SETTINGS = (
    "title",
    "seats_per_item",
    "cap_share",
    "lease_minutes",
    "interpretable_minimum",
    "texts",
    "consent_version",
    "first_view",
    "colours",
    "instructions_shown",
    "practice_pass_mark",
    "practice_attempts",
    "break_every",
    "check_every",
    "checks_may_fail",
    "check_consequence",
    "exclusion_rules",
    "adaptive_stages",
    "adaptive_spread",
    *ABOUT,
)
HISTORY = ("slug", "kind", "state", "cap", "sampling", "created_at", "opened_at", "closed_at")


class SettingsSerializer(serializers.ModelSerializer):
    """What a study's researcher decides. Most of it is fixed when the study opens."""

    texts = serializers.DictField(child=serializers.DictField(), required=False)
    exclusion_rules = serializers.ListField(child=serializers.DictField(), required=False)
    adaptive_stages = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=15), required=False)

    class Meta:
        model = Study
        fields = SETTINGS

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        refuse_unknown(self)
        return attrs


class StudyDetailSerializer(serializers.ModelSerializer):
    """A study with all of its settings. How far it is stands apart, so that a rating does not change its ETag."""

    sampling = serializers.DictField(help_text="How its items were drawn: source, seed, counts.")
    texts = serializers.DictField(child=serializers.DictField())
    exclusion_rules = serializers.ListField(child=serializers.DictField())
    contact = serializers.CharField(help_text="E-mail for raters' questions; may be empty.")
    ethics_contact = serializers.CharField(help_text="E-mail of the ethics board; may be empty.")
    adaptive_stages = serializers.ListField(child=serializers.IntegerField())

    class Meta:
        model = Study
        fields = (*HISTORY, *SETTINGS)
        read_only_fields = fields


class PlacesSerializer(serializers.Serializer):
    """Places for judgements on the items in use."""

    pending = serializers.IntegerField(help_text="Waiting for their images.")
    free = serializers.IntegerField()
    leased = serializers.IntegerField()
    done = serializers.IntegerField()


class ImagesSerializer(serializers.Serializer):
    """Images of the items in use."""

    queued = serializers.IntegerField()
    claimed = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()


class ProgressOfStudySerializer(serializers.Serializer):
    state = serializers.ChoiceField(choices=Study.State.choices)
    places = PlacesSerializer()
    generations = ImagesSerializer()


class WordSerializer(serializers.Serializer):
    text = serializers.CharField()
    start = serializers.IntegerField(help_text="Offset of its first character in the prompt.")
    end = serializers.IntegerField(help_text="Offset after its last character.")
    tag = serializers.CharField(help_text="Universal POS tag.")


class RecipeSerializer(serializers.ModelSerializer):
    class Meta:
        model = Recipe
        fields = ("model", "revision", "steps", "guidance", "height", "width", "scheduler", "dtype")
        read_only_fields = fields


class GenerationSerializer(serializers.ModelSerializer):
    """An image with its maps, wanted or made."""

    prompt = serializers.CharField(source="prompt.text")
    recipe = RecipeSerializer()
    image = serializers.SerializerMethodField()

    class Meta:
        model = Generation
        fields = (
            "identity",
            "state",
            "prompt",
            "recipe",
            "seed",
            "attempts",
            "error",
            "image",
            "image_sha256",
            "maps_sha256",
            "seconds",
            "queued_at",
            "done_at",
        )
        read_only_fields = fields

    def get_image(self, row: Generation) -> str | None:
        return self.context["request"].build_absolute_uri(image_url(row)) if row.is_done else None


class ItemSerializer(serializers.ModelSerializer):
    """One stimulus of a study."""

    prompt = serializers.CharField(source="generation.prompt.text")
    word = WordSerializer()
    second_word = WordSerializer(allow_null=True)
    purpose = serializers.SerializerMethodField(help_text="rated, practice, instructed or gold.")
    generation = serializers.CharField(source="generation.identity")
    second_generation = serializers.CharField(source="second_generation.identity", allow_null=True, default=None)

    class Meta:
        model = Item
        fields = (
            "position",
            "prompt",
            "word",
            "second_word",
            "purpose",
            "condition",
            "swap_set",
            "arm",
            "map_source",
            "generation",
            "second_generation",
            "withdrawn_at",
        )
        read_only_fields = fields

    def get_purpose(self, row: Item) -> str:
        return row.purpose or "rated"


class EnrolmentSerializer(serializers.ModelSerializer):
    """A rater's part in a study."""

    rater = serializers.CharField(source="rater.pseudonym", help_text="The pseudonym.")
    simulated = serializers.BooleanField(source="rater.simulated", help_text="A program, marked as such.")

    class Meta:
        model = Enrolment
        fields = (
            "rater",
            "simulated",
            "source",
            "locale",
            "consent_version",
            "created_at",
            "consented_at",
            "instructed_at",
            "ready_at",
            "screened_out_at",
            "check_failure",
            "warned_at",
            "completed_at",
            "excluded_at",
            "exclusion_reason",
        )
        read_only_fields = fields


class JudgementRowSerializer(serializers.ModelSerializer):
    """A stored answer. Nothing is ever overwritten: “fate” says what a report makes of it."""

    item = serializers.IntegerField(source="seat.item.position", help_text="The item's position.")
    rater = serializers.CharField(source="enrolment.rater.pseudonym", help_text="The pseudonym.")
    simulated = serializers.BooleanField(source="enrolment.rater.simulated")
    answer = serializers.SerializerMethodField(help_text="The values that were chosen.")
    fate = serializers.SerializerMethodField(help_text=f"{', '.join(FATES)}; check: an answer to a check.")

    class Meta:
        model = Judgement
        fields = (
            "id",
            "item",
            "rater",
            "simulated",
            "answer",
            "fate",
            "revision",
            "current",
            "surplus",
            "shown_at",
            "answered_at",
            "browser_milliseconds",
            "locale",
            "viewport",
            "renderer",
        )
        read_only_fields = fields

    def get_answer(self, row: Judgement) -> list[str]:
        return answer_values(row)

    def get_fate(self, row: Judgement) -> str:
        enrolment, item = row.enrolment, row.seat.item
        if item.purpose:
            return "check"
        reason = enrolment.exclusion_reason if enrolment.excluded_at else ""
        rater = RaterFacts(enrolment.rater.pseudonym, enrolment.rater.simulated, reason)
        return fate_of(row.current, row.surplus, rater, withdrawn=item.withdrawn_at is not None)


def refuse_unknown(serializer: serializers.Serializer) -> None:
    """A field that nobody reads is a mistake of the caller's, not to be passed over."""
    unknown = sorted(set(serializer.initial_data) - set(serializer.fields))
    if unknown:
        said = f"There is no such field: choose from {', '.join(sorted(serializer.fields))}."
        raise serializers.ValidationError({name: [said] for name in unknown})
