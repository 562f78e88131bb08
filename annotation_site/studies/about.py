"""What people read of a study before they take part: who runs it, who approved it, whom to ask, how long it takes."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

LONGEST_MINUTES = 600
#: The fields of About: none of them changes what answers mean, so all of them may change at any time.
ABOUT = (
    "organisation",
    "contact",
    "ethics_board",
    "ethics_number",
    "ethics_contact",
    "expected_minutes",
    "data_kept",
    "listed",
)


class About(models.Model):
    """The part of Study that its landing page tells. What is empty is left out of the page."""

    organisation = models.CharField(
        _("who runs it"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("The people and their university or firm, as raters are to read it."),
    )
    contact = models.EmailField(
        _("e-mail for raters' questions"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Raters see it, whoever they are."),
    )
    ethics_board = models.CharField(
        _("ethics board"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Which board approved the study."),
    )
    ethics_number = models.CharField(
        _("approval number"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text=_("Under which it was approved."),
    )
    ethics_contact = models.EmailField(_("e-mail of the ethics board"), blank=True, default="", db_default="")
    expected_minutes = models.PositiveSmallIntegerField(
        _("minutes it takes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_MINUTES)],
        help_text=_("For one rater. Empty: reckoned from the number of pictures."),
    )
    data_kept = models.CharField(
        _("how long answers are kept"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Such as: ten years after publication."),
    )
    listed = models.BooleanField(_("listed on this site's home page while it is open"), default=True, db_default=True)

    class Meta:
        abstract = True
