"""Gives a study items to practise on."""

from __future__ import annotations

from annotation_site.studies.models import Item
from annotation_site.worker.known_command import KnownItemsCommand
from annotation_site.worker.known_items import add_practice


class Command(KnownItemsCommand):
    help = (
        "Give a draft study items to practise on, each with the answers that fit: a good map, another thing's map, and "
        "a word too abstract to be shown. In the tiny world's pictures the segmenter finds them; for any other model "
        "name them in a manifest. Pass mark and attempts are the study's practice_pass_mark and practice_attempts."
    )
    purpose, count, words, find = Item.Purpose.PRACTICE, 3, "practice items are there", staticmethod(add_practice)
