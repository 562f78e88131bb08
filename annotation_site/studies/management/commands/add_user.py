"""A new account, and the link by which its owner sets a password."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from annotation_site.accounts.people import add_user, password_path
from annotation_site.accounts.roles import Role
from annotation_site.studies.lookup import study_or_error
from annotation_site.studies.members import Member


class Command(BaseCommand):
    help = (
        "Make an account: an admin sees and runs everything, a researcher makes studies and runs their own, a viewer "
        "reads the reports of the studies named. Prints a link by which the person sets a password, once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the name to sign in with")
        parser.add_argument("--role", choices=Role.values, default=Role.RESEARCHER, help="default: researcher")
        parser.add_argument("--study", action="append", default=[], help="a study to have a part in; repeatable")
        parser.add_argument("--email", default="", help="address for alerts")
        parser.add_argument("--again", action="store_true", help="the account is there: print a new link for it")

    def handle(self, *args: Any, **options: Any) -> None:
        name, role = options["name"], Role(options["role"])
        if role is Role.ADMIN and options["study"]:
            raise CommandError("An admin has a part in every study: leave --study out.")
        user = _known(name) if options["again"] else _new(name, role, options["study"], options["email"])
        days = settings.PASSWORD_RESET_TIMEOUT // 86400
        self.stdout.write(
            f"{user.username} sets a password at\n{settings.SITE_ADDRESS}{password_path(user)}\n"
            f"The link works once, for {days} days. Give it to nobody else."
        )


@transaction.atomic
def _new(name: str, role: Role, slugs: list[str], email: str) -> User:
    try:
        user = add_user(name, role, email=email)
    except ValidationError as error:
        raise CommandError(f"No account was made. {' '.join(error.messages)}") from error
    for slug in slugs:
        Member.objects.create(study=study_or_error(slug), user=user, role=role)
    return user


def _known(name: str) -> User:
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active account {name!r}: leave --again out to make it.")
    return user
