"""The wizard's pages: one question each, its form, and their order for each preset."""

from annotation_site.research.steps.answers import answered, choices_of, typed, whole
from annotation_site.research.steps.base import Step
from annotation_site.research.steps.people import PayStep
from annotation_site.research.steps.presets import KINDS, STEPS

__all__ = ["KINDS", "STEPS", "PayStep", "Step", "answered", "choices_of", "typed", "whole"]
