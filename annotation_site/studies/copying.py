"""A study once more: its settings, its words, and, if wanted, its items over the same images. Never its raters."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms.models import model_to_dict
from django.utils.translation import gettext as _

from annotation_site import audit
from annotation_site.studies.members import Member
from annotation_site.studies.models import ConsentText, Item, KnownAnswer, Study, new_completion_code

# What belongs to the one study alone: its name, its state, and the codes that its raters were given.
OWN = (
    "id",
    "slug",
    "title",
    "state",
    "cap",
    "completion_code",
    "screen_out_code",
    "opened_at",
    "closed_at",
    "generation_paused",
    "generation_priority",
)


@transaction.atomic
def copy_study(study: Study, *, slug: str, title: str, owner: User, with_items: bool) -> Study:
    """A draft with this study's settings, texts and consent, run by ``owner``; raises ValidationError.

    With its items, it asks about the same images: withdrawn items stay behind, practice and checks come along.
    Without, it waits for items of its own.
    """
    copy = Study(slug=slug, title=title, **_settings(study))
    copy.clean_fields()
    if Study.objects.filter(slug=slug).exists():
        raise ValidationError({"slug": _("There is a study “%(slug)s” already: choose another.") % {"slug": slug}})
    copy.sampling = {**study.sampling, "copy_of": study.slug}
    if study.screen_out_code:
        copy.screen_out_code = new_completion_code()
    copy.save()
    ConsentText.objects.bulk_create(
        ConsentText(study=copy, version=text.version, locale=text.locale, text=text.text)
        for text in study.consent_texts.all()
    )
    # Only now: a consent of the study's own is looked for among its texts.
    copy.full_clean()
    Member.objects.create(study=copy, user=owner, role=Member.Role.RESEARCHER)
    if with_items:
        _copy_items(study, copy)
    audit.note(copy, "with its items" if with_items else "without its items", copy_of=("", study.slug))
    return copy


def _settings(study: Study) -> dict[str, Any]:
    fields = [field.name for field in Study._meta.concrete_fields if field.editable and field.name not in OWN]
    return model_to_dict(study, fields=fields)


def _copy_items(study: Study, copy: Study) -> None:
    """Each item in use, and its known answer."""
    names = [field.attname for field in Item._meta.concrete_fields if field.name not in {"id", "study"}]
    there = list(study.items.filter(withdrawn_at__isnull=True).order_by("position"))
    made = Item.objects.bulk_create(
        [Item(study=copy, **{name: getattr(item, name) for name in names}) for item in there], batch_size=500
    )
    new = {item.pk: copied for item, copied in zip(there, made, strict=True)}
    answers = [field.name for field in KnownAnswer._meta.concrete_fields if field.name not in {"id", "item"}]
    KnownAnswer.objects.bulk_create(
        KnownAnswer(item=new[known.item_id], **{name: getattr(known, name) for name in answers})
        for known in KnownAnswer.objects.filter(item__study=study, item__withdrawn_at__isnull=True)
    )
