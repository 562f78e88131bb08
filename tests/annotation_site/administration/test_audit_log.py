"""The audit log's page: found by study, actor, kind, day and name; changed by nobody; without counting or secrets."""

from __future__ import annotations

import random

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation_site import audit
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.studies.models import Study

pytestmark = pytest.mark.django_db
LIST = reverse("admin:auditlog_logentry_changelist")


@pytest.fixture
def happened(make_study, admin_client) -> Study:
    """Two studies; in one of them a rater was excluded by the admin, an item withdrawn and seats taken back."""
    make_study(slug="another", items=1)
    study = make_study(items=2)
    rater = Enrolment.objects.create(
        rater=Rater.objects.create(pseudonym="R-CANARY"), study=study, external_hash="x" * 64
    )
    assignment.claim_next(rater, rng=random.Random(0))
    address = reverse("admin:raters_enrolment_do", args=["exclude"]) + f"?ids={rater.pk}"
    admin_client.post(address, {"reason": "answered at random"})
    with audit.by("manage.py tidy (someone)"):
        assignment.withdraw_item(study.items.first(), reason="nothing is to be seen")
    rater.renew_link("it was lost")
    return study


def listed(client, **query: object) -> list[tuple[str, ...]]:
    """What the list says of each entry: who, what, changed, why."""
    response = client.get(LIST, query)
    model_admin, rows = response.context["cl"].model_admin, response.context["cl"].result_list
    return [
        (model_admin.who(row), str(model_admin.what(row)), model_admin.changed(row), model_admin.why(row))
        for row in rows
    ]


def test_who_did_what_to_what_and_why(admin_client, happened):
    lost, withdrawn, excluded = listed(admin_client)[:3]
    assert excluded[0] == "admin"
    assert "R-CANARY in study</a>" in excluded[1]
    assert excluded[2].startswith("excluded at: nothing → ")
    assert excluded[3] == "answered at random"
    assert (withdrawn[0], withdrawn[3]) == ("manage.py tidy (someone)", "nothing is to be seen")
    assert lost[2] == "token: [hidden]"
    entry = LogEntry.objects.order_by("-id").first()
    page = admin_client.get(reverse("admin:auditlog_logentry_change", args=[entry.pk])).content.decode()
    assert "it was lost" in page
    for secret in (Enrolment.objects.get().token, "x" * 64):
        assert secret not in page + admin_client.get(LIST).content.decode()


def test_it_is_found_by_study_actor_kind_day_and_name(admin_client, happened):
    whole = len(listed(admin_client))
    own = listed(admin_client, study=happened.pk)
    other = listed(admin_client, study=Study.objects.get(slug="another").pk)
    assert len(own) == whole - len(other) - len(listed(admin_client, what="auth.user"))
    assert not any("another" in what for _, what, *_ in own)
    assert [row[0] for row in listed(admin_client, who=_admin())] == ["admin"]
    assert {row[0] for row in listed(admin_client, who="nobody")} >= {"manage.py tidy (someone)"}
    assert [row[3] for row in listed(admin_client, what="studies.item")] == ["nothing is to be seen"]
    assert len(listed(admin_client, q="R-CANARY")) == 2
    assert listed(admin_client, timestamp_from="2001-01-01", timestamp_to="2001-12-31") == []
    days = {f"timestamp_{end}": f"{LogEntry.objects.latest('id').timestamp:%Y-%m-%d}" for end in ("from", "to")}
    assert len(listed(admin_client, **days)) == whole


def _admin() -> int:
    return LogEntry.objects.filter(actor__isnull=False).first().actor_id


@pytest.mark.parametrize(
    "query", [{"study": "x"}, {"who": "²"}, {"what": "studies.nothing"}, {"timestamp_to": "soon"}, {"p": "99"}]
)
def test_a_filter_that_makes_no_sense_is_no_fault(admin_client, happened, query):
    assert admin_client.get(LIST, query).status_code == 200


def test_nobody_adds_changes_or_deletes(admin_client, happened):
    entry = LogEntry.objects.first()
    own = [reverse(f"admin:auditlog_logentry_{name}", args=[entry.pk]) for name in ("change", "delete")]
    for address in (*own, reverse("admin:auditlog_logentry_add")):
        assert admin_client.post(address, {"post": "yes"}).status_code == 403
    admin_client.post(LIST, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    assert LogEntry.objects.filter(pk=entry.pk).exists()


def test_the_entries_are_not_counted_and_cost_few_queries(admin_client, happened):
    admin_client.get(LIST)
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(LIST, {"study": happened.pk})
    of_the_log = [query["sql"] for query in queries if "auditlog_logentry" in query["sql"]]
    assert len(of_the_log) == 1
    assert "COUNT(" not in of_the_log[0]
    assert "LIMIT" in of_the_log[0]
