"""A rater's data, handed out or erased when the person asks for it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from annotation_site.operations import rater_data


class Command(BaseCommand):
    help = (
        "Print all that is stored of a rater as JSON, or erase what ties their answers to the person: ids, links, "
        "pseudonym, language and screen. Answers and the records of payment stay, without a name."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("rater", help="the pseudonym (R-...), or the person's own rating link")
        parser.add_argument("--erase", action="store_true", help="erase; without it, print")
        parser.add_argument("--uncount", action="store_true", help="with --erase: stop counting the answers, too")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["uncount"] and not options["erase"]:
            raise CommandError("--uncount goes with --erase.")
        rater = rater_data.find(options["rater"])
        if rater is None:
            raise CommandError("No rater has this pseudonym or link: see the administration's list of raters.")
        if options["erase"]:
            rater_data.erase(rater, uncount=options["uncount"], now=timezone.now())
            self.stdout.write(f"Erased. The answers stay under the new pseudonym {rater.pseudonym}.")
        else:
            data = rater_data.exported(rater)
            self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
