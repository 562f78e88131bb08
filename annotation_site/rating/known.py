"""Practice and checks of a study, and how its raters do on them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Count

from annotation_site.raters.models import PracticeAnswer
from annotation_site.rating.models import Judgement
from annotation_site.stimuli.addresses import image_url
from annotation_site.studies.addresses import map_picture_url
from annotation_site.studies.gold import CHECKS
from annotation_site.studies.models import Item, Study
from annotation_site.studies.texts import known_words

ANSWER = ("rating", "opt_out", "first_present", "second_present")


@dataclass
class Tally:
    """Answers to one item: how many fitted, how many did not, and how many opted out of a gold item."""

    right: int = 0
    wrong: int = 0
    opted_out: int = 0

    @property
    def share(self) -> int | None:
        """Percent that fitted, of those that did or did not; None where nobody answered."""
        told = self.right + self.wrong
        return round(100 * self.right / told) if told else None


@dataclass(frozen=True)
class Shown:
    """An item as its page shows it."""

    item: Item
    answer: str
    tally: Tally
    picture: str
    map: str


def shown(study: Study) -> list[Shown]:
    """All practice items and checks of the study, withdrawn ones last; four queries however many raters there are."""
    related = ("known", "word__prompt", "second_word", "map_word", "generation__prompt", "generation__recipe")
    items = study.items.exclude(purpose=Item.Purpose.RATED).filter(known__isnull=False).select_related(*related)
    tallies = _tallies(study, {item.pk: item for item in items})
    kinds: list[str] = [Item.Purpose.PRACTICE, *CHECKS]
    order = sorted(items, key=lambda item: (item.withdrawn_at is not None, kinds.index(item.purpose), item.position))
    return [_shown(item, study, tallies[item.pk]) for item in order]


def _shown(item: Item, study: Study, tally: Tally) -> Shown:
    done = item.generation.is_done
    overlaid = done and study.kind == Study.Kind.LIKERT
    return Shown(
        item=item,
        answer=known_words(item.known, study, "en"),
        tally=tally,
        picture=image_url(item.generation) if done else "",
        map=map_picture_url(item, layer="overlay", colours=study.colours) if overlaid else "",
    )


def _tallies(study: Study, items: dict[int, Item]) -> defaultdict[int, Tally]:
    tallies: defaultdict[int, Tally] = defaultdict(Tally)
    # By the answer, so that the rows are as many as there are different answers and not as many as raters.
    practised = PracticeAnswer.objects.filter(item__study=study, attempt=1).order_by()
    for item, fitted, count in practised.values_list("item", "acceptable").annotate(Count("pk")):
        tallies[item].right += count if fitted else 0
        tallies[item].wrong += 0 if fitted else count
    checked = Judgement.objects.filter(seat__item__study=study, seat__item__purpose__in=CHECKS, current=True).order_by()
    for row in checked.values("seat__item", *ANSWER).annotate(count=Count("pk")):
        item = items.get(row["seat__item"])
        if item is not None:
            _add(tallies[item.pk], item, row)
    return tallies


def _add(tally: Tally, item: Item, row: dict[str, object]) -> None:
    """As in `checks`: an opt-out of a gold item is an honest answer, neither right nor wrong."""
    count = int(str(row["count"]))
    if item.known.accepts(row):
        tally.right += count
    elif row["opt_out"] and item.purpose == Item.Purpose.GOLD:
        tally.opted_out += count
    else:
        tally.wrong += count
