"""Makes a draft presence study of cohyponyms."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from annotation_site.studies.models import Study
from annotation_site.worker.cohyponyms import COCO_NAME, TINYWORLD, cohyponym_study
from annotation_site.worker.study_command import StudyCommand


class Command(StudyCommand):
    help = (
        "Make a draft study that asks which of two objects are present: prompts 'a(n) X and a(n) Y', half of them "
        "cohyponyms, half not, matched so that each noun stands equally often on both sides. The same ontology, "
        "numbers and --seed give the same study."
    )
    at_least_one = ("prompts", "seeds")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--ontology",
            default="",
            help="coco, tinyworld, or a JSON file as `python -m attribution ontology` makes it from WordNet "
            "(default: tinyworld for the shipped model, else coco)",
        )
        parser.add_argument("--prompts", type=int, default=500, help="how many, an even number (default: 500)")
        parser.add_argument("--seeds", type=int, default=1, help="images of each prompt (default: 1)")

    def make(self, options: dict[str, Any], **common: Any) -> Study:
        usual = TINYWORLD if options["model"] == TINYWORLD else COCO_NAME
        own = {name: options[name] for name in ("prompts", "seeds")}
        return cohyponym_study(ontology=options["ontology"] or usual, **own, **common)
