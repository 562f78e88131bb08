"""What is asked, of what, by which rules: a study and its items."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation_site.stimuli.models import Generation, Word
from annotation_site.studies.about import About
from annotation_site.studies.changes import StateChange as StateChange
from annotation_site.studies.consent_texts import CONSENT_TEXTS
from annotation_site.studies.members import Member, is_admin
from annotation_site.studies.orders import StudyOrder
from annotation_site.studies.registrations import Registration
from annotation_site.studies.reporting_rules import ReportingRules, check_reporting_rules
from annotation_site.studies.rules import FIXED_AT_OPENING, Way
from annotation_site.studies.text_parts import check_texts

__all__ = ["ConsentText", "Item", "KnownAnswer", "Member", "Registration", "Study", "StudyOrder"]


def new_completion_code() -> str:
    return secrets.token_hex(4).upper()


class StudyQuerySet(models.QuerySet["Study"]):
    def open(self) -> Self:
        return self.filter(state=Study.State.OPEN)

    def visible_to(self, user: Any) -> Self:
        """Those that a user may read: admins all of them, researchers and viewers the ones they are members of."""
        return self if is_admin(user) else self._of(user)

    def run_by(self, user: Any) -> Self:
        """Those that a user may change, open and pay for: their own as a researcher; admins all of them."""
        return self if is_admin(user) else self._of(user, role=Member.Role.RESEARCHER)

    def _of(self, user: Any, **part: Any) -> Self:
        if not user.is_active:  # An anonymous user is not active either.
            return self.none()
        return self.filter(pk__in=Member.objects.filter(user=user, **part).values("study"))


class Study(Way, ReportingRules, About):
    """One question put to raters about many stimuli, and the rules that hold for its answers."""

    class Kind(models.TextChoices):
        LIKERT = "likert", _("heat map of a word, five answers")
        PRESENCE = "presence", _("which of two objects are present")
        CHANGE = "change", _("what changed between two images")

    class Access(models.TextChoices):
        PUBLIC = "public", _("public: whoever has an address, for good")
        PRIVATE = "private", _("private: by links that end")

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        PAUSED = "paused", _("paused")
        CLOSED = "closed", _("closed")

    class Priority(models.IntegerChoices):
        LOW = -1, _("later")
        NORMAL = 0, _("in turn")
        HIGH = 1, _("sooner")
        URGENT = 2, _("first")

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    seats_per_item = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(15)], help_text=_("Different raters an item.")
    )
    cap_share = models.FloatField(
        default=0.18,
        validators=[MinValueValidator(0.0001), MaxValueValidator(1)],
        help_text=_("Largest share of all judgements that one rater may give."),
    )
    cap = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Judgements one rater may give; fixed when the study opens.")
    )
    lease_minutes = models.PositiveSmallIntegerField(default=15, validators=[MinValueValidator(1)])
    stimuli_access = models.CharField(
        _("who can see its images"),
        max_length=10,
        choices=Access,
        default=Access.PUBLIC,
        help_text=_("Nobody can guess an address either way. Private links end after one to two leases."),
    )
    interpretable_minimum = models.PositiveIntegerField(
        default=0, help_text=_("Scored pairs a tag needs to be called interpretable; 0: half of its pairs.")
    )
    sampling = models.JSONField(
        default=dict, blank=True, help_text=_("How its items were drawn: source, seed, counts.")
    )
    texts = models.JSONField(
        default=dict, blank=True, help_text=_("The study's own question, anchors and instructions, by language.")
    )
    generation_priority = models.SmallIntegerField(
        choices=Priority, default=Priority.NORMAL, db_default=0, help_text=_("Whose images are drawn first.")
    )
    generation_paused = models.BooleanField(
        default=False, db_default=False, help_text=_("Its images are not drawn for now.")
    )
    consent_version = models.CharField(max_length=20, default="1")
    completion_code = models.CharField(max_length=20, default=new_completion_code)
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = StudyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft") | Q(cap__gte=1), name="an_opened_study_has_its_cap_fixed"
            ),
            models.CheckConstraint(condition=Q(seats_per_item__gte=1), name="an_item_has_a_seat"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def link_minutes(self) -> int | None:
        """How long a rater's links to images last at least; None where they need no end."""
        return self.lease_minutes if self.stimuli_access == self.Access.PRIVATE else None

    def clean(self) -> None:
        """Refuse what would change the meaning of answers given, texts out of form, and a consent without text."""
        check_texts(self.texts)
        check_reporting_rules(self)
        if self.kind == self.Kind.CHANGE and self.check_every:
            raise ValidationError(
                {"check_every": _("Nobody knows what changed between two images: this kind has no checks. Write 0.")}
            )
        stored = Study.objects.filter(pk=self.pk).first() if self.pk else None
        if stored is not None and stored.state != self.State.DRAFT:
            changed = [name for name in FIXED_AT_OPENING if getattr(self, name) != getattr(stored, name)]
            reason = _("The study is %(state)s: this is fixed, for answers depend on it. Make a new study for another.")
            errors = {name: reason % {"state": stored.get_state_display()} for name in changed}
            if errors:
                raise ValidationError(errors)
        if self.consent_version not in CONSENT_TEXTS and not self._own_consent().exists():
            raise ValidationError(
                {
                    "consent_version": _("Version %(version)s has no text: write it under consent texts first.")
                    % {"version": self.consent_version}
                }
            )

    def _own_consent(self) -> models.QuerySet[ConsentText]:
        return ConsentText.objects.filter(study=self.pk, version=self.consent_version)


