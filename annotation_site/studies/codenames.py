"""Names of items in public addresses: they tell neither the item's number nor, by its neighbours, its arm."""

from __future__ import annotations

from django.conf import settings
from django.utils.crypto import salted_hmac

SALT = "attest.studies.codename"
HALF = 32
MASK = (1 << HALF) - 1
ROUNDS = range(4)


def codename(number: int) -> str:
    """Sixteen hexadecimal digits for a number below 2**64: a keyed permutation, so that no two share a name.

    A Feistel network of four rounds keyed with NAMES_KEY, which looks random to whoever lacks the key (Luby, Rackoff:
    How to construct pseudorandom permutations, 1988).
    """
    left, right = number >> HALF, number & MASK
    for turn in ROUNDS:
        left, right = right, left ^ _mixed(turn, right)
    return f"{left << HALF | right:016x}"


def number(name: str) -> int:
    """The number that ``codename`` named; for a name that it never gave, a number that no row has."""
    left, right = int(name, 16) >> HALF, int(name, 16) & MASK
    for turn in reversed(ROUNDS):
        left, right = right ^ _mixed(turn, left), left
    return left << HALF | right


def _mixed(turn: int, half: int) -> int:
    mixed = salted_hmac(SALT, f"{turn}/{half}", secret=settings.NAMES_KEY, algorithm="sha256")
    return int.from_bytes(mixed.digest()[:4], "big")
