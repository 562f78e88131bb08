"""Raters: how many judge an item, what that is paid, and what they are told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation_site.research.steps.base import Step, decimal, number
from annotation_site.studies.about_form import AboutForm, about
from annotation_site.studies.models import Study


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
