"""Seats and judgements. Their rules are constraints of the database; `assignment` moves seats between states."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation_site.raters.models import Enrolment
from annotation_site.studies.models import Item, Study


class Seat(models.Model):
    """One of the k places for a judgement on an item.

    pending (its generation is not done) -> free -> leased -> done; a lease that runs out makes it free again.
    ``round`` is its number within the item, ``position`` the item's: raters fill round 0 of all items first.
    A rater holds one lease at a time, and one more ``ahead`` of it. ``ordinal`` numbers the seats that a rater has
    filled from 1, without gaps, so that the last one tells how many there are; checks have none.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting for its image")
        FREE = "free", _("free")
        LEASED = "leased", _("leased")
        DONE = "done", _("done")

    # None of the three keys has an index of its own: while statistics are old, the planner would take that one for
    # whatever is asked of a study or a rater. Those below begin with them.
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="seats", db_index=False)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="seats", db_index=False)
    round = models.PositiveSmallIntegerField()
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.PROTECT, related_name="seats", null=True, blank=True, db_index=False
    )
    leased_until = models.DateTimeField(null=True, blank=True)
    ahead = models.BooleanField(default=False, help_text=_("Leased beyond the rater's current seat."))
    ordinal = models.PositiveIntegerField(null=True, blank=True, help_text=_("The rater's n-th seat that is done."))

    class Meta:
        ordering = ["study_id", "round", "position"]
        indexes = [
            # Finds the first free seat at or after a position of a round, and nothing else is in it.
            models.Index(fields=["study", "round", "position"], condition=Q(state="free"), name="free_seats"),
            models.Index(fields=["study", "leased_until"], condition=Q(state="leased"), name="leased_seats"),
            models.Index(fields=["study"], condition=Q(state="pending"), name="pending_seats"),
            models.Index(fields=["study"], condition=Q(state="done"), name="done_seats"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["item", "round"], name="an_item_has_each_seat_once"),
            models.UniqueConstraint(fields=["enrolment", "item"], name="a_rater_never_holds_two_seats_of_one_item"),
            models.UniqueConstraint(
                fields=["enrolment", "ahead"], condition=Q(state="leased"), name="a_rater_leases_one_seat_and_one_ahead"
            ),
            models.UniqueConstraint(
                fields=["enrolment", "ordinal"], condition=Q(ordinal__isnull=False), name="a_raters_seats_are_numbered"
            ),
            models.CheckConstraint(condition=Q(ahead=False) | Q(state="leased"), name="only_a_lease_is_ahead"),
            models.CheckConstraint(
                condition=Q(ordinal__isnull=True) | Q(state="done", ordinal__gte=1),
                name="only_a_done_seat_has_a_number",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "free"], enrolment__isnull=True, leased_until__isnull=True)
                | Q(state="leased", enrolment__isnull=False, leased_until__isnull=False)
                | Q(state="done", enrolment__isnull=False, leased_until__isnull=True),
                name="a_seat_is_held_when_leased_or_done",
            ),
        ]

    def __str__(self) -> str:
        return f"seat {self.round + 1} of {self.item} ({self.get_state_display()})"


class JudgementQuerySet(models.QuerySet["Judgement"]):
    def counted(self) -> Self:
        """What a report counts: current, in a seat of its own, by a rater who is not excluded, on an item in use."""
        return self.filter(
            current=True,
            surplus=False,
            enrolment__excluded_at__isnull=True,
            seat__item__withdrawn_at__isnull=True,
            seat__item__purpose=Item.Purpose.RATED,
        )

    def of_people(self) -> Self:
        return self.filter(enrolment__rater__simulated=False)


class Judgement(models.Model):
    """An answer given in a seat. Appended, never overwritten: a correction is the next revision, and both stay.

    ``surplus`` answers came after someone else had taken the seat; they are kept and not counted.
    ``key`` names one submission: the same key sent twice is one judgement.
    """

    class OptOut(models.TextChoices):
        NONE = "", "-"
        WORD_TOO_ABSTRACT = "word_too_abstract", _("word too abstract")
        IMAGE_TOO_POOR = "image_too_poor", _("image too poor")

    class Change(models.TextChoices):
        NONE = "", "-"
        OBJECT = "object", _("the object")
        BACKGROUND = "background", _("the background")
        BOTH = "both", _("both")
        NOTHING = "nothing", _("nothing")

    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="judgements")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="judgements")
    key = models.UUIDField()
    revision = models.PositiveSmallIntegerField(default=1)
    current = models.BooleanField(default=True)
    surplus = models.BooleanField(default=False)
    rating = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("1 bad ... 5 excellent."))
    opt_out = models.CharField(max_length=20, choices=OptOut, default=OptOut.NONE, blank=True)
    first_present = models.BooleanField(null=True, blank=True)
    second_present = models.BooleanField(null=True, blank=True)
    change = models.CharField(max_length=10, choices=Change, default=Change.NONE, blank=True)
    shown_at = models.DateTimeField(help_text=_("When the server sent the stimulus."))
    answered_at = models.DateTimeField(help_text=_("When the server took the answer."))
    browser_milliseconds = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("From both images painted to the answer, as the browser measured it.")
    )
    views = models.JSONField(
        default=list, blank=True, help_text=_("Changes of the view: [milliseconds since painted, what, value] each.")
    )
    locale = models.CharField(max_length=10, blank=True, help_text=_("Language of the page that was answered."))
    viewport = models.CharField(max_length=30, blank=True, help_text=_("Width x height @ device pixels a pixel."))
    renderer = models.CharField(max_length=40, blank=True, help_text=_("What drew the map, with its version."))

    objects = JudgementQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["enrolment"], condition=Q(surplus=True), name="surplus_judgements")]
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "key"], name="a_submission_is_one_judgement"),
            models.UniqueConstraint(fields=["seat", "enrolment", "revision"], name="revisions_are_numbered"),
            models.UniqueConstraint(
                fields=["seat"], condition=Q(current=True, surplus=False), name="a_seat_has_one_current_judgement"
            ),
            models.CheckConstraint(
                # Not null, said outright: a comparison with null is neither true nor false, and a check lets it pass.
                condition=Q(rating__isnull=False, rating__range=(1, 5), opt_out="", change="")
                & Q(first_present__isnull=True, second_present__isnull=True)
                | Q(
                    rating__isnull=True,
                    opt_out="",
                    first_present__isnull=False,
                    second_present__isnull=False,
                    change="",
                )
                | (
                    Q(rating__isnull=True, first_present__isnull=True, second_present__isnull=True)
                    & (
                        Q(opt_out__in=["word_too_abstract", "image_too_poor"], change="")
                        | Q(opt_out="", change__in=["object", "background", "both", "nothing"])
                    )
                ),
                name="a_judgement_is_one_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrolment.rater.pseudonym}: {self.answer_text}"

    @property
    def answer(self) -> dict[str, Any]:
        """What was answered, and nothing of when or by whom."""
        return {name: getattr(self, name) for name in ANSWER_FIELDS}

    @property
    def answer_text(self) -> str:
        if self.opt_out:
            return str(self.get_opt_out_display())
        if self.change:
            return str(self.get_change_display())
        if self.rating:
            return str(self.rating)
        return f"{self.seat.item.word.text}: {self.first_present}, second: {self.second_present}"


ANSWER_FIELDS = ("rating", "opt_out", "first_present", "second_present", "change")
