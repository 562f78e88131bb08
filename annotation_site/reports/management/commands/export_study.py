"""``manage.py export_study SLUG --out DIR``: everything of a study in one folder, for a paper or a repository."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import URLValidator
from tqdm import tqdm

from annotation_site.reports.exports.folders import FolderTaken
from annotation_site.reports.exports.pictures import FileDamaged
from annotation_site.reports.exports.writing import export_study
from annotation_site.reports.loading import rated_items
from annotation_site.studies.lookup import study_or_error


def address(text: str) -> str:
    """A web address, as the command line's type of it."""
    try:
        URLValidator(schemes=["https", "http"])(text)
    except ValidationError:
        raise ArgumentTypeError(f"{text!r} is no address: write it as https://host/path.") from None
    return text


class Command(BaseCommand):
    help = (
        "Write a study to a new folder: every judgement, counted or not, as CSV and Parquet, items with their answers "
        "as JSON lines, images and maps, the layout and card of a Hugging Face dataset, Croissant metadata, a data "
        "statement, a datasheet and CHECKSUMS. Raters are pseudonyms. The same data gives the same bytes. "
        "`manage.py report --from-export DIR` makes the report from that folder alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's short name, as in its address")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to make")
        parser.add_argument(
            "--with-images",
            dest="images",
            action="store_true",
            default=True,
            help="copy images and maps (the default)",
        )
        parser.add_argument("--no-images", dest="images", action="store_false", help="leave images and maps out")
        licence = "licence of the judgements, such as CC-BY-4.0 (default: unstated)"
        parser.add_argument("--license", default="", metavar="NAME", help=licence)
        page = (
            "page where the data is published, for the card and for Croissant, which asks for one (default: unstated)"
        )
        parser.add_argument("--url", type=address, metavar="https://...", help=page)

    def handle(self, *, slug: str, out: Path, images: bool, license: str, url: str | None, **options: Any) -> None:  # noqa: A002
        study = study_or_error(slug)
        total = rated_items(study).count()
        with tqdm(total=total, unit="item", desc=slug, disable=None) as bar:
            try:
                tally = export_study(study, out, images=images, licence=license, url=url or "", on_item=bar.update)
            except (FolderTaken, FileDamaged) as error:
                raise CommandError(str(error)) from error
            except OSError as error:
                raise CommandError(f"Cannot write to {out}: {error.strerror}. Choose another --out.") from error
        self.stdout.write(
            f"{out}: {tally.judgements} judgements ({tally.fates['counted']} counted) on {tally.items} items, "
            f"{tally.images} images. The report from it: manage.py report --from-export {out}"
        )
