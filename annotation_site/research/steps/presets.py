"""The order of the pages for each preset, and the kind of study that it makes."""

from __future__ import annotations

from annotation_site.research.steps.base import Step
from annotation_site.research.steps.captions import ArmsStep, CaptionsStep, PairsStep
from annotation_site.research.steps.model import ModelStep
from annotation_site.research.steps.people import AboutStep, NameStep, PayStep, RatersStep
from annotation_site.research.steps.things import NounsStep, SetsStep
from annotation_site.studies.models import Study, StudyOrder

Preset = StudyOrder.Preset
LAST: tuple[type[Step], ...] = (ModelStep, RatersStep, PayStep, AboutStep, NameStep)
STEPS: dict[str, tuple[type[Step], ...]] = {
    Preset.ATTRIBUTION: (CaptionsStep, PairsStep, *LAST),
    Preset.COMPARISON: (CaptionsStep, PairsStep, ArmsStep, *LAST),
    Preset.PRESENCE: (NounsStep, *LAST),
    Preset.CHANGE: (SetsStep, *LAST),
}
KINDS = {
    Preset.ATTRIBUTION: Study.Kind.LIKERT,
    Preset.COMPARISON: Study.Kind.LIKERT,
    Preset.PRESENCE: Study.Kind.PRESENCE,
    Preset.CHANGE: Study.Kind.CHANGE,
}
