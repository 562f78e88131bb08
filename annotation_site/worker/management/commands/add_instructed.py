"""Gives a study instructed checks."""

from __future__ import annotations

from annotation_site.studies.models import Item
from annotation_site.worker.known_command import KnownItemsCommand
from annotation_site.worker.known_items import add_instructed


class Command(KnownItemsCommand):
    help = (
        "Give a draft study instructed checks, for pictures of any model: the question itself says which answer to "
        "choose. How often they are shown is the study's check_every."
    )
    purpose, count, words, find = (
        Item.Purpose.INSTRUCTED,
        4,
        "instructed checks are there",
        staticmethod(add_instructed),
    )
    from_manifest = False
