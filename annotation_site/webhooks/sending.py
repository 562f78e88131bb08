"""One attempt at a delivery: a signed POST to an address that was looked up and checked, within a time."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from annotation_site.rating.assignment import database_now
from annotation_site.studies.models import Study
from annotation_site.webhooks.addresses import Forbidden, resolved
from annotation_site.webhooks.models import Delivery

SECONDS = 10.0
LARGEST_REPLY = 16_384


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """``t=TIMESTAMP,v1=HEX``: HMAC-SHA256 over the timestamp, a full stop and the body."""
    signed = hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"


def body_of(delivery: Delivery) -> bytes:
    """What is sent: the same bytes at every attempt."""
    body = {
        "id": str(delivery.uid),
        "type": delivery.event,
        "happened_at": delivery.happened_at.isoformat(),
        "study": delivery.study.slug,
        "data": delivery.data,
    }
    return json.dumps(body, sort_keys=True).encode()


def deliver(pk: int, *, seconds: float = SECONDS) -> bool | None:
    """Send a delivery that is due and write down how it ended; None where there was nothing to do."""
    delivery = Delivery.objects.claim(pk, database_now())
    if delivery is None:
        return None
    status, error = _attempt(delivery, seconds)
    delivery.settle(now=database_now(), status=status, error=error)
    return not error


def _attempt(delivery: Delivery, seconds: float) -> tuple[int | None, str]:
    """The status of the reply, if there was one, and what went wrong; empty for a delivery that was taken."""
    if not Study.objects.run_by(delivery.webhook.owner).filter(pk=delivery.study_id).exists():
        return None, "The owner of the webhook does not run this study any more."
    try:
        status = post(delivery.webhook.address, body_of(delivery), _headers(delivery), seconds=seconds)
    except (Forbidden, OSError, ValueError, httpcore.TimeoutException, httpcore.NetworkError,
            httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:  # fmt: skip
        return None, f"{type(error).__name__}: {error}".rstrip(": ")
    if 200 <= status < 300:
        return status, ""
    said = "a redirect, which is not followed" if 300 <= status < 400 else "an error"
    return status, f"The receiver answered {status}, {said}."


def _headers(delivery: Delivery) -> dict[str, str]:
    body = body_of(delivery)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Attest-Webhooks/1",
        "Attest-Delivery": str(delivery.uid),
        "Attest-Event": delivery.event,
        "Attest-Signature": signature(delivery.webhook.secret, int(time.time()), body),
    }


def post(address: str, body: bytes, headers: dict[str, str], *, seconds: float) -> int:
    """The status of the reply. Follows no redirect, and ends after ``seconds`` however slowly the reply drips."""
    network = _Checked(time.monotonic() + seconds)
    limits = {"timeout": {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}}
    with (
        httpcore.ConnectionPool(network_backend=network, retries=0) as pool,
        pool.stream("POST", address, headers=list(headers.items()), content=body, extensions=limits) as reply,
    ):
        return reply.status


class _Checked(httpcore.NetworkBackend):
    """Connects to the very address that was checked, so that a name cannot lead elsewhere a moment later."""

    def __init__(self, until: float) -> None:
        self._until, self._network = until, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = resolved(host, port)
        for number, address in enumerate(addresses, start=1):
            try:
                stream = self._network.connect_tcp(address, port, _left(self._until), local_address, socket_options)
            except httpcore.ConnectError:
                if number == len(addresses):
                    raise
            else:
                return _Timed(stream, self._until)
        raise OSError(f"{host} has no address.")


class _Timed(httpcore.NetworkStream):
    """A stream that ends at a moment, and after a reply of some size."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream, self._until, self._read = stream, until, 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        content = self._stream.read(min(max_bytes, LARGEST_REPLY), _left(self._until))
        self._read += len(content)
        if self._read > LARGEST_REPLY:
            raise httpcore.ReadError("The head of the reply is too long.")
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._until))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, _left(self._until)), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("The receiver took too long.")
    return left
