"""Settings from the environment: what a trial may do and production refuses."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from annotation_site.settings import DEMO_SECRET_KEY

GOOD = {
    "ATTEST_ENV": "production",
    "SECRET_KEY": "a-secret-of-more-than-fifty-characters-made-up-for-this-test-alone-0123456789",
    "DATABASE_URL": "postgres://attest@localhost/attest",
}


def check(**changes: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in GOOD} | GOOD | changes
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_production_settings_pass_the_deployment_checks():
    done = check()
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_the_log_level_is_for_every_line_djangos_too():
    code = """
import logging, django
django.setup()
names = "", "attest", "django", "django.request", "django.server"
print({logging.getLevelName(logging.getLogger(name).getEffectiveLevel()) for name in names})
"""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "annotation_site.settings", "LOG_LEVEL": "CRITICAL"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'CRITICAL'}"


def test_options_of_the_database_url_are_kept(monkeypatch):
    code = "from annotation_site.settings import DATABASES; print(sorted(DATABASES['default']['OPTIONS']))"
    environment = os.environ | GOOD | {"DATABASE_URL": "postgres://attest@localhost/attest?sslmode=require"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['pool', 'sslmode']"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SECRET_KEY": DEMO_SECRET_KEY}, "SECRET_KEY is not set"),
        ({"DEBUG": "1"}, "DEBUG is on"),
        ({"ATTEST_TOUR": "1"}, "ATTEST_TOUR is on"),
        ({"DATABASE_URL": "sqlite:////nowhere.sqlite3"}, "DATABASE_URL names SQLite"),
        ({"ATTEST_ENV": "staging"}, "ATTEST_ENV is 'staging'"),
        ({"LOG_LEVEL": "chatty"}, "LOG_LEVEL is 'CHATTY': say one of DEBUG, INFO"),
    ],
)
def test_production_refuses_what_suits_a_trial_alone(changes, named):
    done = check(**changes)
    assert done.returncode != 0
    assert named in done.stderr
