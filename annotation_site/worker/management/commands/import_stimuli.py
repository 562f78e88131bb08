"""Imports images and maps made elsewhere as a draft study."""

from __future__ import annotations

import importlib.util
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotation_site.rating.assignment import database_now
from annotation_site.studies.importing.bundles import LARGEST_MANIFEST, Archive, Bundle, BundleError, Folder
from annotation_site.studies.importing.making import KINDS, ImportRefused, Outcome, Wanted, import_stimuli
from annotation_site.studies.importing.manifest import lines
from annotation_site.studies.models import Study
from attribution import records

LISTED = 100


class Command(BaseCommand):
    help = (
        "Import images (PNG, WebP) and maps (npy, npz, grey PNG) made elsewhere as a draft study, or add them to one. "
        "Each line of the manifest is a JSON object; docs/importing.md describes it. If any line is refused nothing is "
        "imported, unless --skip-refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "manifest", type=Path, metavar="MANIFEST", help="a .jsonl, with its files beside it, or a .zip of both"
        )
        parser.add_argument("--study", required=True, metavar="SLUG", help="a new slug, or that of a draft to add to")
        parser.add_argument("--kind", choices=KINDS, default=Study.Kind.LIKERT, help="(default: likert)")
        parser.add_argument("--title", default="", help="of a new study (default: made from the slug)")
        parser.add_argument("--owner", default="", metavar="USER", help="user who becomes a new study's researcher")
        parser.add_argument("--seed", type=int, default=0, help="decides the items' order (default: 0)")
        parser.add_argument("--skip-refused", action="store_true", help="import the lines that are good")
        parser.add_argument(
            "--parse", action="store_true", help="tag every word by the language pipeline (where workers are installed)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["manifest"]
        try:
            with path.open("rb") as file:
                content, bundle = _opened(path, file)
                with tqdm(total=len(list(lines(content))), unit="row", disable=not sys.stderr.isatty()) as bar:
                    outcome = import_stimuli(
                        content,
                        bundle,
                        Wanted(options["study"], options["kind"], options["title"]),
                        source=path.name,
                        now=database_now(),
                        seed=options["seed"],
                        owner=_owner(options["owner"]),
                        skip_refused=options["skip_refused"],
                        parse=_parser() if options["parse"] else None,
                        on_row=lambda: bar.update() and None,
                    )
        except FileNotFoundError as error:
            raise CommandError(f"There is no file {path} (looked for from {Path.cwd()}).") from error
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from error
        except (BundleError, ImportRefused) as error:
            raise CommandError(f"{path}: {error}") from error
        self._say(outcome, path)

    def _say(self, outcome: Outcome, path: Path) -> None:
        for refusal in outcome.refused[:LISTED]:
            self.stderr.write(f"{path}, line {refusal.line}: {refusal.reason}")
        if len(outcome.refused) > LISTED:
            self.stderr.write(f"... and {len(outcome.refused) - LISTED} more.")
        for note in outcome.notes[:LISTED]:
            self.stdout.write(f"Note: {note}.")
        if outcome.study is None:
            raise CommandError(
                f"{len(outcome.refused)} lines are refused, and nothing was imported. Correct them, or "
                "say --skip-refused."
            )
        self.stdout.write(
            f"Draft study {outcome.study.slug!r}: {outcome.items} items of {outcome.images} images from {outcome.rows} "
            f"lines; {len(outcome.refused)} refused."
        )
        self.stdout.write(f"Next: manage.py open_study {outcome.study.slug}")


def _opened(path: Path, file: Any) -> tuple[bytes, Bundle]:
    if path.suffix.lower() == ".zip":
        archive = Archive(file)
        return archive.text(), archive
    content = file.read(LARGEST_MANIFEST + 1)
    if len(content) > LARGEST_MANIFEST:
        raise BundleError(f"the manifest is larger than {LARGEST_MANIFEST >> 20} MiB: split it")
    return content, Folder(path.parent)


def _owner(name: str) -> Any:
    if not name:
        return None
    user = get_user_model().objects.filter(username=name).first()
    if user is None:
        raise ImportRefused(f"There is no user {name!r}: name one that is in the administration.")
    return user


def _parser() -> Any:
    if importlib.util.find_spec("spacy") is None:
        raise ImportRefused("--parse needs the language pipeline: run it where workers are installed, or give tags.")
    from attribution.language.parser import load_parser

    parser = load_parser(settings.ATTEST_LANGUAGE_PIPELINE or None)

    def parse(texts: Sequence[str]) -> Mapping[str, Sequence[records.Word]]:
        return {prompt.text: prompt.words for prompt in parser.parse(list(texts))}

    return parse
