"""Carries out ordered studies: what the wizard's page wrote down becomes a draft study with queued images."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from annotation_site.rating.assignment import database_now
from annotation_site.stimuli import files
from annotation_site.stimuli.recipes import recipe_of
from annotation_site.studies.arms import ArmError
from annotation_site.studies.building import StudyExists
from annotation_site.studies.members import Member
from annotation_site.studies.models import Study, StudyOrder
from annotation_site.worker.cohyponyms import cohyponym_study
from annotation_site.worker.fleet import gone, worker_name
from annotation_site.worker.sampling import TINYWORLD, Draw, sample_study
from annotation_site.worker.swaps import change_study
from attribution.errors import AttributionError

logger = logging.getLogger(__name__)
MOST_CAPTIONS = 200_000
"""Parsed in five minutes on one core: an order is one piece of a worker's work, and such a piece ends in ten."""
LEASE = timedelta(minutes=30)
SOURCE = "captions"
ATTEMPTS = 3


class OrderTaken(Exception):
    """Another worker has the order by now: what this one made is rolled back."""


class OrderRefused(Exception):
    """The order is not tried again."""


EXPECTED = (AttributionError, ArmError, StudyExists, ValidationError, OrderRefused)


def carry_out_next(worker: str) -> StudyOrder | None:
    """Claim the oldest order and make its study, or write down why it cannot be made; None when none waits.

    The study, its researcher and the order's end are one transaction: a killed worker leaves nothing of a study, and
    the next one begins again; a repeated call finds nothing to do.
    """
    release_orders_of_the_dead()
    order = StudyOrder.objects.claim(worker=worker, now=database_now(), lease=LEASE)
    if order is None:
        return None
    try:
        if order.attempts > ATTEMPTS:
            raise OrderRefused(f"{ATTEMPTS} workers ended while they made it, most likely for want of memory.")
        _make(order)
    except OrderTaken:
        logger.warning("Order %s went to another worker meanwhile.", order.pk)
    except Exception as error:
        if not isinstance(error, EXPECTED):
            logger.exception("Order %s failed", order.pk)
        order.end(now=database_now(), error=_reason(error)[:2000])
    order.refresh_from_db()
    return order


def release_orders_of_the_dead() -> int:
    """Queue again what processes claimed that are gone: on this host, or silent for minutes."""
    now = database_now()
    building = StudyOrder.objects.filter(state=StudyOrder.State.BUILDING, claimed_until__gte=now)
    dead = gone(set(building.values_list("claimed_by", flat=True)), now)
    # To be claimable is enough: the claim itself decides who takes it over.
    return building.filter(claimed_by__in=dead).update(claimed_until=now - timedelta(seconds=1))


def waiting(now: datetime) -> bool:
    return StudyOrder.objects.claimable(now).exists()


def carry_out_some(go_on: Callable[[], bool]) -> int:
    """One order, as a piece of a worker's work; how many were ended."""
    return int(carry_out_next(worker_name()) is not None)


def _make(order: StudyOrder) -> None:
    choices = dict(order.choices)

    def hand_over(study: Study) -> None:
        Member.objects.create(study=study, user=order.orderer, role=Member.Role.RESEARCHER)
        if not order.end(now=database_now(), study=study):
            raise OrderTaken

    common = {
        **{name: choices[name] for name in ("slug", "title", "seats_per_item", "cap_share")},
        **choices.get("about", {}),
        "recipe": recipe_of(choices["model"], **choices["recipe"]),
        "then": hand_over,
    }
    PRESETS[StudyOrder.Preset(order.preset)](order, choices, common)


def _pairs(order: StudyOrder, choices: dict[str, Any], common: dict[str, Any]) -> None:
    draw = Draw(**{name: choices[name] for name in ("per_tag", "tags", "seed", "allow_fewer")})
    with _captions(order) as source:
        sample_study(
            source=source,
            draw=draw,
            pipeline=settings.ATTEST_LANGUAGE_PIPELINE,
            most_captions=MOST_CAPTIONS,
            arms=choices.get("arms", []),
            **common,
        )


def _presence(order: StudyOrder, choices: dict[str, Any], common: dict[str, Any]) -> None:
    cohyponym_study(**{name: choices[name] for name in ("ontology", "prompts", "seeds", "seed")}, **common)


def _change(order: StudyOrder, choices: dict[str, Any], common: dict[str, Any]) -> None:
    change_study(
        templates=choices["templates"],
        images=choices["images"],
        seed=choices["seed"],
        source="swap sets of the researcher",
        pipeline=settings.ATTEST_LANGUAGE_PIPELINE,
        **common,
    )


PRESETS: dict[StudyOrder.Preset, Callable[[StudyOrder, dict[str, Any], dict[str, Any]], None]] = {
    StudyOrder.Preset.ATTRIBUTION: _pairs,
    StudyOrder.Preset.COMPARISON: _pairs,
    StudyOrder.Preset.PRESENCE: _presence,
    StudyOrder.Preset.CHANGE: _change,
}


@contextmanager
def _captions(order: StudyOrder) -> Iterator[str]:
    """The word tinyworld, or a file under the uploaded one's own name, by which the study will know its source."""
    if order.choices[SOURCE] == TINYWORLD:
        yield TINYWORLD
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / order.captions_name
        path.write_bytes(files.read(order.captions_file))
        yield str(path)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(error.messages)
    return str(error) if isinstance(error, EXPECTED) else f"{type(error).__name__}: {error}"
