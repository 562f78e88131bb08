"""What stands between a study and its raters: each problem with its remedy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation_site.stimuli.models import Generation
from annotation_site.studies.consent_texts import CONSENT_TEXTS
from annotation_site.studies.gold import CHECKS, what_is_missing
from annotation_site.studies.models import ConsentText, Item, Study


@dataclass(frozen=True)
class Problem:
    """What is wrong and what to do about it. A study does not open while one ``blocks``; others are worth knowing.

    ``part`` names what is to be mended, so that a page can lead there: items, consent, known, images, failed or share.
    """

    text: str
    remedy: str
    blocks: bool = False
    part: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.remedy}"


def problems(study: Study) -> list[Problem]:
    """All that keeps the study from opening, and then what raters would miss. A few queries, whatever its size."""
    items = study.items.in_use().count()
    found = [*_no_items(study, items), *_no_consent(study), *_no_known(study), *_no_known_images(study)]
    if items:
        found += [*_images(study), *_cap(study, items)]
    return sorted(found, key=lambda problem: not problem.blocks)


def cap_of(study: Study, seats: int) -> int:
    """How many judgements one rater may give; at least one."""
    # Through the decimal that was typed: 0.29 * 100 is 28.99... in floats.
    return max(1, math.floor(Fraction(str(study.cap_share)) * seats))


def _no_items(study: Study, items: int) -> list[Problem]:
    if items:
        return []
    return [
        Problem(
            _("Study “%(slug)s” has no items:") % {"slug": study.slug},
            _("draw some with `manage.py sample_pairs` first."),
            blocks=True,
            part="items",
        )
    ]


def _no_consent(study: Study) -> list[Problem]:
    version = study.consent_version
    if version in CONSENT_TEXTS or ConsentText.objects.filter(study=study, version=version).exists():
        return []
    return [
        Problem(
            _("Raters would be asked to agree to version %(version)s, which has no text:") % {"version": version},
            _("write it under consent texts, or name another version."),
            blocks=True,
            part="consent",
        )
    ]


def _no_known(study: Study) -> list[Problem]:
    text, colon, remedy = what_is_missing(study).partition(": ")
    return [Problem(text + colon.strip(), remedy, blocks=True, part="known")] if text else []


def _no_known_images(study: Study) -> list[Problem]:
    """Practice or checks that the study needs are there, and none of them can be shown."""
    wanted = []
    if study.practice_pass_mark:
        wanted.append((_("practice"), [Item.Purpose.PRACTICE]))
    if study.check_every:
        wanted.append((_("checks"), list(CHECKS)))
    found = []
    for name, purposes in wanted:
        there = study.items.filter(withdrawn_at__isnull=True, known__isnull=False, purpose__in=purposes)
        if there.exists() and not there.filter(generation__state=Generation.State.DONE).exists():
            found.append(
                Problem(
                    _("None of the pictures for the %(name)s is made:") % {"name": name},
                    _("make them with `manage.py precompute %(slug)s`.") % {"slug": study.slug},
                    blocks=True,
                    part="images",
                )
            )
    return found


def _images(study: Study) -> list[Problem]:
    done = Q(generation__state=Generation.State.DONE)
    done &= Q(second_generation__isnull=True) | Q(second_generation__state=Generation.State.DONE)
    failed = Q(generation__state=Generation.State.FAILED) | Q(second_generation__state=Generation.State.FAILED)
    number = study.items.in_use().aggregate(waiting=Count("pk", filter=~done), failed=Count("pk", filter=failed))
    found = []
    if number["failed"]:
        found.append(
            Problem(
                ngettext(
                    "The picture of %(number)d item failed:",
                    "The pictures of %(number)d items failed:",
                    number["failed"],
                )
                % {"number": number["failed"]},
                _("see why under generations and queue them again, or withdraw the items."),
                part="failed",
            )
        )
    if number["waiting"] > number["failed"]:
        left = number["waiting"] - number["failed"]
        found.append(
            Problem(
                ngettext(
                    "The picture of %(number)d item is not made yet, and nobody is asked about it:",
                    "The pictures of %(number)d items are not made yet, and nobody is asked about them:",
                    left,
                )
                % {"number": left},
                _("make them with `manage.py precompute %(slug)s`; their places are freed one by one.")
                % {"slug": study.slug},
                part="images",
            )
        )
    return found


def _cap(study: Study, items: int) -> list[Problem]:
    seats = items * study.seats_per_item
    cap = study.cap or cap_of(study, seats)
    share = {"share": f"{study.cap_share:.4g}", "cap": cap, "items": items, "places": seats}
    if Fraction(str(study.cap_share)) * seats < 1:
        return [
            Problem(
                _("%(share)s of %(places)d places is less than one judgement, and each rater may give one:") % share,
                _("raise the share, or draw more items."),
                part="share",
            )
        ]
    if cap >= items:
        return [
            Problem(
                _("The cap of %(cap)d judgements is out of reach: one rater may judge all %(items)d items.") % share,
                _("Lower the share if several people are to answer."),
                part="share",
            )
        ]
    return []
