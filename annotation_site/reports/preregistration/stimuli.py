"""A study's items as they are registered: each by its place, with all that decides what a rater is shown there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.db.models import Q

from annotation_site.reports.loading import group_field
from annotation_site.stimuli.models import Recipe
from annotation_site.studies.models import Item, KnownAnswer, Study

# Names as they are registered, and where an item has them.
FIELDS = {
    "position": "position",
    "purpose": "purpose",
    "prompt": "generation__prompt__text",
    "prompt_source": "generation__prompt__source",
    "prompt_id": "generation__prompt__source_id",
    "parser": "generation__prompt__parser",
    "word": "word__text",
    "word_index": "word__index",
    "tag": "word__tag",
    "condition": "condition",
    "swap_set": "swap_set",
    "arm": "arm",
    "map_source": "map_source",
    "map_word_index": "map_word__index",
    "map_sha256": "map_sha256",
    "recipe": "generation__recipe__digest",
    "seed": "generation__seed",
    "image_sha256": "generation__image_sha256",
    "maps_sha256": "generation__maps_sha256",
    "origin": "generation__origin",
    "second_prompt": "second_generation__prompt__text",
    "second_word": "second_word__text",
    "second_word_index": "second_word__index",
    "second_recipe": "second_generation__recipe__digest",
    "second_seed": "second_generation__seed",
    "second_image_sha256": "second_generation__image_sha256",
    "withdrawn": "withdrawn_at",
}
KNOWN = ("lowest", "highest", "opt_out", "first_present", "second_present", "reasons")
CHUNK = 2000


def items(study: Study) -> list[dict[str, Any]]:
    """Every item by position: rated ones, practice and checks, withdrawn ones too; what it has not is left out."""
    known = {each.item_id: each for each in KnownAnswer.objects.filter(item__study=study)}
    return [_item(pk, values, known.get(pk)) for pk, values in _rows(study)]


def _rows(study: Study) -> Iterator[tuple[int, dict[str, Any]]]:
    wanted = Item.objects.filter(study=study).order_by("position").values_list("pk", *FIELDS.values())
    for pk, *values in wanted.iterator(chunk_size=CHUNK):
        yield pk, dict(zip(FIELDS, values, strict=True))


def _item(pk: int, values: dict[str, Any], known: KnownAnswer | None) -> dict[str, Any]:
    values["withdrawn"] = True if values["withdrawn"] else None
    # A place and a seed may be 0, which equals False.
    kept = {name: value for name, value in values.items() if value is not None and value != ""}
    return kept | ({"known": _known(known)} if known else {})


def _known(known: KnownAnswer) -> dict[str, Any]:
    values = {name: getattr(known, name) for name in KNOWN}
    return {name: value for name, value in values.items() if value not in (None, "", {})}


def recipes(study: Study) -> dict[str, dict[str, Any]]:
    """What draws the study's images, by digest."""
    used = Q(generations__items__study=study) | Q(generations__second_items__study=study)
    return {
        recipe.digest: asdict(recipe.record()) | {"model_title": recipe.model_title, "trained": recipe.trained}
        for recipe in Recipe.objects.filter(used).distinct().order_by("digest")
    }


def sample(study: Study) -> dict[str, Any]:
    """How many items are rated, by what they are grouped by, and how many answers that makes."""
    field = group_field(study)
    rows = list(Item.objects.in_use().filter(study=study).values_list(field, "arm"))
    stages = study.adaptive_stages
    return {
        "items": len(rows),
        "groups": dict(Counter(group or "none" for group, _arm in rows)),
        "arms": dict(Counter(arm for _group, arm in rows if arm)),
        "judgements": len(rows) * study.seats_per_item,
        "most_judgements": len(rows) * (max(stages) if stages else study.seats_per_item),
    }
