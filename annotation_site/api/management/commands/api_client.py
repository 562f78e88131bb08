"""Writes the Python client of the API."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from drf_spectacular.generators import SchemaGenerator

from annotation_site.api.client import client_source


class Command(BaseCommand):
    help = "Write the typed Python client of this site's API: one file, made from the OpenAPI document."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, metavar="FILE", help="where to write it (default: print it)")

    def handle(self, *args: Any, **options: Any) -> None:
        source = client_source(SchemaGenerator().get_schema(request=None, public=True))
        if options["out"] is None:
            self.stdout.write(source, ending="")
            return
        options["out"].parent.mkdir(parents=True, exist_ok=True)
        options["out"].write_text(source, encoding="utf-8")
        self.stdout.write(f"{options['out']}: {source.count(chr(10))} lines.")
