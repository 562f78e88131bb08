"""Things drawn together and adjectives that take each other's place: stimuli that no captions are needed for."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation_site.research.steps.base import Step, number, seed
from attribution.errors import AnalysisError
from attribution.swaps import swap_prompts

MOST_SETS = 1000


class NounsStep(Step):
    name = "nouns"
    question = gettext_lazy("Which things are drawn together?")
    lead = gettext_lazy(
        "Half of the prompts name two things of one kind (a fork and a knife), half two of different kinds."
    )

    ontology = forms.ChoiceField(
        label=gettext_lazy("Things"),
        choices=[
            ("coco", gettext_lazy("The paper's: the 80 things of COCO, in 11 kinds")),
            ("tinyworld", gettext_lazy("The tiny world's, which the shipped model can draw")),
        ],
        initial="coco",
        widget=forms.RadioSelect,
    )
    prompts = number(gettext_lazy("Prompts"), 500, 2, 100_000, help_text=gettext_lazy("An even number."))
    seeds = number(gettext_lazy("Images of each prompt"), 1, 1, 100)
    seed = seed()

    def ready(self) -> None:
        if settings.ATTEST_MODEL == "tinyworld":
            self.fields["ontology"].initial = "tinyworld"

    def clean_prompts(self) -> int:
        prompts = int(self.cleaned_data["prompts"])
        if prompts % 2:
            raise ValidationError(_("%(prompts)s cannot be halved: give an even number.") % {"prompts": prompts})
        return prompts

    def said(self) -> Iterable[str]:
        found = self.cleaned_data
        yield _("the tiny world's things") if found["ontology"] == "tinyworld" else _("the things of COCO")
        yield _("%(prompts)s prompts, images of each: %(seeds)s") % found
        yield _("seed %(seed)s") % found


class SetsStep(Step):
    name = "sets"
    question = gettext_lazy("Which adjectives take each other's place?")
    lead = gettext_lazy("All images of a set are drawn from one seed; each is shown beside the set's first.")

    templates = forms.CharField(
        label=gettext_lazy("Swap sets, one a line"),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        max_length=200_000,
        help_text=gettext_lazy(
            "Such as: a {rusty, metallic, wooden} shovel in a clean shed. The noun is the word after the braces, or "
            "the one in brackets: a {small, big} yellow [fish]."
        ),
    )
    images = number(gettext_lazy("Seeds of each set"), 1, 1, 1000)
    seed = seed()

    def clean_templates(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["templates"].splitlines() if line.strip()]
        if len(lines) > MOST_SETS:
            raise ValidationError(
                _("%(number)s sets: give at most %(most)s.") % {"number": len(lines), "most": MOST_SETS}
            )
        for line in lines:
            if lines.count(line) > 1:
                raise ValidationError(_("“%(line)s” stands there twice: leave one.") % {"line": line})
            try:
                swap_prompts(line)
            except AnalysisError as error:
                raise ValidationError(str(error)) from error
        return lines

    def said(self) -> Iterable[str]:
        yield from self.cleaned_data["templates"]
        yield _("seeds of each set: %(images)s") % self.cleaned_data
        yield _("seed %(seed)s") % self.cleaned_data
