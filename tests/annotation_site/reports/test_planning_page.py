"""The planning page: the command's numbers, and bad input named beside its field."""

from __future__ import annotations

import html

import pytest
from django.core.management import call_command

ADDRESS = "/reports/-/planning/"


def text(client, status: int = 200, **given: object) -> str:
    response = client.get(ADDRESS, given)
    assert response.status_code == status
    return html.unescape(response.content.decode())


@pytest.mark.django_db
def test_it_opens_on_the_paper_s_contrast_and_is_linked(client):
    shown = text(client)
    # The pooled z of 61% against 52%: 234 observed, 476 for a power of 80%.
    assert "from 234 images a condition" in shown
    assert "476" in shown
    assert ADDRESS in client.get("/reports/").content.decode()


@pytest.mark.django_db
def test_the_page_says_what_the_command_says(client, capsys):
    call_command("plan_study", "--means", "3", "3.5", "4", "--per-group", "60")
    printed = capsys.readouterr().out
    shown = text(client, means="3; 3.5, 4", per_group=60)
    for line in (printed.splitlines()[0], printed.splitlines()[-1]):
        assert line in shown
    assert "Means 3 and 3 are equal: no size finds nothing." in text(client, means="3 3")
    # Design effect 1 + 4 x 0.25: twice 476.
    assert "952" in text(client, images_a_pair=5, correlation=0.25)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"share_1": "1.5"}, "less than or equal to 1"),
        ({"share_1": "0.5", "share_2": "0.5"}, "no size finds a difference of nothing"),
        ({"share_1": "nan"}, "Enter a number"),
        ({"means": "3 high"}, "“high” is no number"),
        ({"means": "3 9"}, "“9” is not between 1 (bad) and 5"),
        ({"means": "nan 3"}, "“nan” is not between"),
        ({"means": "3"}, "give the means of at least two tags"),
        ({"means": "3 " * 18}, "18 means: give at most 17"),
        ({"per_group": "0"}, "greater than or equal to 1"),
        ({"per_group": "1", "images_a_pair": "9", "correlation": "1"}, "units per group: give at least 1"),
        ({"alpha": "<script>"}, "Enter a number"),
    ],
)
def test_bad_input_is_named(client, given, said):
    shown = text(client, 422, **given)
    assert said in shown
    assert 'id="plan"' not in shown


def test_in_production_it_is_for_staff(client, db, settings):
    settings.ATTEST_ENV = "production"
    assert client.get(ADDRESS).status_code == 302
