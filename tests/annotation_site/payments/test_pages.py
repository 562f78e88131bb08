"""The pages of payments: who may see them, the whole way from a scheme to paid, and hostile input."""

from __future__ import annotations

import csv
import io

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from annotation_site.payments.models import Batch, Entry, PayScheme
from annotation_site.raters import identities
from annotation_site.studies.members import Member
from tests.annotation_site.payments.conftest import came_by, rated

pytestmark = pytest.mark.django_db
HOME = "/payments/study/"
SCHEME = {"currency": "usd", "per_item": "0.50", "item_seconds_least": 0, "item_seconds_most": 120} | {
    "bonus_checks_percent": 80, "excluded": "work", "by": "", "hourly_minimum": "12",
}  # fmt: skip


@pytest.fixture
def study(make_study):
    return make_study(items=4, seats_per_item=6)


def signed_in(study=None, role: str = "", name: str = "", **fields: object) -> Client:
    user = get_user_model().objects.create(username=name or role, password="set", **fields)
    if study is not None:
        Member.objects.create(study=study, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada(study) -> Client:
    return signed_in(study, "researcher")


def approve(client: Client, *raters) -> None:
    chosen = [rater.pk for rater in raters]
    shown = client.post(f"{HOME}preview/", {"rater": chosen})
    digest = shown.context["shown"].digest
    assert client.post(f"{HOME}approve/", {"rater": chosen, "digest": digest}).status_code == 302


def addresses(study, rater) -> list[tuple[str, str]]:
    one = f"{HOME}raters/{rater.rater.pseudonym}/"
    return [
        ("get", HOME), ("get", f"{HOME}scheme/"), ("post", f"{HOME}scheme/"), ("post", f"{HOME}preview/"),
        ("post", f"{HOME}approve/"), ("get", f"{HOME}ledger.csv"), ("get", f"{HOME}batches/1/"),
        ("get", f"{HOME}batches/1/finance.csv"), ("post", f"{HOME}batches/1/finance.csv"),
        ("post", f"{HOME}batches/1/paid/"), ("get", one), ("post", f"{one}bonus/"), ("post", f"{one}reject/"),
        ("post", f"{HOME}entries/{Entry.objects.first().pk}/take-back/"),
        ("post", f"{HOME}entries/{Entry.objects.first().pk}/try-again/"),
    ]  # fmt: skip


def test_only_those_who_run_the_study_find_its_payments(study, ada, make_study):
    ada.post(f"{HOME}scheme/", SCHEME)
    rater = rated(study)
    approve(ada, rater)
    rows = list(Entry.objects.values())
    others = {
        "viewer": signed_in(study, "viewer"),
        "staff": signed_in(study, "viewer", name="staff", is_staff=True),
        "of another study": signed_in(make_study(items=1, slug="other"), "researcher", name="bob"),
    }
    for method, address in addresses(study, rater):
        assert getattr(Client(), method)(address)["Location"].partition("?")[2].startswith("next=/payments/study/")
        for who, client in others.items():
            assert getattr(client, method)(address, {"reason": "x"}).status_code == 404, (who, address)
    assert list(Entry.objects.values()) == rows
    assert ada.get(HOME).status_code == 200
    root = signed_in(None, "root", is_superuser=True)
    assert root.get(HOME).status_code == 200
    # Links lead there for those who may follow them.
    for address in ("/reports/study/", "/reports/study/live/"):
        assert HOME in root.get(address).content.decode()
        assert HOME not in others["staff"].get(address).content.decode()


def test_from_a_scheme_to_paid(study, ada):
    assert "no pay scheme" in ada.get(HOME).content.decode()
    assert ada.post(f"{HOME}scheme/", SCHEME).status_code == 302
    assert PayScheme.objects.get().per_item == 50
    rater = rated(study, source=came_by(study, "code"))
    identities.store(rater, "person", "=P-123")
    page = ada.get(HOME)
    assert "1.00 USD" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    approve(ada, rater)
    batch = ada.get(f"{HOME}batches/1/").content.decode()
    assert "Download it with the raters' ids" in batch
    plain = rows(ada.get(f"{HOME}batches/1/finance.csv"))
    assert [(row["rater"], row["amount"], row["currency"]) for row in plain] == [(rater.rater.pseudonym, "1.00", "USD")]
    assert "id" not in plain[0]
    # A spreadsheet must take it for text.
    assert rows(ada.post(f"{HOME}batches/1/finance.csv"))[0]["id"] == "'=P-123"
    assert ada.post(f"{HOME}batches/1/paid/", {"total": "100"}).status_code == 422
    for _ in range(2):
        assert ada.post(f"{HOME}batches/1/paid/", {"total": "100", "reference": "t-1"}).status_code == 302
    assert rows(ada.get(f"{HOME}batches/1/finance.csv")) == []
    ledger = rows(ada.get(f"{HOME}ledger.csv"))
    assert [(row["kind"], row["amount"]) for row in ledger] == [
        ("accrual", "1.00"), ("approval", "1.00"), ("payment", "1.00"),
    ]  # fmt: skip
    assert "t-1" in ada.get(f"{HOME}raters/{rater.rater.pseudonym}/").content.decode()


def rows(response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.content.decode())))


