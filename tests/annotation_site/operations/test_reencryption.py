"""A new key, everything brought under it, and the old key taken away."""

from __future__ import annotations

import uuid

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from annotation_site.api.models import Reply
from annotation_site.encryption import Unreadable, decrypt, encrypt
from annotation_site.operations import reencryption
from annotation_site.raters import identities
from annotation_site.raters.identities import Identity
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.assignment import database_now
from annotation_site.webhooks import changes

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


def read_all(enrolment, webhook, user) -> tuple:
    """What the site reads of each, as the site reads it."""
    webhook.refresh_from_db()
    second, codes = [Authenticator.objects.get(user=user, type=kind) for kind in ("totp", "recovery_codes")]
    return (
        identities.reveal(enrolment, "prolific"),
        webhook.secret,
        decrypt(second.data["secret"]),
        RecoveryCodes(codes).get_unused_codes(),
        decrypt(Reply.objects.get().body),
    )


def test_after_renewing_the_old_key_is_not_needed(settings, make_study, django_user_model, capsys):
    settings.ENCRYPTION_KEYS, settings.SECRET_KEY = [OLD], "one secret"
    user = django_user_model.objects.create_user("ada")
    enrolment = Enrolment.objects.create(rater=Rater.objects.create(), study=make_study(items=1))
    identities.store(enrolment, "prolific", "5f3c9")
    webhook, _secret = changes.register(user, address="https://example.org/hook", events=["study.closed"])
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(user)
    Reply.objects.create(
        user=user, key=uuid.UUID(int=1), request="digest", status=201, body=encrypt("{}"), created_at=database_now()
    )
    before = read_all(enrolment, webhook, user)

    settings.ENCRYPTION_KEYS = [NEW, OLD]
    call_command("renew_encryption")
    assert capsys.readouterr().out.count(": 1 under the newest key") == 3
    settings.ENCRYPTION_KEYS, settings.SECRET_KEY = [NEW], "another secret"
    assert read_all(enrolment, webhook, user) == before


def test_a_row_that_is_changed_meanwhile_is_renewed_as_it_is_then(settings, django_user_model, monkeypatch):
    settings.ENCRYPTION_KEYS = [OLD]
    for name in ("first", "second"):
        RecoveryCodes.activate(django_user_model.objects.create_user(name))
    second = RecoveryCodes(Authenticator.objects.last())
    codes, real = second.get_unused_codes(), reencryption.renewed

    def renewed(text: str) -> str:
        # While the first row is worked on, somebody signs in by a code of the second.
        if codes[0] in second.get_unused_codes():
            assert second.validate_code(codes[0])
        return real(text)

    settings.ENCRYPTION_KEYS = [NEW, OLD]
    monkeypatch.setattr(reencryption, "renewed", renewed)
    assert sum(result.renewed for result in reencryption.renew_all()) == 2
    settings.ENCRYPTION_KEYS = [NEW]
    assert RecoveryCodes(Authenticator.objects.last()).get_unused_codes() == codes[1:]


def test_what_no_key_opens_is_named_and_the_rest_renewed(settings, make_study, capsys):
    settings.ENCRYPTION_KEYS = [OTHER]
    study, rows = make_study(items=1), []
    for name in ("lost", "kept"):
        rows.append(Enrolment.objects.create(rater=Rater.objects.create(), study=study))
        settings.ENCRYPTION_KEYS = [OTHER] if name == "lost" else [OLD]
        identities.store(rows[-1], "prolific", name)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match="1 values are under a key that is missing"):
        call_command("renew_encryption")
    assert f"1 that no key opens (rows {Identity.objects.get(enrolment=rows[0]).pk})" in capsys.readouterr().err
    settings.ENCRYPTION_KEYS = [NEW]
    assert identities.reveal(rows[1], "prolific") == "kept"
    with pytest.raises(Unreadable, match="put it back into ENCRYPTION_KEYS"):
        identities.reveal(rows[0], "prolific")
