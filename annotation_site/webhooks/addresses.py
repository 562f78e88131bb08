"""Where webhooks may go. In production not to this machine or its network: what answers there trusts its neighbours."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Addresses of the new kind that only stand for one of the old kind (RFC 6052).
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(Exception):
    """The address leads to where nothing may be sent."""


def check_address(address: str) -> None:
    """Refuse an address that nothing would be sent to; the name is looked up when something is."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise ValidationError({"address": str(error)}) from error
    if parts.scheme not in ("http", "https") or not host:
        raise ValidationError({"address": _("Write a whole address, with https:// and a host.")})
    if parts.username is not None or parts.fragment:
        raise ValidationError({"address": _("Leave user names, passwords and fragments out of the address.")})
    if settings.WEBHOOKS_ANYWHERE:
        return
    if parts.scheme != "https":
        raise ValidationError({"address": _("Use https: the notices say what happens in your studies.")})
    if _is_literal(host) and not is_public(host):
        raise ValidationError({"address": _("%(host)s is not on the public internet.") % {"host": host}})


def resolved(host: str, port: int) -> list[str]:
    """The addresses to connect to, all of them allowed. Raises Forbidden, and OSError where there is none."""
    found = list(dict.fromkeys(str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    # One that is not allowed is enough: a name that leads to both was made to get past a check.
    inside = [each for each in found if not is_public(each)]
    if inside and not settings.WEBHOOKS_ANYWHERE:
        raise Forbidden(f"{host} leads to {inside[0]}, which is not on the public internet.")
    return found


def is_public(address: str) -> bool:
    """Whether it is an address of the public internet, also in what it stands for."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        within = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in TRANSLATED:
            within.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if any(each is not None and not each.is_global for each in within):
            return False
    return ip.is_global and not ip.is_multicast


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
