"""Makes the images and heat maps of a study."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotation_site.rating.assignment import database_now
from annotation_site.stimuli import bell
from annotation_site.stimuli.models import Generation
from annotation_site.studies.lookup import study_or_error
from annotation_site.studies.models import Study
from annotation_site.worker import fleet
from annotation_site.worker.generation import DeviceLost, StorageUnusable, Tally, counts, precompute, wanted_by
from attribution.errors import AttributionError


class Command(BaseCommand):
    help = (
        "Make the images and heat maps of a study. It can be stopped and started at any time, and several processes "
        "may work at once: each generation is made once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's slug")
        parser.add_argument(
            "--batch-size",
            type=int,
            default=16,
            help="images claimed at once (default: 16); memory decides how many are drawn together",
        )
        parser.add_argument("--limit", type=int, help="stop after this many images")
        parser.add_argument("--retry-failed", action="store_true", help="queue those that failed once more, first")
        parser.add_argument(
            "--celery",
            type=int,
            metavar="WORKERS",
            help="ring for this many Celery workers instead of working here; they draw the most urgent study first",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for name in ("batch_size", "limit", "celery"):
            if options[name] is not None and options[name] < 1:
                raise CommandError(f"--{name.replace('_', '-')} is {options[name]}: it must be at least 1.")
        study = study_or_error(options["slug"])
        mine = wanted_by(study)
        if options["retry_failed"]:
            self.stdout.write(f"{mine.retry_failed()} failed generations queued again.")
        if options["celery"]:
            self._ring(study, options["celery"])
            return
        self._work(study, options)

    def _ring(self, study: Study, workers: int) -> None:
        if not all(bell.send(bell.WORK, expires=bell.MINUTE) for _ in range(workers)):
            raise CommandError(
                "Redis at CELERY_BROKER_URL does not answer, so nobody was rung for: start it, or leave --celery out."
            )
        left = wanted_by(study).exclude(state__in=[Generation.State.DONE, Generation.State.FAILED]).count()
        self.stdout.write(f"Rang for {workers} workers: {left} generations of {study.slug!r} to make.")

    def _work(self, study: Study, options: dict[str, Any]) -> None:
        before = counts(study, now=database_now())
        total = before["left"] if options["limit"] is None else min(before["left"], options["limit"])
        # Seconds an image are shown as a rate; the first batch also loads the model.
        with fleet.Heart(), tqdm(total=total, unit="image", desc=study.slug, smoothing=0.1) as bar:

            def show(tally: Tally) -> None:
                bar.update(tally.all - bar.n)
                bar.set_postfix(failed=len(tally.failed))

            try:
                tally = precompute(
                    wanted_by(study), batch_size=options["batch_size"], limit=options["limit"], on_image=show
                )
            except (AttributionError, StorageUnusable, DeviceLost) as error:
                raise CommandError(str(error)) from error
            finally:
                fleet.strike_off()
        self._report(study, tally)

    def _report(self, study: Study, tally: Tally) -> None:
        for identity, reason in list(tally.failed.items())[:20]:
            self.stderr.write(f"failed {identity[:12]}: {reason}")
        after = counts(study, now=database_now())
        self.stdout.write(
            f"{study.slug}: {tally.done} made now; {after['done']} done, {after['failed']} failed, "
            f"{after['running']} being made elsewhere, {after['left']} left."
        )
        if after["held"]:
            self.stdout.write(f"{after['held']} are held: the study's generation is paused; resume it in the admin.")
        if after["failed"]:
            self.stdout.write(f"Try those that failed again with: manage.py precompute {study.slug} --retry-failed")
