"""The study at Prolific from the command line: what the Recruitment page does."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from annotation_site.rating.assignment import database_now
from annotation_site.recruitment import drafts, paying
from annotation_site.recruitment.client import Prolific, connect
from annotation_site.recruitment.errors import RecruitmentError
from annotation_site.recruitment.hooks import SUBSCRIBED
from annotation_site.recruitment.models import Action, ProlificStudy
from annotation_site.recruitment.submissions import counts, sync
from annotation_site.studies.lookup import study_or_error

STEPS = ("show", "create", "publish", "pause", "start", "stop", "sync", "settle", "send-again", "subscribe")


class Command(BaseCommand):
    help = (
        "Recruit at Prolific: show what would be sent, create the draft, publish, pause, start or stop it, sync its "
        "submissions, settle payments without an answer, send-again a bonus (--key) that Prolific does not list a day "
        "later, or subscribe to its events. The draft itself is written on the study's Recruitment page."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="slug of the study")
        parser.add_argument("step", choices=STEPS, help="what to do")
        parser.add_argument("--source", default="", help="name of the way in, where the study has several at Prolific")
        parser.add_argument("--site", default="http://localhost:8000", help="address of this site, as raters reach it")
        parser.add_argument("--key", default="", help="send-again: the key of the bonus, as settle prints it")
        parser.add_argument("--workspace", default="", help="subscribe: Prolific's id of your workspace")

    def handle(self, *args: Any, **options: Any) -> None:
        study = _prolific_study(options["study"], options["source"])
        if options["step"] == "show":
            sent = drafts.payload(study, options["site"].rstrip("/"))
            self.stdout.write(json.dumps(sent, indent=2, ensure_ascii=False))
            return
        try:
            with connect() as api:
                self.stdout.write(_done(study, api, options))
        except RecruitmentError as error:
            raise CommandError(str(error)) from error


def _prolific_study(slug: str, name: str) -> ProlificStudy:
    found = ProlificStudy.objects.filter(source__study=study_or_error(slug)).select_related("source__study")
    if name:
        found = found.filter(source__name=name)
    rows = list(found)
    if len(rows) == 1:
        return rows[0]
    names = ", ".join(row.source.name for row in rows)
    raise CommandError(
        f"Several ways in are at Prolific: name one with --source ({names})."
        if rows
        else f"Study {slug!r} has no way in from Prolific: add one on its Recruitment page."
    )


def _done(study: ProlificStudy, api: Prolific, options: dict[str, Any]) -> str:
    step, now, site = options["step"], database_now(), options["site"].rstrip("/")
    if step == "create":
        drafts.create(study, api, site=site, now=now)
        return f"The draft is {study.prolific_id} at Prolific."
    if step == "sync":
        drafts.look(study, api, now=now)
        number = sync(study, api, now=now)
        return f"{number} submissions: " + ", ".join(f"{count} {status}" for status, count in counts(study))
    if step == "settle":
        return _settle(study, api)
    if step == "send-again":
        action = Action.objects.filter(submission__prolific_study=study, key=options["key"]).first()
        if action is None:
            raise CommandError(
                f"There is no bonus with the key {options['key']!r}: settle lists those without an answer."
            )
        return str(paying.send_again(action, api, now=now))
    if step == "subscribe":
        return _subscribe(api, site, options["workspace"])
    drafts.move(study, step, api, now=now)
    return f"At Prolific the study is {study.status} now."


def _settle(study: ProlificStudy, api: Prolific) -> str:
    """Ask again about all that has no answer; what each became."""
    done = (Action.State.DONE, Action.State.REFUSED)
    open_ones = Action.objects.filter(submission__prolific_study=study).exclude(state__in=done)
    lines = [f"{action.key}: {paying.perform(action, api, now=database_now())}" for action in open_ones]
    return "\n".join(lines) or "Nothing is waiting for an answer."


def _subscribe(api: Prolific, site: str, workspace: str) -> str:
    if not workspace or not site.startswith("https://"):
        raise CommandError("Name --workspace, and --site with https://, where Prolific can reach it.")
    target = site + reverse("prolific-hook")
    numbers = [api.subscribe(event, target, workspace) for event in SUBSCRIBED]
    return f"Prolific tells {target} of {', '.join(SUBSCRIBED)} now ({', '.join(numbers)})."
