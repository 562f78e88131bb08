"""What a study to be will take: items, images, people, time and money, and what it will be able to tell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db.models import Avg, Count
from django.utils.translation import gettext as _

from annotation_site.reports.planning import SHARES, SPREAD
from annotation_site.stimuli.models import Generation
from annotation_site.stimuli.recipes import recipe_of
from annotation_site.studies.models import StudyOrder
from attribution.analysis.power import detectable_difference, power_two_proportions
from attribution.swaps import swap_prompts

POWER, Z = 0.8, 1.96


@dataclass(frozen=True)
class ImageTime:
    """Seconds that one image took, over how many, and whether these were of the same recipe or only of its model."""

    seconds: float
    images: int
    is_same_recipe: bool


@dataclass(frozen=True)
class Forecast:
    """``images`` may be fewer, where another study has drawn some of them already."""

    items: int
    images: int
    judgements: int
    cap: int
    least_raters: int
    rater_hours: float
    most_hours_each: float
    pay: float
    fees: float
    currency: str
    an_hour: float
    image_time: ImageTime | None
    told: tuple[str, ...]

    @property
    def cost(self) -> float:
        return self.pay + self.fees

    @property
    def people(self) -> str:
        return duration(self.rater_hours)

    @property
    def most_each(self) -> str:
        return duration(self.most_hours_each)

    @property
    def image_duration(self) -> str:
        return duration(self.image_hours or 0)

    @property
    def image_hours(self) -> float | None:
        return self.images * self.image_time.seconds / 3600 if self.image_time else None


def duration(hours: float) -> str:
    """``2.5 h``; below two hours ``90 min``, and never less than one minute."""
    return f"{hours:.1f} h" if hours >= 2 else f"{max(1, round(hours * 60))} min"


def forecast(preset: str, choices: dict[str, Any], image_time: ImageTime | None) -> Forecast:
    """The forecast of an order's choices."""
    items, images = sizes(preset, choices)
    seats, money = choices["seats_per_item"], choices["forecast"]
    judgements = items * seats
    # As open_study fixes it: through the decimal that was typed.
    cap = max(1, math.floor(Fraction(str(choices["cap_share"])) * judgements))
    pay = judgements * money["pay"]
    return Forecast(
        items=items,
        images=images,
        judgements=judgements,
        cap=cap,
        least_raters=max(seats, math.ceil(judgements / cap)),
        rater_hours=judgements * money["seconds"] / 3600,
        most_hours_each=min(cap, items) * money["seconds"] / 3600,
        pay=pay,
        fees=pay * money["fees"] / 100,
        currency=money["currency"],
        an_hour=money["pay"] * 3600 / money["seconds"],
        image_time=image_time,
        told=tuple(_told(preset, choices, items)),
    )


def sizes(preset: str, choices: dict[str, Any]) -> tuple[int, int]:
    """Items and images. The arms of a word share its image; a set of n adjectives is n images and n - 1 pairs."""
    if preset == StudyOrder.Preset.PRESENCE:
        return (choices["prompts"] * choices["seeds"],) * 2
    if preset == StudyOrder.Preset.CHANGE:
        adjectives = [len(swap_prompts(template)) for template in choices["templates"]]
        return sum(n - 1 for n in adjectives) * choices["images"], sum(adjectives) * choices["images"]
    words = choices["per_tag"] * choices["tags"]
    return words * max(1, len(choices.get("arms", ()))), words


def _told(preset: str, choices: dict[str, Any], items: int) -> Iterator[str]:
    """What such a size can tell, by the same functions as the planning page."""
    if preset == StudyOrder.Preset.PRESENCE:
        each = choices["prompts"] * choices["seeds"] // 2
        power = power_two_proportions(*SHARES, each)
        shares = {"one": f"{SHARES[0]:.0%}", "other": f"{SHARES[1]:.0%}", "each": each, "power": f"{power:.0%}"}
        yield _("%(each)s images of each kind find a difference like the paper's (%(one)s against %(other)s) with "
                "power %(power)s.") % shares  # fmt: skip
        if choices["seeds"] > 1:
            yield _("Less, as far as images of one prompt are alike: the planning page takes that into account.")
    elif preset == StudyOrder.Preset.CHANGE:
        half = Z * math.sqrt(0.25 / items)
        yield _("The share of pairs whose background changed is known to about ±%(half)s points (95%%).") % {
            "half": f"{100 * half:.0f}"
        }
    else:
        yield from _told_of_words(preset, choices)


def _told_of_words(preset: str, choices: dict[str, Any]) -> Iterator[str]:
    least = detectable_difference(SPREAD, choices["per_tag"], POWER)
    yield _("%(each)s words of each tag find a difference of %(least)s points between two tags with power 80%%.") % {
        "each": choices["per_tag"],
        "least": f"{least:.2f}",
    }
    if preset == StudyOrder.Preset.COMPARISON:
        words = choices["per_tag"] * choices["tags"]
        least = detectable_difference(SPREAD, words, POWER)
        yield _("%(words)s words in all find a difference of %(least)s points between two maps with power 80%%, or "
                "less, since both are of the same words.") % {"words": words, "least": f"{least:.2f}"}  # fmt: skip


def image_time(choices: dict[str, Any]) -> ImageTime | None:
    """What images have taken on this site: of the same recipe, or else of the same model; None where none was made."""
    recipe = recipe_of(choices["model"], **choices["recipe"])
    made = Generation.objects.filter(state=Generation.State.DONE, seconds__isnull=False)
    for same, mine in (
        (True, made.filter(recipe__digest=recipe.digest)),
        (False, made.filter(recipe__model=recipe.model)),
    ):
        found = mine.aggregate(seconds=Avg("seconds"), images=Count("pk"))
        if found["images"]:
            return ImageTime(found["seconds"], found["images"], same)
    return None
