"""Words of captions: which captions, how many words of each tag, and what their maps are compared with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.validators import FileExtensionValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation_site.research.steps.base import Step, Text, number, seed
from annotation_site.studies.arms import REFERENCE

CAPTION_SUFFIXES = ("json", "csv", "txt")
LARGEST_CAPTIONS = 100 * 2**20
ARMS: tuple[tuple[str, Text], ...] = (
    ("other-word", gettext_lazy("The map of another word of the same prompt")),
    ("blob", gettext_lazy("A blob in the middle")),
    ("uniform", gettext_lazy("The same everywhere")),
)


class CaptionsStep(Step):
    name = "captions"
    question = gettext_lazy("Which captions are the images drawn from?")
    lead = gettext_lazy("Each image is drawn from one caption, and raters are asked about one of its words.")

    captions = forms.ChoiceField(
        label=gettext_lazy("Captions"),
        choices=[
            ("tinyworld", gettext_lazy("Captions of the tiny world, which the shipped model can draw")),
            ("upload", gettext_lazy("A file of my own")),
        ],
        initial="tinyworld",
        widget=forms.RadioSelect,
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        validators=[FileExtensionValidator(CAPTION_SUFFIXES)],
        help_text=gettext_lazy(
            "COCO's captions_*.json, a text file with one caption a line, or a CSV with a column “caption”; at most "
            "100 MB, in UTF-8. Of more than 200,000 captions so many are taken at random."
        ),
    )

    def clean(self) -> dict[str, Any]:
        given, file = self.cleaned_data.get("captions"), self.cleaned_data.get("file")
        if file is not None and file.size > LARGEST_CAPTIONS:
            self.add_error("file", _("%(name)s is larger than 100 MB: give a part of it.") % {"name": file.name})
        if given == "upload" and not (file or self.order.captions_file or self.errors):
            self.add_error("file", _("Choose the file of your captions."))
        return self.cleaned_data

    def choices(self) -> dict[str, Any]:
        return {"captions": self.cleaned_data["captions"]}

    def said(self) -> Iterable[str]:
        own = self.cleaned_data["captions"] == "upload"
        yield self.order.captions_name if own else _("the tiny world's")


class PairsStep(Step):
    name = "pairs"
    question = gettext_lazy("How many words of each part of speech?")
    lead = gettext_lazy(
        "The paper asks about 200 words, each in an image of its own, of each of the 14 commonest tags."
    )

    per_tag = number(gettext_lazy("Words of each tag"), 200, 1, 100_000)
    tags = number(gettext_lazy("Tags"), 14, 1, 17, help_text=gettext_lazy("The most common ones of your captions."))
    allow_fewer = forms.BooleanField(
        label=gettext_lazy("Take what there is where a tag has fewer words"), required=False, initial=False
    )
    seed = seed()

    def said(self) -> Iterable[str]:
        found = self.cleaned_data
        yield _("%(per_tag)s words of each of %(tags)s tags") % found
        if found["allow_fewer"]:
            yield _("fewer where a tag has fewer")
        yield _("seed %(seed)s") % found


class ArmsStep(Step):
    name = "arms"
    question = gettext_lazy("What are DAAM's maps compared with?")
    lead = gettext_lazy(
        "Raters see each word's own map and these others, and are not told which is which. Maps of another method are "
        "added to the draft later, with manage.py add_arm."
    )

    arms = forms.MultipleChoiceField(
        label=gettext_lazy("Other maps"), choices=ARMS, initial=["other-word"], widget=forms.CheckboxSelectMultiple
    )

    def choices(self) -> dict[str, Any]:
        return {"arms": [REFERENCE, *self.cleaned_data["arms"]]}

    def said(self) -> Iterable[str]:
        names = dict(ARMS)
        return (str(names[arm]) for arm in self.cleaned_data["arms"])
