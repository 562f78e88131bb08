"""The rules of a study that a rater meets on the way: what is shown first, practice, breaks and checks."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

#: What the answers of an open study depend on. Its title, breaks, codes and lease may change, and so may the consent's
#: version: raters keep the one that they agreed to.
FIXED_AT_OPENING = (
    "kind",
    "slug",
    "seats_per_item",
    "exclusion_rules",
    "adaptive_stages",
    "adaptive_spread",
    "cap_share",
    "interpretable_minimum",
    "texts",
    "first_view",
    "colours",
    "instructions_shown",
    "practice_pass_mark",
    "practice_attempts",
    "check_every",
    "checks_may_fail",
    "check_consequence",
)


class Way(models.Model):
    """The part of Study that decides a rater's way to and through its items. Zero or empty: that step is left out."""

    class FirstView(models.TextChoices):
        OVERLAY = "overlay", _("map over the picture")
        BESIDE = "beside", _("picture and map side by side")

    class Colours(models.TextChoices):
        INFERNO = "inferno", _("inferno")
        CIVIDIS = "cividis", _("cividis")
        GREY = "grey", _("grey")

    class Consequence(models.TextChoices):
        WARN = "warn", _("ask the rater to take more care")
        EXCLUDE = "exclude", _("count none of the rater's answers")

    first_view = models.CharField(
        max_length=10,
        choices=FirstView,
        default=FirstView.OVERLAY,
        help_text=_("How each map is first shown; raters may switch, and each switch is logged."),
    )
    colours = models.CharField(
        max_length=10, choices=Colours, default=Colours.INFERNO, help_text=_("Colour map of the heat maps.")
    )
    instructions_shown = models.BooleanField(
        default=False, help_text=_("Show instructions with worked examples before the first item.")
    )
    practice_pass_mark = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(100)],
        help_text=_("Percent of the practice answers that must be acceptable; 0: nobody fails."),
    )
    practice_attempts = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1)], help_text=_("How often a rater may practise until they pass.")
    )
    screen_out_code = models.CharField(
        max_length=20, blank=True, help_text=_("Shown to raters who did not pass the practice; empty: no code.")
    )
    break_every = models.PositiveSmallIntegerField(
        default=0, help_text=_("Offer a break after so many answers; 0: never.")
    )
    check_every = models.PositiveSmallIntegerField(
        default=0, help_text=_("One check in so many answers, at a place drawn for each rater; 0: no checks.")
    )
    checks_may_fail = models.PositiveSmallIntegerField(
        default=1, help_text=_("Failed checks that have no consequence: one slip is human.")
    )
    check_consequence = models.CharField(
        max_length=10,
        choices=Consequence,
        default=Consequence.WARN,
        help_text=_("What follows when more checks fail. Answers are never deleted."),
    )

    class Meta:
        abstract = True
