"""A study from stimuli that are known already: the caller has parsed the prompts, the site queues their images."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied

from annotation_site.api.problems import Conflict
from annotation_site.api.research.serializers import SETTINGS, SettingsSerializer, StudyDetailSerializer
from annotation_site.stimuli.known_models import ModelRefused, require_allowed
from annotation_site.stimuli.recipes import recipe_of, store_recipe
from annotation_site.studies.arms import SOURCES, ArmError
from annotation_site.studies.building import Stimulus, StudyExists, build_study
from annotation_site.studies.members import Member, may_create
from annotation_site.studies.models import Item, Study
from attribution import records
from attribution.errors import AttributionError

MOST_STIMULI, MOST_WORDS = 20_000, 200
SEEDS = {"min_value": 0, "max_value": 2**31 - 1}
LARGEST = 4096
DTYPES = ("float32", "float16", "bfloat16")


class NewWordSerializer(serializers.Serializer):
    """A word as a parser saw it."""

    text = serializers.CharField(max_length=200, trim_whitespace=False)
    start = serializers.IntegerField(min_value=0, max_value=100_000)
    end = serializers.IntegerField(min_value=1, max_value=100_000)
    tag = serializers.CharField(max_length=10, help_text="Universal POS tag.")
    lemma = serializers.CharField(max_length=200)
    head = serializers.IntegerField(min_value=0, max_value=MOST_WORDS, help_text="Index of its head; a root: its own.")
    relation = serializers.CharField(max_length=40, help_text="Universal Dependencies relation to the head.")


class NewPromptSerializer(serializers.Serializer):
    """A caption with all of its words, in reading order."""

    text = serializers.CharField(max_length=2000, trim_whitespace=False)
    source_id = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    words = NewWordSerializer(many=True, min_length=1, max_length=MOST_WORDS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        text, words = attrs["text"], attrs["words"]
        for number, word in enumerate(words):
            if text[word["start"] : word["end"]] != word["text"]:
                said = f"word {number}: characters {word['start']} to {word['end']} are not {word['text']!r}."
                raise serializers.ValidationError({"words": [said]})
            if word["head"] >= len(words):
                raise serializers.ValidationError({"words": [f"word {number}: there is no word {word['head']}."]})
        return attrs


class StimulusSerializer(serializers.Serializer):
    """An item to be: a prompt and the index of its target word; of presence studies also the second noun's."""

    prompt = NewPromptSerializer()
    word = serializers.IntegerField(min_value=0, max_value=MOST_WORDS)
    second_word = serializers.IntegerField(min_value=0, max_value=MOST_WORDS, required=False, allow_null=True)
    condition = serializers.ChoiceField(choices=Item.Condition.values, required=False, default="")
    second_prompt = NewPromptSerializer(required=False, allow_null=True)
    swap_set = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    image_seed = serializers.IntegerField(required=False, allow_null=True, **SEEDS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        _require_word(attrs["prompt"], attrs["word"], "word")
        if attrs.get("second_word") is not None:
            _require_word(attrs.get("second_prompt") or attrs["prompt"], attrs["second_word"], "second_word")
        return attrs


class NewRecipeSerializer(serializers.Serializer):
    """What draws the images; what is left out is the model's usual."""

    model = serializers.CharField(
        max_length=300, help_text="One of this site's models; an admin may name any by its hub id."
    )
    revision = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    steps = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    guidance = serializers.FloatField(min_value=0, max_value=100, required=False)
    height = serializers.IntegerField(min_value=8, max_value=LARGEST, required=False)
    width = serializers.IntegerField(min_value=8, max_value=LARGEST, required=False)
    dtype = serializers.ChoiceField(choices=DTYPES, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the models that the caller may name, at a size that can be drawn."""
        try:
            require_allowed(attrs["model"], attrs["revision"], self.context["request"].user)
        except ModelRefused as error:
            raise serializers.ValidationError({"model": [str(error)]}) from error
        for name in ("height", "width"):
            if attrs.get(name, 8) % 8:
                raise serializers.ValidationError({name: ["Diffusion models need a multiple of 8 pixels."]})
        return attrs


class NewStudySerializer(SettingsSerializer):
    """A draft study of known stimuli, with an image queued for each."""

    slug = serializers.SlugField(max_length=50)
    kind = serializers.ChoiceField(choices=Study.Kind.choices)
    seed = serializers.IntegerField(
        **SEEDS, required=False, default=0, help_text="Decides the order of items and the images' seeds."
    )
    source = serializers.CharField(max_length=200, help_text="Where the prompts came from.")
    parser = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    recipe = NewRecipeSerializer()
    stimuli = StimulusSerializer(many=True, min_length=1, max_length=MOST_STIMULI)
    arms = serializers.ListField(
        child=serializers.ChoiceField(choices=tuple(SOURCES)),
        required=False,
        default=list,
        help_text="Show each word with several maps, blindly.",
    )

    class Meta:
        model = Study
        fields = (*SETTINGS, "slug", "kind", "seed", "source", "parser", "recipe", "stimuli", "arms")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for number, stimulus in enumerate(attrs["stimuli"]):
            missing = [name for name in NEEDED[attrs["kind"]] if stimulus.get(name) in (None, "")]
            if missing:
                said = f"stimulus {number}: a study of this kind needs {', '.join(missing)}."
                raise serializers.ValidationError({"stimuli": [said]})
        if attrs["arms"] and attrs["kind"] != Study.Kind.LIKERT:
            raise serializers.ValidationError({"arms": ["Only studies of heat maps show a word with several maps."]})
        return super().validate(attrs)


NEEDED = {
    Study.Kind.LIKERT: (),
    Study.Kind.PRESENCE: ("second_word", "condition"),
    Study.Kind.CHANGE: ("second_prompt", "second_word", "swap_set"),
}


@transaction.atomic
def make_study(user: Any, fields: dict[str, Any]) -> Study:
    """The draft, its maker its researcher. Raises what the API answers with."""
    if not may_create(user):
        raise PermissionDenied("Your account makes no studies: ask an administrator to make you a researcher.")
    stimuli = [_stimulus(each) for each in fields.pop("stimuli")]
    check_storable(fields)
    try:
        study = build_study(
            stimuli=stimuli, recipe=store_recipe(recipe_of(**fields.pop("recipe"))), **_drawn(fields, len(stimuli))
        )
    except StudyExists as error:
        raise Conflict(f"There is a study {fields['slug']!r} already: choose another slug.") from error
    except (ArmError, AttributionError) as error:
        raise serializers.ValidationError(
            {"arms" if isinstance(error, ArmError) else "recipe": [str(error)]}
        ) from error
    except DjangoValidationError as error:
        raise serializers.ValidationError(error.message_dict) from error
    Member.objects.create(study=study, user=user, role=Member.Role.RESEARCHER)
    return study


def change_study(study: Study, fields: dict[str, Any]) -> Study:
    """Set a study's settings; refuses those that are fixed by now."""
    check_storable(fields)
    for name, value in fields.items():
        setattr(study, name, value)
    try:
        study.full_clean()
    except DjangoValidationError as error:
        raise serializers.ValidationError(error.message_dict) from error
    study.save(update_fields=list(fields))
    return study


def study_data(study: Study) -> dict[str, Any]:
    data: dict[str, Any] = StudyDetailSerializer(study).data
    return data


def check_storable(fields: dict[str, Any]) -> None:
    """Refuse text that no database keeps: null characters, half characters, infinite numbers."""
    for name, value in fields.items():
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
            text.encode()
        except ValueError as error:
            raise serializers.ValidationError({name: [f"This cannot be stored: {error}."]}) from error
        if "\\u0000" in text:
            raise serializers.ValidationError({name: ["Null characters cannot be stored: take them out."]})


def _drawn(fields: dict[str, Any], count: int) -> dict[str, Any]:
    sampling = {"source": fields["source"], "seed": fields["seed"], "stimuli": count, "made_by": "the API"}
    return {**fields, "sampling": sampling}


def _stimulus(given: dict[str, Any]) -> Stimulus:
    second = given.get("second_prompt")
    return Stimulus(
        _prompt(given["prompt"]),
        given["word"],
        second_word=given.get("second_word"),
        condition=given["condition"],
        second_prompt=_prompt(second) if second else None,
        swap_set=given["swap_set"],
        image_seed=given.get("image_seed"),
    )


def _prompt(given: dict[str, Any]) -> records.Prompt:
    words = tuple(records.Word(**word) for word in given["words"])
    return records.Prompt(given["text"], words, source_id=given["source_id"])


def _require_word(prompt: dict[str, Any], index: int, name: str) -> None:
    if index >= len(prompt["words"]):
        raise serializers.ValidationError(
            {name: [f"The prompt has {len(prompt['words'])} words: none has index {index}."]}
        )
