"""A researcher's studies as the home page lists them: state, progress, and the one thing to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation_site.reports.actions import with_progress
from annotation_site.research.pages import address
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item, Study

State = Study.State


@dataclass(frozen=True)
class Images:
    """Images of a study's items in use, by state."""

    done: int = 0
    failed: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        return self.done + self.failed + self.waiting


@dataclass(frozen=True)
class Next:
    """What to do next, where, and in what words."""

    text: str
    label: str = ""
    address: str = ""


@dataclass(frozen=True)
class Row:
    study: Any
    images: Images
    next: Next
    may_run: bool


def rows(user: Any) -> list[Row]:
    """All studies that a user may see, newest first; a handful of queries, however many they are."""
    studies = list(with_progress(Study.objects.visible_to(user)))
    runs = set(Study.objects.run_by(user).values_list("pk", flat=True))
    pictures = images_of(studies)
    return [
        Row(study, pictures[study.pk], next_step(study, pictures[study.pk], may_run=study.pk in runs), study.pk in runs)
        for study in studies
    ]


def images_of(studies: Iterable[Study]) -> dict[int, Images]:
    """Images by study; those of two studies count in each."""
    wanted = [study.pk for study in studies]
    counted: dict[int, Counter[str]] = {pk: Counter() for pk in wanted}
    for name in ("generation", "second_generation"):
        items = Item.objects.in_use().filter(study__in=wanted, **{f"{name}__isnull": False}).order_by()
        states = items.values_list("study", f"{name}__state").annotate(Count(name, distinct=True))
        for pk, state, number in states:
            counted[pk][state] += number
    # In a swap set the first image stands beside each of the others, always as the first: nothing is counted twice.
    return {pk: _images(states) for pk, states in counted.items()}


def _images(states: Counter[str]) -> Images:
    done, failed = states[Generation.State.DONE], states[Generation.State.FAILED]
    return Images(done, failed, states.total() - done - failed)


def next_step(study: Any, images: Images, *, may_run: bool) -> Next:
    """The one next step; ``study`` has ``places`` and ``answered``."""
    own, report = address("research-study", study.slug), address("report", study.slug)
    if study.state == State.DRAFT:
        return _of_a_draft(study, images, own) if may_run else Next(_("A draft: nobody can rate yet."))
    if study.state == State.CLOSED:
        return Next(_("Closed; its numbers are final."), _("Read the report"), report)
    if study.places and study.answered >= study.places:
        text = _("Every place is answered.")
        return Next(text, _("Close it"), own) if may_run else Next(text, _("Read the report"), report)
    if study.state == State.PAUSED:
        text = _("Paused: no place is handed out.")
        return Next(text, _("Open it again"), own) if may_run else Next(text)
    left = study.places - study.answered
    text = ngettext("%(left)d answer is still wanted.", "%(left)d answers are still wanted.", left) % {"left": left}
    recruit = address("recruitment", study.slug) or own
    return (
        Next(text, _("Bring raters"), recruit)
        if may_run
        else Next(text, _("Follow it"), address("report-live", study.slug))
    )


def _of_a_draft(study: Any, images: Images, own: str) -> Next:
    if not images.total:
        return Next(_("A draft without items."), _("Give it items"), own)
    if images.failed:
        text = ngettext("%(number)d image failed.", "%(number)d images failed.", images.failed)
        return Next(text % {"number": images.failed}, _("See why"), own)
    if images.waiting:
        said = {"done": images.done, "total": images.total}
        return Next(_("Its images are being made: %(done)s of %(total)s.") % said, _("See what else it needs"), own)
    return Next(_("A draft, with all its images."), _("Check and open it"), own)