class ItemQuerySet(models.QuerySet["Item"]):
    def in_use(self) -> Self:
        """What the study asks: neither withdrawn, nor there to practise on or to check raters by."""
        return self.filter(withdrawn_at__isnull=True, purpose=Item.Purpose.RATED)


class Item(models.Model):
    """One stimulus in a study.

    A generation with a target word, or with the two nouns that may be present; or two generations of one swap set, with
    the word that was swapped in each.
    """

    class Condition(models.TextChoices):
        NONE = "", "-"
        COHYPONYMS = "cohyponyms", _("cohyponyms")
        NON_COHYPONYMS = "non-cohyponyms", _("non-cohyponyms")

    class Purpose(models.TextChoices):
        RATED = "", _("rated")
        PRACTICE = "practice", _("practice")
        INSTRUCTED = "instructed", _("instructed check")
        GOLD = "gold", _("gold")

    class MapSource(models.TextChoices):
        OWN = "own", _("the word's own map")
        OTHER_WORD = "other-word", _("the map of another word")
        BLOB = "blob", _("a centred blob")
        UNIFORM = "uniform", _("the same everywhere")
        FILE = "file", _("a stored file")

    # No index of the study alone: while statistics are old the planner takes it for all that is asked of a study.
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="items", db_index=False)
    generation = models.ForeignKey(Generation, on_delete=models.PROTECT, related_name="items")
    word = models.ForeignKey(Word, on_delete=models.PROTECT, related_name="items")
    second_word = models.ForeignKey(Word, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    second_generation = models.ForeignKey(
        Generation, on_delete=models.PROTECT, related_name="second_items", null=True, blank=True
    )
    swap_set = models.CharField(
        max_length=120, blank=True, help_text=_("The adjectives of a swap set, the first one first, and their noun.")
    )
    condition = models.CharField(max_length=20, choices=Condition, default=Condition.NONE, blank=True)
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.RATED, blank=True)
    arm = models.CharField(
        max_length=40, blank=True, help_text=_("The method compared, where the study shows one word's map by several.")
    )
    map_source = models.CharField(max_length=12, choices=MapSource, default=MapSource.OWN)
    map_word = models.ForeignKey(Word, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    map_file = models.CharField(max_length=200, blank=True)
    map_sha256 = models.CharField(max_length=64, blank=True)
    position = models.PositiveIntegerField(help_text=_("Place in the study's order, tags interleaved."))
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        ordering = ["study_id", "position"]
        indexes = [
            models.Index(fields=["study"], condition=Q(withdrawn_at__isnull=False), name="withdrawn_items"),
            # Finds the few checks and practice items of a study among its many items.
            models.Index(fields=["study"], condition=~Q(purpose=""), name="items_with_a_purpose"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["study", "position"], name="one_item_at_each_position"),
            models.UniqueConstraint(
                fields=["study", "generation", "word", "arm"],
                condition=Q(purpose="", second_generation__isnull=True),
                name="a_word_of_an_image_is_one_item_an_arm",
            ),
            models.UniqueConstraint(
                fields=["study", "generation", "second_generation"],
                condition=Q(second_generation__isnull=False),
                name="two_images_are_compared_once",
            ),
            models.CheckConstraint(
                condition=Q(second_generation__isnull=True, swap_set="")
                | Q(second_generation__isnull=False, second_word__isnull=False)
                & ~Q(swap_set="")
                & ~Q(second_generation=models.F("generation")),
                name="a_second_image_is_another_with_its_word",
            ),
            models.CheckConstraint(
                condition=Q(map_source="other-word", map_word__isnull=False)
                | (~Q(map_source="other-word") & Q(map_word__isnull=True)),
                name="another_words_map_names_the_word",
            ),
            models.CheckConstraint(
                condition=Q(map_source="file") & ~Q(map_file="") & ~Q(map_sha256="")
                | ~Q(map_source="file") & Q(map_file="", map_sha256=""),
                name="a_stored_map_names_its_file",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.word.text} in {self.generation.prompt.text!r}"


class KnownAnswer(models.Model):
    """What is right for an item to practise on or to check raters by.

    Either a range of ratings, both ends within, or which of the two objects are present; ``opt_out`` is right as well.
    """

    class OptOut(models.TextChoices):
        NONE = "", "-"
        WORD_TOO_ABSTRACT = "word_too_abstract", _("word too abstract")
        IMAGE_TOO_POOR = "image_too_poor", _("image too poor")

    item = models.OneToOneField(Item, on_delete=models.CASCADE, related_name="known")
    lowest = models.PositiveSmallIntegerField(null=True, blank=True)
    highest = models.PositiveSmallIntegerField(null=True, blank=True)
    opt_out = models.CharField(max_length=20, choices=OptOut, default=OptOut.NONE, blank=True)
    first_present = models.BooleanField(null=True, blank=True)
    second_present = models.BooleanField(null=True, blank=True)
    reasons = models.JSONField(
        default=dict, blank=True, help_text=_('Why, by language: {"en": ...}. Empty: said from the item itself.')
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                # Not null, said outright: a comparison with null is neither true nor false, and a check lets it pass.
                condition=Q(
                    lowest__isnull=False,
                    highest__isnull=False,
                    lowest__range=(1, 5),
                    highest__range=(1, 5),
                    lowest__lte=models.F("highest"),
                    first_present__isnull=True,
                    second_present__isnull=True,
                )
                | Q(
                    lowest__isnull=True,
                    highest__isnull=True,
                    first_present__isnull=False,
                    second_present__isnull=False,
                )
                | (
                    Q(lowest__isnull=True, highest__isnull=True)
                    & Q(first_present__isnull=True, second_present__isnull=True)
                    & ~Q(opt_out="")
                ),
                name="a_known_answer_is_of_one_kind",
            )
        ]

    def __str__(self) -> str:
        return f"known answer of {self.item}"

    def accepts(self, answer: Mapping[str, Any]) -> bool:
        """Whether an answer (rating, opt_out, first_present, second_present) is among those that are right."""
        if answer["opt_out"]:
            return bool(answer["opt_out"] == self.opt_out)
        if answer["rating"] is not None:
            return self.lowest is not None and self.lowest <= answer["rating"] <= (self.highest or 0)
        seen = (answer["first_present"], answer["second_present"])
        return self.first_present is not None and seen == (self.first_present, self.second_present)


class ConsentText(models.Model):
    """A version of what a study's raters agree to, in one language.

    Once the study has opened a text stays as it is, for raters have agreed to it: another wording is a new version.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="consent_texts")
    version = models.CharField(max_length=20)
    locale = models.CharField(max_length=10, default="en")
    text = models.TextField(help_text=_("Paragraphs, an empty line between them."))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study_id", "version", "locale"]
        constraints = [
            models.UniqueConstraint(fields=["study", "version", "locale"], name="a_consent_version_has_one_text")
        ]

    def __str__(self) -> str:
        return f"{self.study}: consent {self.version} ({self.locale})"

    def clean(self) -> None:
        """Keep a text that raters may have agreed to as it is, and Attest's own versions apart."""
        if self.version in CONSENT_TEXTS:
            raise ValidationError({"version": _("%(version)s is Attest's own text.") % {"version": self.version}})
        stored = ConsentText.objects.filter(pk=self.pk).first() if self.pk else None
        if stored is not None and stored.study.state != Study.State.DRAFT:
            raise ValidationError(_("The study was opened with this text: write another wording as a new version."))
