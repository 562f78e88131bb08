"""Recipes of new studies: a model's usual one with what the user changed, and its row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from annotation_site.stimuli.models import Recipe
from attribution import records
from attribution.errors import PipelineError
from attribution.presets import preset


def recipe_of(model: str, *, revision: str = "", **changes: Any) -> records.Recipe:
    """The model's usual recipe with what the user changed (None: unchanged)."""
    usual = preset(model, revision).recipe
    recipe = replace(usual, **{name: value for name, value in changes.items() if value is not None})
    for name in ("height", "width"):
        if getattr(recipe, name) % 8:
            raise PipelineError(f"--{name} is {getattr(recipe, name)}: diffusion models need a multiple of 8 pixels.")
    return recipe


def store_recipe(record: records.Recipe) -> Recipe:
    """The recipe's row, with what pages say of its model."""
    known = preset(record.model, record.revision)
    return Recipe.objects.ensure(record, model_title=known.title, trained=known.trained)
