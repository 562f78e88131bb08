"""Gives a study gold items: checks whose right answer follows from a mask of what the word shows."""

from __future__ import annotations

from annotation_site.studies.models import Item
from annotation_site.worker.known_command import KnownItemsCommand
from annotation_site.worker.known_items import add_gold


class Command(KnownItemsCommand):
    help = (
        "Give a draft study gold items: masks shown as maps (good or better is right) and their complements (poor or "
        "worse), or pictures in which it is known what is present. In the tiny world's pictures the segmenter finds "
        "them; for any other model name them in a manifest. How often they are shown is the study's check_every."
    )
    purpose, count, words, find = Item.Purpose.GOLD, 4, "gold items are there", staticmethod(add_gold)