def test_a_preview_that_changed_meanwhile_is_shown_anew(study, ada):
    ada.post(f"{HOME}scheme/", SCHEME)
    rater = rated(study)
    digest = ada.post(f"{HOME}preview/", {"rater": rater.pk}).context["shown"].digest
    one = f"{HOME}raters/{rater.rater.pseudonym}/"
    ada.post(f"{one}bonus/", {"amount": "0.30", "reason": "thanks"})
    again = ada.post(f"{HOME}approve/", {"rater": rater.pk, "digest": digest})
    assert again.status_code == 409
    assert "Approve 1.30 USD" in again.content.decode()
    assert not Batch.objects.exists()


def test_a_decision_is_said_and_undone(study, ada):
    ada.post(f"{HOME}scheme/", SCHEME)
    rater = rated(study)
    approve(ada, rater)
    one = f"{HOME}raters/{rater.rater.pseudonym}/"
    page = ada.post(f"{one}hold/", {"reason": "two <accounts>?"}, follow=True).content.decode()
    assert "two &lt;accounts&gt;?" in page
    assert "held back" in page
    assert "neither held" not in ada.post(f"{one}release/", {"reason": "a brother"}, follow=True).content.decode()
    approve(ada, rater)
    approval = Entry.objects.filter(kind="approval").last()
    ada.post(f"{HOME}entries/{approval.pk}/take-back/", {"reason": "slip"})
    assert sum(Entry.objects.filter(kind="approval").values_list("amount", flat=True)) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"currency": "dollars"}, "“dollars” is no currency of today"),
        ({"currency": "US1"}, "three letters"),
        ({"currency": "NON"}, "no currency of today"),
        (
            dict.fromkeys(
                ("base", "per_item", "per_minute", "least", "bonus_complete", "bonus_checks", "screen_out"), ""
            ),
            "This pays nothing",
        ),
        ({"per_item": "0.505"}, "finer than USD can be paid"),
        ({"per_item": "-1"}, "not between"),
        ({"per_item": "9" * 20}, "not between"),
        ({"least": "5", "most": "4"}, "The most is less than the least"),
        ({"item_seconds_least": 130}, "The most is less than the least"),
        ({"item_seconds_most": 4000}, "less than or equal to 3600"),
        ({"bonus_checks_percent": 101}, "less than or equal to 100"),
        ({"by": "somebody"}, "Select a valid choice"),
    ],
)
def test_a_scheme_that_cannot_be_is_explained(study, ada, changes, said):
    response = ada.post(f"{HOME}scheme/", SCHEME | changes)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not PayScheme.objects.exists()


def test_hostile_input_is_refused_in_words(study, ada):
    ada.post(f"{HOME}scheme/", SCHEME)
    rater = rated(study)
    one = f"{HOME}raters/{rater.rater.pseudonym}/"
    for chosen in (["x"], ["-1"], ["9" * 30], ["٣"], []):
        assert ada.post(f"{HOME}preview/", {"rater": chosen}).status_code == 302
        assert ada.post(f"{HOME}approve/", {"rater": chosen, "digest": "x\0"}).status_code == 302
    assert ada.post(f"{HOME}approve/", {"rater": rater.pk, "digest": "0" * 64}).status_code == 409
    for amount in ("0", "-1", "NaN", "1e400", ""):
        ada.post(f"{one}bonus/", {"amount": amount, "reason": "x"})
    ada.post(f"{one}hold/", {"reason": "x\0"})
    assert ada.get(f"{HOME}raters/%00/").status_code == 404
    assert ada.post(f"{one}give/", {"reason": "x"}).status_code == 404
    for address in ("batches/7/", "batches/99999999999999999999/", "raters/R-NOBODY/"):
        assert ada.get(f"{HOME}{address}").status_code == 404
    assert not Entry.objects.exists()
