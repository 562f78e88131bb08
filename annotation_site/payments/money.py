"""Amounts of money: integers of a currency's minor unit, written and read in its major unit, never floats."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

CODE = re.compile(r"[A-Z]{3}")
# ISO 4217: currencies whose minor unit is not a hundredth.
DECIMALS = {
    **dict.fromkeys(re.findall(CODE, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"), 0),
    **dict.fromkeys(re.findall(CODE, "BHD IQD JOD KWD LYD OMR TND"), 3),
}
MOST = 10**12


class NotAnAmount(ValueError):
    """The text is no amount of the currency; the message says why."""


def decimals(currency: str) -> int:
    return DECIMALS.get(currency, 2)


def plain(amount: int, currency: str) -> str:
    """``12.30``: the amount in the major unit, for a field or a file."""
    places = decimals(currency)
    return f"{Decimal(amount).scaleb(-places):.{places}f}"


def spoken(amount: int, currency: str) -> str:
    """``1,212.30 USD``, for a page."""
    places = decimals(currency)
    return f"{Decimal(amount).scaleb(-places):,.{places}f} {currency}"


def parsed(text: str, currency: str) -> int:
    """The amount that ``plain`` writes; raises NotAnAmount for anything that is not exactly so many minor units."""
    places = decimals(currency)
    try:
        value = Decimal(text.strip()).scaleb(places)
    except InvalidOperation as error:
        raise NotAnAmount(_("“%(text)s” is no number: write it like 12.30.") % {"text": text[:30]}) from error
    if not value.is_finite() or value != value.to_integral_value():
        raise NotAnAmount(
            _("%(text)s is finer than %(currency)s can be paid: at most %(places)d decimals.")
            % {"text": text[:30], "currency": currency, "places": places}
        )
    if not 0 <= value <= MOST:
        raise NotAnAmount(_("%(text)s is not between 0 and what anybody can be paid.") % {"text": text[:30]})
    return int(value)
