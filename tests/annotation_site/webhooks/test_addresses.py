"""Where webhooks may go: in production not to the site's own machine and network, by whatever name."""

from __future__ import annotations

import socket

import pytest
from django.core.exceptions import ValidationError

from annotation_site.webhooks.addresses import Forbidden, check_address, is_public, resolved
from annotation_site.webhooks.sending import deliver, post
from tests.annotation_site.webhooks.receivers import serving


@pytest.fixture
def _production(settings):
    settings.WEBHOOKS_ANYWHERE = False


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "8.8.8.8"])
def test_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",  # noqa: S104
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "192.0.2.1",
    ],
)  # fmt: skip
def test_not_public(address):
    assert not is_public(address)


@pytest.mark.usefixtures("_production")
@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1:8443/", "ftp://example.org/",
        "https://user:word@example.org/", "https://", "https://example.org/#here", "https://example.org:99999/",
        "javascript:alert(1)", "https://[::ffff:10.0.0.1]/",
    ],
)  # fmt: skip
def test_addresses_that_are_refused_at_once(address):
    with pytest.raises(ValidationError):
        check_address(address)


@pytest.mark.usefixtures("_production")
def test_an_address_of_the_internet_is_taken():
    check_address("https://example.org/hook?study=1")


@pytest.mark.usefixtures("_production")
@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1"])
def test_names_and_spellings_of_this_machine_lead_nowhere(host):
    with serving() as receiver:
        port = int(receiver.address.rsplit(":", 1)[1].strip("/"))
        with pytest.raises((Forbidden, OSError)):
            post(f"http://{host}:{port}/", b"{}", {}, seconds=2)
    assert receiver.got == []


@pytest.mark.usefixtures("_production")
def test_a_name_that_leads_to_both_is_refused(monkeypatch):
    def both(host, port, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(Forbidden, match=r"10\.0\.0\.1"):
        resolved("rebinding.example", 443)


@pytest.mark.django_db
def test_a_delivery_to_the_inside_is_never_made(waiting, settings):
    with serving() as receiver:
        delivery = waiting(receiver.address)
        settings.WEBHOOKS_ANYWHERE = False
        assert deliver(delivery.pk) is False
    delivery.refresh_from_db()
    assert receiver.got == []
    assert "not on the public internet" in delivery.last_error
