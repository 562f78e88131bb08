"""A researcher's home: own studies and their next step, moving them on, their members, and copies."""

from __future__ import annotations

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.urls import reverse

from annotation_site.rating.models import Judgement
from annotation_site.rating.simulation import simulate
from annotation_site.studies.copying import copy_study
from annotation_site.studies.members import Member, add_member, remove_member
from annotation_site.studies.models import ConsentText, KnownAnswer, Study

pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(make_study) -> User:
    user = User.objects.create_user("rosa", "rosa@example.org")
    user.groups.add(Group.objects.get(name="researchers"))
    return user


@pytest.fixture
def draft(make_study, rosa) -> Study:
    study = make_study(opened=False)
    Member.objects.create(study=study, user=rosa)
    return study


@pytest.fixture
def browser(client, rosa):
    client.force_login(rosa)
    return client


def move(browser, to: str, **sent: str):
    return browser.post(reverse("research-move", args=["study", to]), sent, follow=True)


def test_home_lists_own_studies_alone_with_their_next_step(browser, draft, make_study):
    Study.objects.filter(pk=make_study(slug="anothers").pk).update(title="Anothers")
    page = browser.get(reverse("research-home")).content.decode()
    assert "Check and open it" in page
    assert "Anothers" not in page


def test_simulated_answers_take_places_and_are_named(browser, draft):
    move(browser, "open")
    simulate(Study.objects.get(slug="study"), raters=2, seed=0)
    page = browser.get(reverse("research-study", args=["study"])).content.decode()
    assert "8 of them by simulated raters" in page
    assert "8 / 12" in page
    assert "0 answers so far" in browser.get("/").content.decode()


def test_home_asks_a_fixed_number_of_questions(browser, draft, rosa, make_study, django_assert_max_num_queries):
    for number in range(3):
        Member.objects.create(study=make_study(slug=f"s{number}", items=1, opened=False), user=rosa)
    with django_assert_max_num_queries(14):
        browser.get(reverse("research-home"))


def test_a_study_is_opened_paused_and_closed(browser, draft):
    way = [
        ("open", "is open, with 12 places", ""),
        ("pause", "is paused: nothing more is handed out", "A wrong consent text."),
        ("resume", "is open again", " "),
        ("close", "is closed for good", "Enough answers."),
    ]
    for to, said, reason in way:
        page = browser.get(reverse("research-study", args=["study"])).content.decode()
        assert reverse("research-move", args=["study", to]) in page
        assert said in move(browser, to, reason=reason).content.decode()
    draft.refresh_from_db()
    assert draft.state == "closed"
    assert list(draft.changes.values_list("state", flat=True)) == ["open", "paused", "open", "closed"]
    notes = LogEntry.objects.get_for_object(draft).filter(actor__username="rosa").order_by("pk")
    assert [(note.additional_data or {}).get("reason", "") for note in notes] == [
        reason.strip() for _to, _said, reason in way
    ]


def test_a_move_that_is_not_possible_any_more_or_says_too_much_changes_nothing(browser, draft):
    move(browser, "open")
    assert "is open: nothing was changed" in move(browser, "resume").content.decode()
    assert "at most 500 characters" in move(browser, "pause", reason="x" * 501).content.decode()
    draft.refresh_from_db()
    assert draft.state == "open"
    assert browser.post("/research/studies/study/delete/").status_code == 404


def test_moves_are_said_in_the_researchers_language(browser, draft):
    address, korean = reverse("research-move", args=["study", "open"]), {"Accept-Language": "ko"}
    assert "자리 12개를 만듭니다" in browser.get("/research/studies/study/", headers=korean).content.decode()
    assert "자리 12개" in browser.post(address, headers=korean, follow=True).content.decode()


def test_what_raters_are_told_is_stored_while_the_study_runs(browser, draft):
    move(browser, "open")
    address = reverse("research-about", args=["study"])
    told = {"organisation": "University of Testing", "contact": "rosa@example.org", "expected_minutes": "12"}
    assert browser.post(address, told).status_code == 302
    draft.refresh_from_db()
    assert (draft.organisation, draft.expected_minutes, draft.listed, draft.state) == (
        told["organisation"], 12, False, "open",
    )  # fmt: skip
    assert told["organisation"] in browser.get(address).content.decode()


