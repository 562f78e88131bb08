"""The wizard's pages: one question each, its form, and their order for each preset."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator, RegexValidator
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation_site.stimuli.models import Recipe
from annotation_site.stimuli.recipes import recipe_of
from annotation_site.studies.about_form import AboutForm, about
from annotation_site.studies.arms import REFERENCE
from annotation_site.studies.models import Study, StudyOrder
from attribution.errors import AnalysisError, PipelineError
from attribution.presets import SHIPPED, preset
from attribution.swaps import swap_prompts

Text = str | Promise
CAPTION_SUFFIXES = ("json", "csv", "txt")
LARGEST_CAPTIONS = 100 * 2**20
MOST_ITEMS = 1_000_000
MOST_SETS = 1000
ARMS: tuple[tuple[str, Text], ...] = (
    ("other-word", gettext_lazy("The map of another word of the same prompt")),
    ("blob", gettext_lazy("A blob in the middle")),
    ("uniform", gettext_lazy("The same everywhere")),
)
SEED_HELP = gettext_lazy("Decides every draw: the same choices and seed give the same study.")


def number(label: Any, initial: int, least: int, most: int, **more: Any) -> forms.IntegerField:
    widget = forms.TextInput(attrs={"inputmode": "numeric", "class": "short"})
    return forms.IntegerField(label=label, initial=initial, min_value=least, max_value=most, widget=widget, **more)


def decimal(label: Any, least: float, most: float, **more: Any) -> forms.FloatField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "short"})
    return forms.FloatField(label=label, min_value=least, max_value=most, widget=widget, **more)


def seed() -> forms.IntegerField:
    return number(gettext_lazy("Seed"), 0, 0, 2**31 - 1, help_text=SEED_HELP)


class Step(forms.Form):
    """One page. ``name`` is its place in addresses and in ``StudyOrder.answers``."""

    name: str
    question: Text
    lead: Text = ""

    def __init__(self, order: StudyOrder, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.order = order
        self.ready()

    def ready(self) -> None:
        """Fit the fields to the order."""

    def choices(self) -> dict[str, Any]:
        """What the worker is told; called on a valid form."""
        return dict(self.cleaned_data)

    def said(self) -> Iterable[str]:
        """The answer as the summary shows it; called on a valid form."""
        raise NotImplementedError


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
            "100 MB, in UTF-8."
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


class ModelStep(Step):
    name = "model"
    question = gettext_lazy("Which model draws the images?")
    lead = gettext_lazy(
        "Models that this site ships, is set to (ATTEST_MODEL), or has used before. An administrator adds others with "
        "manage.py sample_pairs --model."
    )

    model = forms.ChoiceField(label=gettext_lazy("Model"), widget=forms.RadioSelect)
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
        known = models()
        field.choices = [(name, title) for name, title in known.items()]  # type: ignore[attr-defined]
        field.initial = settings.ATTEST_MODEL if settings.ATTEST_MODEL in known else next(iter(known))
        for name in self.usual:
            self.fields[name].initial = None

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            try:
                self.recipe()
            except PipelineError as error:
                raise ValidationError(str(error).removeprefix("--")) from error
        return self.cleaned_data

    def recipe(self) -> Any:
        chosen = self.choices()
        return recipe_of(chosen["model"], **chosen["recipe"])

    def choices(self) -> dict[str, Any]:
        model, _at, revision = self.cleaned_data["model"].partition("@")
        changed = {name: self.cleaned_data[name] for name in self.usual if self.cleaned_data[name] not in (None, "")}
        return {"model": model, "recipe": changed | ({"revision": revision} if revision else {})}

    def said(self) -> Iterable[str]:
        recipe = self.recipe()
        yield models()[self.cleaned_data["model"]]
        yield _("%(steps)s steps, guidance %(guidance)s") % {"steps": recipe.steps, "guidance": f"{recipe.guidance:g}"}
        yield f"{recipe.width} x {recipe.height}, {recipe.dtype}"


def models() -> dict[str, str]:
    """Titles by ``model`` or ``model@revision``: shipped, set for the site, and used before."""
    found = {}
    for name in dict.fromkeys([settings.ATTEST_MODEL, *SHIPPED]):
        try:
            found[name] = preset(name).title
        except PipelineError:
            continue  # A damaged card is the doctor's to name.
    used = Recipe.objects.order_by("model", "revision").values_list("model", "revision", "model_title").distinct()
    for name, revision, title in used:
        # The revision of a folder is found out anew; that of a hub id pins its weights.
        local = name in found or name.startswith(("/", "."))
        found.setdefault(name if local or not revision else f"{name}@{revision}", title or name)
    return found


class RatersStep(Step):
    name = "raters"
    question = gettext_lazy("How many people judge each item?")

    seats_per_item = number(
        gettext_lazy("Raters of each item"),
        3,
        1,
        15,
        help_text=gettext_lazy("The paper had three. An odd number has no ties."),
    )
    cap_share = decimal(
        gettext_lazy("Largest share of one rater, percent"),
        0.01,
        100,
        initial=18,
        help_text=gettext_lazy("Of all judgements. In the paper the busiest rater gave 18 percent."),
    )

    def choices(self) -> dict[str, Any]:
        return {
            "seats_per_item": self.cleaned_data["seats_per_item"],
            "cap_share": round(self.cleaned_data["cap_share"] / 100, 6),
        }

    def said(self) -> Iterable[str]:
        share = f"{self.cleaned_data['cap_share']:g}"
        yield _("%(seats)s raters of each item") % {"seats": self.cleaned_data["seats_per_item"]}
        yield _("at most %(share)s%% of all judgements by one") % {"share": share}


class PayStep(Step):
    name = "pay"
    question = gettext_lazy("What does an answer take, and what is it paid?")
    lead = gettext_lazy("For the forecast alone: nothing is paid by this.")

    seconds = decimal(gettext_lazy("Seconds an answer"), 1, 3600)
    pay = decimal(gettext_lazy("Pay for each answer"), 0, 1000, initial=0.05)
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        initial="GBP",
        max_length=3,
        validators=[RegexValidator("^[A-Z]{3}$", gettext_lazy("Three capitals, such as GBP."))],
        widget=forms.TextInput(attrs={"class": "short", "autocapitalize": "characters"}),
    )
    fees = decimal(
        gettext_lazy("Fees on top, percent"),
        0,
        500,
        initial=0,
        help_text=gettext_lazy("What the recruiting platform takes of what raters are paid."),
    )

    def choices(self) -> dict[str, Any]:
        return {"forecast": dict(self.cleaned_data)}

    def said(self) -> Iterable[str]:
        found = self.cleaned_data
        yield _("%(seconds)s seconds an answer") % {"seconds": f"{found['seconds']:g}"}
        yield _("%(pay)s %(currency)s for each, fees %(fees)s%%") % {
            "pay": f"{found['pay']:g}", "currency": found["currency"], "fees": f"{found['fees']:g}",
        }  # fmt: skip


class AboutStep(AboutForm, Step):
    name = "about"
    question = gettext_lazy("Who runs the study, and whom can raters ask?")
    lead = gettext_lazy(
        "Raters read it before they agree to take part. Leave out what does not apply; all of it may change later."
    )

    def ready(self) -> None:
        """What the researcher said of their last study, most likely holds for this one."""
        last = Study.objects.filter(members__user=self.order.orderer).order_by("-pk").first()
        if last is not None:
            self.initial = about(last) | {"expected_minutes": None}

    def choices(self) -> dict[str, Any]:
        return {"about": dict(self.cleaned_data)}

    def said(self) -> Iterable[str]:
        found = self.cleaned_data
        yield found["organisation"] or _("nobody named")
        yield from (found[name] for name in ("contact", "ethics_board", "ethics_number") if found[name])
        yield _("listed on the home page") if found["listed"] else _("not listed on the home page")


class NameStep(Step):
    name = "name"
    question = gettext_lazy("What is the study called?")

    title = forms.CharField(label=gettext_lazy("Title"), max_length=200, help_text=gettext_lazy("Raters read it."))
    slug = forms.SlugField(
        label=gettext_lazy("Name in addresses"),
        max_length=50,
        help_text=gettext_lazy("Small letters, digits and hyphens; it stays as it is once the study is open."),
    )

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if Study.objects.filter(slug=slug).exists():
            raise ValidationError(_("There is a study “%(slug)s” already: choose another name.") % {"slug": slug})
        return slug

    def choices(self) -> dict[str, Any]:
        return {"title": self.cleaned_data["title"], "slug": self.cleaned_data["slug"]}

    def said(self) -> Iterable[str]:
        yield self.cleaned_data["title"]
        yield self.cleaned_data["slug"]


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


def answered(step: type[Step], order: StudyOrder) -> Step:
    """The step's form over what was typed; unbound where nothing was."""
    typed = order.answers.get(step.name)
    return step(order) if typed is None else step(order, MultiValueDict(typed))


def typed(step: type[Step], data: Any) -> dict[str, list[str]]:
    """What to keep of a submission: the step's own fields, as they came."""
    return {name: data.getlist(name) for name in step.base_fields if name in data and name != "file"}


def whole(order: StudyOrder) -> list[Step]:
    """The forms of all steps, each validated."""
    forms_ = [answered(step, order) for step in STEPS[order.preset]]
    for form in forms_:
        form.is_valid()
    return forms_


def choices_of(steps: Iterable[Step]) -> dict[str, Any]:
    """All that the steps say, together; the steps are valid."""
    chosen: dict[str, Any] = {}
    for step in steps:
        chosen |= step.choices()
    return chosen
