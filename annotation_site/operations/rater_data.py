"""What is stored of a rater: all of it at their request, or nothing by which they could be known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from auditlog.models import LogEntry
from django.db import transaction
from django.db.models import Model
from django.urls import reverse

from annotation_site import audit
from annotation_site.payments.accounts import accounts
from annotation_site.payments.models import Errand
from annotation_site.raters import identities
from annotation_site.raters.identities import Identity
from annotation_site.raters.models import Enrolment, Invitation, Rater, new_pseudonym, new_token
from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement
from annotation_site.recruitment.models import Submission
from annotation_site.webhooks.events import completion_data, completion_key
from annotation_site.webhooks.models import Delivery, Event

ERASED = "erased at the rater's request"
# Links let in whoever has them, and a ledger's row names the account that decided: neither is about the person.
NOT_THEIRS = ("token", "link", "by")


def find(name: str) -> Rater | None:
    """The rater of a pseudonym, or of the link (or its secret part) that the person still has."""
    secret = name.rstrip("/").split("/rate/")[-1].split("/")[0]
    return Rater.objects.filter(pseudonym=name).first() or Rater.objects.filter(enrolments__token=secret).first()


def exported(rater: Rater) -> dict[str, Any]:
    """Every row about the rater, whichever part of the site keeps it; what is encrypted, as it was told."""
    return {"rater": _columns(rater), "enrolments": [_enrolment(row) for row in rater.enrolments.all()]}


def handed_out(rater: Rater) -> dict[str, Any]:
    """What the rater may take along by one of their links: everything but other links and the names of staff."""
    told = exported(rater)
    return {"rater": told["rater"], "enrolments": [_theirs(part) for part in told["enrolments"]]}


@transaction.atomic
def erase_by_link(token: str, *, uncount: bool, now: datetime) -> bool:
    """Erase whose link it is; False when the link leads nowhere, as after a first call."""
    found = Enrolment.objects.select_for_update(of=("self",)).filter(token=token).select_related("rater").first()
    if found is None:
        return False
    erase(found.rater, uncount=uncount, now=now)
    return True


@transaction.atomic
def erase(rater: Rater, *, uncount: bool, now: datetime) -> None:
    """Cut the rater's answers off from the person. With ``uncount`` the answers are not counted any more either."""
    before = rater.pseudonym
    for enrolment in rater.enrolments.select_for_update():
        assignment.release_all(enrolment)
        identities.forget(enrolment)
        Judgement.objects.filter(enrolment=enrolment).update(viewport="", locale="", renderer="", views=[])
        Invitation.objects.filter(enrolment=enrolment, revoked_at__isnull=True).update(revoked_at=now)
        if not _has_to_do_with_money(enrolment):
            # With it go the words by which a platform was told to pay nothing: they hang on the submission.
            Submission.objects.filter(enrolment=enrolment).update(enrolment=None)
        if uncount:
            enrolment.exclude(ERASED, now)
        Enrolment.objects.filter(pk=enrolment.pk).update(external_hash="", locale="", token=new_token())
    rater.pseudonym = new_pseudonym()
    rater.save(update_fields=["pseudonym"])
    _rename(rater)
    audit.note(rater, ERASED, pseudonym=(audit.hidden(before), rater.pseudonym))


def _has_to_do_with_money(enrolment: Enrolment) -> bool:
    """Whether the rater was paid, is owed anything, or is one of whom the payer is still to be told."""
    untold = Errand.objects.filter(entry__enrolment=enrolment, state__in=[Errand.State.WAITING, Errand.State.CLAIMED])
    return untold.exists() or any(each.paid or each.owed for each in accounts(enrolment.study, only=[enrolment.pk]))


def _rename(rater: Rater) -> None:
    """What tells of the rater beside their rows tells the new pseudonym: the log, and word of where they finished."""
    parts = list(rater.enrolments.select_related("study"))
    for row in (rater, *parts):
        LogEntry.objects.get_for_object(row).update(object_repr=str(row))
    finished = Delivery.objects.filter(event=Event.COMPLETED, key__in=[completion_key(part) for part in parts])
    finished.update(data=completion_data(rater))


def _enrolment(enrolment: Enrolment) -> dict[str, Any]:
    rows = _columns(enrolment) | {"study": enrolment.study.slug, "link": reverse("rate", args=[enrolment.token])}
    for relation in Enrolment._meta.related_objects:
        model = relation.related_model
        found = model._base_manager.filter(**{relation.field.name: enrolment}).order_by("pk")
        rows[str(model._meta.verbose_name)] = [_told(row) for row in found]
    return rows


def _theirs(part: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in part.items() if name not in NOT_THEIRS}
    return {name: [_theirs(row) for row in value] if _rows(value) else value for name, value in kept.items()}


def _rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _told(row: Model) -> dict[str, Any]:
    if isinstance(row, Identity):
        return {"kind": row.kind, "value": identities.reveal(row.enrolment, row.kind)}
    return _columns(row)


def _columns(row: Model) -> dict[str, Any]:
    return {field.name: field.value_from_object(row) for field in row._meta.concrete_fields}