@pytest.mark.parametrize(("name", "wrong"), [("contact", "rosa"), ("expected_minutes", "0"), ("data_kept", "x" * 201)])
def test_what_raters_cannot_be_told_is_refused_at_its_field(browser, draft, name, wrong):
    refused = browser.post(reverse("research-about", args=["study"]), {name: wrong})
    assert refused.status_code == 422
    assert f'id="id_{name}_error"' in refused.content.decode()
    draft.refresh_from_db()
    assert (draft.contact, draft.listed) == ("", True)


def test_what_keeps_a_draft_from_opening_is_said(browser, draft):
    draft.items.all().delete()
    page = browser.get(reverse("research-study", args=["study"])).content.decode()
    assert "has no items" in page
    assert "disabled" in page
    assert "has no items" in move(browser, "open").content.decode()


def test_viewers_read_and_move_nothing(client, draft):
    vera = add_member(draft, str(User.objects.create_user("vera")), Member.Role.VIEWER).user
    client.force_login(vera)
    address = reverse("research-move", args=["study", "open"])
    page = client.get(reverse("research-study", args=["study"])).content.decode()
    assert "Open to raters" not in page
    assert address not in page
    assert client.post(address).status_code == 404


def test_members_come_by_name_or_address_and_the_last_researcher_stays(draft, rosa):
    User.objects.create_user("Vera", "vera@example.org")
    assert add_member(draft, " VERA@example.org ", Member.Role.VIEWER).role == "viewer"
    with pytest.raises(ValidationError, match="at least one researcher"):
        remove_member(draft, draft.members.get(user=rosa).pk)
    with pytest.raises(ValidationError, match="at least one researcher"):
        add_member(draft, "rosa", Member.Role.VIEWER)
    assert add_member(draft, "Vera", Member.Role.RESEARCHER).role == "researcher"
    assert remove_member(draft, draft.members.get(user=rosa).pk)
    assert list(draft.members.values_list("user__username", flat=True)) == ["Vera"]


def test_an_unknown_account_is_said_at_the_field(browser, draft):
    refused = browser.post(reverse("research-members", args=["study"]), {"name": "nobody", "role": "viewer"})
    assert refused.status_code == 422
    assert "No account is called “nobody”" in refused.content.decode()
    assert browser.post(reverse("research-members", args=["study"]), {"name": "", "role": "x"}).status_code == 422


def test_another_studys_member_is_not_removed(browser, draft, make_study):
    other = Member.objects.create(study=make_study(slug="other"), user=User.objects.create_user("max"))
    browser.post(reverse("research-member-remove", args=["study", other.pk]))
    assert Member.objects.filter(pk=other.pk).exists()


def test_a_copy_has_the_settings_and_items_and_nothing_of_the_raters(draft, rosa):
    ConsentText.objects.create(study=draft, version="own-1", locale="en", text="Do you agree?")
    Study.objects.update(consent_version="own-1", seats_per_item=5, screen_out_code="OUT")
    draft.refresh_from_db()
    first = draft.items.first()
    copy = copy_study(draft, slug="again", title="Again", owner=rosa, with_items=True)
    assert (copy.state, copy.seats_per_item, copy.opened_at, copy.cap) == ("draft", 5, None, None)
    assert copy.completion_code != draft.completion_code
    assert copy.screen_out_code not in {"", "OUT"}
    assert copy.items.count() == 4
    assert copy.items.first().generation_id == first.generation_id
    assert copy.consent_texts.get().text == "Do you agree?"
    assert list(copy.members.values_list("user", "role")) == [(rosa.pk, "researcher")]
    assert not Judgement.objects.filter(seat__study=copy).exists()
    assert not KnownAnswer.objects.filter(item__study=copy).exists()
    assert draft.items.count() == 4


def test_withdrawn_items_stay_behind(draft, rosa):
    from annotation_site.rating.assignment import withdraw_item

    withdraw_item(draft.items.first(), reason="faces")
    assert copy_study(draft, slug="again", title="Again", owner=rosa, with_items=True).items.count() == 3
    assert not copy_study(draft, slug="bare", title="Bare", owner=rosa, with_items=False).items.exists()


def test_the_copy_page_offers_a_free_name_and_refuses_a_taken_one(browser, draft):
    address = reverse("research-copy", args=["study"])
    assert 'value="study-2"' in browser.get(address).content.decode()
    refused = browser.post(address, {"title": "Again", "slug": "study", "items": "with"})
    assert refused.status_code == 422
    assert browser.post(address, {"title": "Again", "slug": "study-2", "items": "with"}).status_code == 302
    assert "study-3" in browser.get(address).content.decode()
