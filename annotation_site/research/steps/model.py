"""What draws the images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation_site.accounts.roles import is_admin
from annotation_site.research.steps.base import Step, decimal, number
from annotation_site.stimuli.known_models import ModelRefused, known_models, require_allowed
from annotation_site.stimuli.recipes import recipe_of
from attribution.errors import PipelineError


class ModelStep(Step):
    name = "model"
    question = gettext_lazy("Which model draws the images?")
    lead = gettext_lazy(
        "Models that this site ships, is set to (ATTEST_MODEL), or has used before. Administrators may name others, "
        "here or by manage.py sample_pairs --model."
    )

    model = forms.ChoiceField(label=gettext_lazy("Model"), widget=forms.RadioSelect)
    other = forms.CharField(
        label=gettext_lazy("Another model"),
        required=False,
        max_length=400,
        help_text=gettext_lazy("Its hub id, such as owner/name or owner/name@revision; in place of the choice above."),
    )
    steps = number(gettext_lazy("Steps"), 0, 1, 1000, required=False)
    guidance = decimal(gettext_lazy("Guidance"), 0, 100, required=False)
    height = number(gettext_lazy("Height, pixels"), 0, 8, 4096, required=False)
    width = number(gettext_lazy("Width, pixels"), 0, 8, 4096, required=False)
    dtype = forms.ChoiceField(
        label=gettext_lazy("Number type"),
        required=False,
        choices=[
            ("", gettext_lazy("the model's usual")),
            *((name, name) for name in ("float32", "float16", "bfloat16")),
        ],
    )
    usual = ("steps", "guidance", "height", "width", "dtype")

    def ready(self) -> None:
        field = self.fields["model"]
        known = known_models()
        # Who names a model that nobody has tried here is an admin (see known_models).
        if not is_admin(self.order.orderer):
            del self.fields["other"]
        field.choices = [(name, title) for name, title in known.items()]  # type: ignore[attr-defined]
        field.initial = settings.ATTEST_MODEL if settings.ATTEST_MODEL in known else next(iter(known))
        for name in self.usual:
            self.fields[name].initial = None

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            model, revision = self.named()
            try:
                require_allowed(model, revision, self.order.orderer)
                self.recipe()
            except ModelRefused as error:
                self.add_error("other" if "other" in self.fields else "model", str(error))
            except PipelineError as error:
                raise ValidationError(str(error).removeprefix("--")) from error
        return self.cleaned_data

    def named(self) -> tuple[str, str]:
        """The model and its revision, empty where none is said."""
        model, _at, revision = (self.cleaned_data.get("other") or self.cleaned_data["model"]).partition("@")
        return model, revision

    def recipe(self) -> Any:
        chosen = self.choices()
        return recipe_of(chosen["model"], **chosen["recipe"])

    def choices(self) -> dict[str, Any]:
        model, revision = self.named()
        changed = {name: self.cleaned_data[name] for name in self.usual if self.cleaned_data[name] not in (None, "")}
        return {"model": model, "recipe": changed | ({"revision": revision} if revision else {})}

    def said(self) -> Iterable[str]:
        recipe = self.recipe()
        yield self.cleaned_data.get("other") or known_models()[self.cleaned_data["model"]]
        yield _("%(steps)s steps, guidance %(guidance)s") % {"steps": recipe.steps, "guidance": f"{recipe.guidance:g}"}
        yield f"{recipe.width} x {recipe.height}, {recipe.dtype}"
