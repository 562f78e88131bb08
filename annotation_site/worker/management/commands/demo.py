"""A running site with two small studies of the shipped world, from nothing."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from annotation_site.accounts.demo import demo_researcher
from annotation_site.rating import assignment
from annotation_site.stimuli.recipes import recipe_of
from annotation_site.studies.members import Member
from annotation_site.studies.models import Study
from annotation_site.worker.known_items import NothingKnown, add_gold, add_instructed, add_practice
from annotation_site.worker.sampling import Draw, presence_study, sample_study
from attribution.errors import AttributionError

LIKERT, PRESENCE = "demo", "demo-presence"
PRESENCE_PROMPTS = 8
# One judgement scores a pair, so that a single visitor sees the report change; real studies ask three raters.
RULES: dict[str, Any] = {
    "seats_per_item": 1,
    "cap_share": 1.0,
    "check_every": 8,
    "break_every": 20,
}
PRACTICE_ITEMS, GOLD_ITEMS, INSTRUCTED_ITEMS = 3, 4, 2


class Command(BaseCommand):
    help = (
        "Prepare the database, make two small studies of the shipped tiny world, generate their images and heat maps, "
        "open them and serve the site. What is there already is kept, so repeats are quick."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--pairs", type=int, default=4, help="word-prompt pairs of each tag (default: 4)")
        parser.add_argument("--port", type=int, default=8000, help="port of the site (default: 8000)")
        parser.add_argument("--no-serve", action="store_true", help="prepare everything and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("ATTEST_ENV is 'production': the demo makes an administrator and studies of its own.")
        if options["pairs"] < 1 or not 0 < options["port"] < 65536:
            raise CommandError(
                f"--pairs {options['pairs']}, --port {options['port']}: give at least 1, and 1 to 65535."
            )
        call_command("migrate", verbosity=0)
        try:
            self._make_studies(options["pairs"])
        except AttributionError as error:
            raise CommandError(str(error)) from error
        for slug in (LIKERT, PRESENCE):
            self._generate_and_open(slug)
        for study in Study.objects.filter(slug__in=(LIKERT, PRESENCE)):
            Member.objects.get_or_create(study=study, user=demo_researcher())
        self._print_addresses(options["port"])
        if not options["no_serve"]:
            _serve(options["port"])

    def _make_studies(self, pairs: int) -> None:
        recipe = recipe_of(settings.ATTEST_MODEL)
        common: dict[str, Any] = {"recipe": recipe, "pipeline": settings.ATTEST_LANGUAGE_PIPELINE}
        kept = Study.objects.filter(slug=LIKERT).first()
        if kept is not None and kept.sampling.get("per_tag") != pairs:
            self.stdout.write(
                f"The study {LIKERT!r} is there with {kept.sampling.get('per_tag')} pairs a tag and is kept. "
                f"For {pairs}, start over in another folder: ATTEST_DATA=var/another make demo PAIRS={pairs}"
            )
        if kept is None:
            title = "Does the highlighting fit the word?"
            draw = Draw(per_tag=pairs, seed=0)
            sample_study(source="tinyworld", slug=LIKERT, title=title, draw=draw, **RULES, **common)
        if not Study.objects.filter(slug=PRESENCE).exists():
            title = "Which of the two things are there?"
            presence_study(slug=PRESENCE, title=title, prompts=PRESENCE_PROMPTS, seed=0, **RULES, **common)

    def _generate_and_open(self, slug: str) -> None:
        call_command("precompute", slug, stdout=self.stdout, stderr=self.stderr)
        study = Study.objects.get(slug=slug)
        if study.state == Study.State.DRAFT:
            self._add_known_items(study)
            assignment.open_study(study)

    def _add_known_items(self, study: Study) -> None:
        """A short practice and a few checks, so that a visitor meets the whole way."""
        add_instructed(study, INSTRUCTED_ITEMS)
        try:
            add_practice(study, PRACTICE_ITEMS)
            add_gold(study, GOLD_ITEMS)
        except NothingKnown as reason:
            self.stdout.write(f"{study.slug} opens without practice and gold. {reason}")

    def _print_addresses(self, port: int) -> None:
        site = f"http://localhost:{port}"
        self.stdout.write(
            f"\nGuided tour:          {site}/\n"
            f"Rate heat maps:       {site}/studies/{LIKERT}/\n"
            f"Rate object presence: {site}/studies/{PRESENCE}/\n"
            f"Follow the report:    {site}/reports/{LIKERT}/\n"
            f"Administration:       {site}/admin/   {self._administrator()}\n"
        )

    def _administrator(self) -> str:
        """Credentials of the demo's administrator: a new password each time until somebody has logged in with one."""
        user, _ = get_user_model().objects.get_or_create(
            username="admin", defaults={"is_staff": True, "is_superuser": True}
        )
        if user.last_login:
            return "user admin, your password (manage.py changepassword admin sets another)"
        password = secrets.token_urlsafe(12)
        user.set_password(password)
        user.save()
        return f"user admin, password {password}"


def _serve(port: int) -> None:
    """Become the web server: a process of its own, without what generation has loaded, and a worker beside it."""
    address = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "annotation_site.wsgi", "--bind", address, "--threads", "8"]
    sys.stdout.flush()
    # Only what serves the demo has the tour, and its one click that signs in; other processes of the site have neither.
    os.environ["ATTEST_TOUR"] = "on"
    # What is ordered in the browser is drawn meanwhile; it ends with the server, whose process number this one keeps.
    subprocess.Popen([sys.executable, "manage.py", "work", "--beside", str(os.getpid())], cwd=settings.BASE_DIR)
    os.execv(sys.executable, command)  # noqa: S606 - fixed command, no shell
