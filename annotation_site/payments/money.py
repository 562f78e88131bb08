"""Amounts of money: integers of a currency's minor unit, written and read in its major unit, never floats."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

CODE = re.compile(r"[A-Z]{3}")
# ISO 4217: currencies whose minor unit is not a hundredth.
DECIMALS = {
    **dict.fromkeys(re.findall(CODE, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"), 0),
    **dict.fromkeys(re.findall(CODE, "BHD IQD JOD KWD LYD OMR TND"), 3),
}
# ISO 4217: what people can be paid in today, without funds, metals and units of account.
CURRENCIES = frozenset(
    re.findall(
        CODE,
        """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
        CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
        IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
        MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
        RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
        UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW
        """,
    )
)
MOST = 10**12


class NotAnAmount(ValueError):
    """The text is no amount of the currency; the message says why."""


def currency_code(text: str) -> str:
    """The code of a currency, in capitals; raises NotAnAmount for what nobody can be paid in."""
    code = text.strip().upper()
    if code not in CURRENCIES:
        raise NotAnAmount(
            _("“%(text)s” is no currency of today: write its three letters, such as USD.") % {"text": text[:30]}
        )
    return code


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
