"""Prolific's signed links: a JWT that says who was sent, checked as docs.prolific.com asks.

The signature with the key that the token names (RS256 and nothing else), the time, our own address as the audience,
and the ids that it carries. Keys are kept for half a day; an unknown one has them fetched anew, once a minute at most.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _

from annotation_site.raters.sources import ArrivalProblem

KEYS, ASKED = "prolific-keys", "prolific-keys-asked-for"
KEPT_SECONDS, BETWEEN_SECONDS = 12 * 3600, 60
LEEWAY_SECONDS = 60


def claims(token: str, *, site: str) -> dict[str, str]:
    """The ids that Prolific signed for this site: PROLIFIC_PID, STUDY_ID, SESSION_ID. Raises ArrivalProblem."""
    try:
        header = jwt.get_unverified_header(token)
        body = jwt.decode(
            token,
            _key(str(header.get("kid", ""))),
            algorithms=["RS256"],
            options={"require": ["exp"], "verify_aud": False, "verify_iss": False, "verify_sub": False},
            leeway=LEEWAY_SECONDS,
        )
    except jwt.ExpiredSignatureError as error:
        raise ArrivalProblem(
            _("This link from Prolific has run out: open the study from Prolific again. Nothing was stored.")
        ) from error
    except jwt.PyJWTError as error:
        raise _not_signed() from error
    signed = body.get("prolific")
    if not isinstance(signed, dict) or not _for_us(body.get("aud"), site):
        raise _not_signed()
    return {str(name).upper(): str(value) for name, value in signed.items()}


def _not_signed() -> ArrivalProblem:
    return ArrivalProblem(
        _(
            "The signature of this link is not Prolific's for this study. Open the study from Prolific again. "
            "Nothing was stored."
        )
    )


def _for_us(audience: Any, site: str) -> bool:
    """Whether the token is meant for this site: the audience is our domain, or an address of it."""
    host = urlsplit(site).netloc
    named = audience if isinstance(audience, list) else [audience]
    return any((urlsplit(str(each)).netloc or str(each)) == host for each in named)


def _key(kid: str) -> jwt.PyJWK:
    keys: dict[str, dict[str, Any]] = cache.get(KEYS) or {}
    if kid not in keys and cache.add(ASKED, True, BETWEEN_SECONDS):
        keys = _fetched()
        cache.set(KEYS, keys, KEPT_SECONDS)
    if kid not in keys:
        raise jwt.InvalidKeyError("No key of Prolific's has this name.")
    return jwt.PyJWK(keys[kid], algorithm="RS256")


def _fetched() -> dict[str, dict[str, Any]]:
    """Prolific's public keys by their names."""
    base = urlsplit(settings.PROLIFIC_API)
    try:
        response = httpx.get(f"{base.scheme}://{base.netloc}/.well-known/study/jwks.json", timeout=5.0)
        response.raise_for_status()
        found = response.json()["keys"]
        return {str(key["kid"]): key for key in found if key.get("kty") == "RSA"}
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        # Whoever comes next may ask again at once.
        cache.delete(ASKED)
        raise ArrivalProblem(
            _(
                "Prolific's keys cannot be reached, so your link cannot be checked. Try again in a minute: your place "
                "is kept. Nothing was stored."
            ),
            status=503,
        ) from error
