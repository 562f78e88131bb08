"""The database itself keeps the ledger: what was written is neither changed nor deleted, and what is added fits."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from annotation_site.payments.approving import approve, preview
from annotation_site.payments.finance import mark_paid
from annotation_site.payments.models import Batch, Entry, PayScheme
from annotation_site.payments.settling import settle
from annotation_site.raters.models import Enrolment
from tests.annotation_site.payments.conftest import after, make_scheme, rated

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(paying) -> Batch:
    rater = rated(paying)
    return approve(paying, [rater.pk], preview(paying, [rater.pk]).digest, by="ada", now=after(100))


@pytest.mark.parametrize("model", [Entry, Batch, PayScheme])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_no_statement_changes_or_deletes_what_was_written(batch, model, statement):
    before = list(model.objects.order_by("pk").values())
    refused = pytest.raises(DatabaseError, match=r"only grows|stays as it is|make a new version")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(model._meta.db_table))
    assert list(model.objects.order_by("pk").values()) == before != []


def test_a_scheme_that_paid_nobody_may_go(paying):
    PayScheme.objects.filter(study=paying).update(per_item=60)
    PayScheme.objects.filter(study=paying).delete()
    assert not PayScheme.objects.exists()


def test_a_study_pays_in_one_currency(paying):
    with pytest.raises(DatabaseError, match="one currency"), transaction.atomic():
        make_scheme(paying, version=2, currency="KRW")


def entry(of: Entry, **fields: object) -> Entry:
    given = {"study": of.study, "enrolment": of.enrolment, "kind": of.kind, "amount": of.amount, "currency": "USD"}
    return Entry.objects.create(**given | {"at": after(200), "by": "ada"} | fields)


def test_an_approval_is_paid_once_and_reversed_once(batch):
    approval = batch.entries.get(kind="approval")
    assert mark_paid(batch, total=100, reference="t-1", by="bob", now=after(200)) == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        settle(approval, reference="again", by="bob", now=after(300))
    entry(approval, amount=-100, reverses=approval, reason="slip")
    with pytest.raises(IntegrityError), transaction.atomic():
        entry(approval, amount=-100, reverses=approval, reason="slip")


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": -99, "reason": "another sum"},
        {"amount": -100, "kind": "bonus", "reason": "another kind"},
        {"amount": -100, "currency": "EUR", "reason": "another currency"},
        {"amount": -100, "reason": ""},
    ],
)
def test_a_reversal_takes_back_exactly_what_was_written(batch, fields):
    approval = batch.entries.get(kind="approval")
    with pytest.raises(DatabaseError), transaction.atomic():
        entry(approval, reverses=approval, **fields)


@pytest.mark.parametrize("amount", [1, 99, 101])
def test_a_payment_pays_exactly_what_was_approved(batch, amount):
    approval = batch.entries.get(kind="approval")
    with pytest.raises(DatabaseError, match="exactly one approval"), transaction.atomic():
        entry(approval, kind="payment", amount=amount, settles=approval)


def test_an_approval_that_was_taken_back_is_not_paid(batch):
    approval = batch.entries.get(kind="approval")
    entry(approval, amount=-100, reverses=approval, reason="slip")
    with pytest.raises(DatabaseError, match="exactly one approval"), transaction.atomic():
        settle(approval, reference="", by="ada", now=after(300))


def test_an_entry_is_of_its_raters_study(batch, make_study):
    other = make_study(items=1, slug="other")
    with pytest.raises(DatabaseError, match="the study that its rater is enrolled in"), transaction.atomic():
        entry(batch.entries.get(kind="approval"), study=other, kind="bonus", reason="a gift")


def test_every_guard_is_there():
    """A later migration that rebuilds a table on SQLite drops its triggers; then this fails."""
    tables = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'payments_%'"
    if connection.vendor == "postgresql":
        tables = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'payments_%'"
    with connection.cursor() as cursor:
        cursor.execute(tables)
        assert cursor.fetchone() == (10,)


def test_a_rater_with_a_ledger_cannot_be_deleted(batch):
    with pytest.raises(DatabaseError), transaction.atomic():
        Enrolment.objects.all().delete()
