"""Text that is stored so that the database alone does not tell it: Fernet, with keys that can be changed.

``ENCRYPTION_KEYS`` are tried in turn, the first one encrypts. One made from SECRET_KEY comes after them, so that a site
that starts without keys of its own can have them later: keep the old ones behind the new one.
"""

from __future__ import annotations

import base64
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unreadable(Exception):
    """The text was encrypted with a key that is no longer among the settings."""


def encrypt(text: str) -> str:
    return _keys().encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    try:
        return _keys().decrypt(encrypted.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("This was encrypted with another key: put it back into ENCRYPTION_KEYS, last.") from error


def renewed(encrypted: str) -> str:
    """The same text under the first key."""
    try:
        return _keys().rotate(encrypted.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("This was encrypted with another key: put it back into ENCRYPTION_KEYS, last.") from error


def _keys() -> MultiFernet:
    return MultiFernet([*(Fernet(key) for key in settings.ENCRYPTION_KEYS), Fernet(_from_secret(settings.SECRET_KEY))])


def _from_secret(secret: str) -> bytes:
    return base64.urlsafe_b64encode(sha256(b"attest.encryption:" + secret.encode()).digest())
