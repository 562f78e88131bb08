"""The browser of generations: who sees it, what is found, and words, seeds and recipes side by side."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User

from annotation_site.stimuli.models import Generation, Recipe
from annotation_site.studies.members import Member
from annotation_site.studies.models import Study
from attribution import records

INLINE = re.compile(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)")
NOBODY = "0" * 64


def page(client, address: str, **query: object) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    html = response.content.decode()
    assert not INLINE.search(html)
    return html


def images(html: str) -> list[str]:
    return re.findall(r'alt="Image of: ([^"]*)"', html)


@pytest.mark.parametrize("place", ["", "compare/", "one/", "one/same-prompt/"])
def test_in_production_it_shows_images_of_ones_own_studies(client, make_study, settings, place):
    settings.ATTEST_ENV = "production"
    make_study(items=1)
    address = "/generations/" + place.replace("one", Generation.objects.get().identity)
    assert client.get(address).status_code == 302
    client.force_login(User.objects.create_user("visitor"))
    assert client.get(address).status_code == (404 if "one" in place else 200)
    assert not images(client.get("/generations/").content.decode())
    viewer = User.objects.create_user("viewer")
    Member.objects.create(study=Study.objects.get(), user=viewer, role=Member.Role.VIEWER)
    client.force_login(viewer)
    assert images(client.get("/generations/").content.decode())
    assert client.get(address, follow=True).status_code == 200
    assert client.post(address).status_code == 405


def test_it_says_so_when_nothing_is_drawn_or_found(client, make_study):
    assert "no finished image yet" in page(client, "/generations/")
    make_study(items=1, done=False)
    assert "no finished image yet" in page(client, "/generations/")
    assert "No finished image has such a prompt" in page(client, "/generations/", prompt="cat")


def test_search_by_prompt_word_and_tag(client, make_study):
    make_study(items=3)
    three = [f"a red dog {number} runs" for number in (0, 1, 2)]
    found = {
        (): three,
        (("prompt", "DOG 1"),): three[1:2],
        (("word", "Dog"),): three,
        (("word", "dog"), ("tag", "NOUN")): three,
        # One word must be both.
        (("word", "dog"), ("tag", "VERB")): [],
        (("tag", "NUM"), ("word", "2")): three[2:],
        (("tag", "unknown"),): three,
        (("recipe", str(Recipe.objects.get().pk)),): three,
        (("recipe", "999"),): [],
        (("recipe", "9" * 40), ("word", "\0"), ("page", "x")): three,
        (("prompt", "100%"),): [],
    }
    for query, expected in found.items():
        assert sorted(images(page(client, "/generations/", **dict(query)))) == expected, query


def test_a_page_costs_the_same_queries_however_many_images(client, make_study, django_assert_num_queries):
    make_study(items=26)
    # Count, page, words, recipes.
    with django_assert_num_queries(4):
        html = page(client, "/generations/", tag="NOUN")
    assert len(images(html)) == 24
    assert "?tag=NOUN&amp;page=2" in html
    assert len(images(page(client, "/generations/", tag="NOUN", page=2))) == 2


def test_a_word_is_a_link_to_its_map(client, make_study):
    make_study(items=1)
    identity = Generation.objects.get().identity
    html = page(client, f"/generations/{identity}/", word="6-9")
    links = re.findall(
        r'href="/generations/\w+/\?word=([\d-]+)" data-overlay="([^"]+)"[^>]*?( aria-current="true")?>(\w+)<', html
    )
    assert [(place, text) for place, _, _, text in links] == [
        ("0-1", "a"),
        ("2-5", "red"),
        ("6-9", "dog"),
        ("10-11", "0"),
        ("12-16", "runs"),
    ]
    assert [text for _, _, current, text in links if current] == ["dog"]
    shown = re.search(r'id="overlay"[^>]* src="([^"]+)"', html)[1]
    assert shown == links[2][1]
    assert client.get(shown.replace("&amp;", "&")).headers["Content-Type"] == "image/png"


@pytest.mark.parametrize("query", [{"word": "0-2"}, {"word": "dog"}, {"word": "9" * 30 + "-1"}])
def test_a_word_that_is_not_there_is_not_found(client, make_study, query):
    make_study(items=1)
    for place in ("", "same-prompt/"):
        address = f"/generations/{Generation.objects.get().identity}/{place}"
        assert client.get(address, query).status_code == 404


def test_another_seed_and_recipe_stand_side_by_side(client, make_study, finish):
    make_study(items=1)
    first = Generation.objects.get()
    other = Recipe.objects.ensure(records.Recipe(model="other-model", steps=2, height=64, width=64))
    for recipe, seed in ((first.recipe, first.seed + 1), (other, first.seed)):
        row = records.Generation(prompt=first.prompt.text, recipe=recipe.record(), seed=seed)
        finish(Generation.objects.create(prompt=first.prompt, recipe=recipe, seed=seed, identity=row.identity))
    html = page(client, f"/generations/{first.identity}/", word="6-9")
    same = client.get(re.search(r'id="same" href="([^"]+)"', html)[1])
    assert same.status_code == 302
    html = page(client, same.url)
    assert re.findall(r"seed (-?\d+); ([\w-]+)", html) == [
        (str(first.seed), "test-model"),
        (str(first.seed + 1), "test-model"),
        (str(first.seed), "other-model"),
    ]
    taken_out = re.search(r'<a href="([^"]+)" aria-label="Take', html)[1].replace("&amp;", "&")
    assert len(images(page(client, taken_out))) == 2


def test_the_order_of_the_address_is_kept_and_no_more_than_24_are_shown(client, make_study):
    make_study(items=26)
    rows = list(Generation.objects.order_by("-pk").values_list("identity", "prompt__text"))
    chosen = [f"{identity}:6-9" for identity, _ in rows]
    html = page(client, "/generations/compare/", of=[chosen[0], chosen[0], *chosen[1:]])
    assert images(html) == [prompt for _, prompt in rows[:24]]
    assert "2 more were chosen" in html
    assert "Nothing is chosen" in page(client, "/generations/compare/")


@pytest.mark.parametrize("of", ["x", f"{NOBODY}:0-1", f"{NOBODY}:", "\0"])
def test_a_comparison_of_what_is_not_there_is_not_found(client, db, of):
    assert client.get("/generations/compare/", {"of": of}).status_code == 404


def test_an_image_that_is_not_finished_is_not_shown(client, make_study):
    make_study(items=1, done=False)
    assert client.get(f"/generations/{Generation.objects.get().identity}/").status_code == 404
