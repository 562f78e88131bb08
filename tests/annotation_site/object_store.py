"""A real S3 server (moto's) for tests, and storage settings that lead to it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.server import ThreadedMotoServer

REGION = "us-east-1"


@contextmanager
def running() -> Iterator[str]:
    """A server in a thread; its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def storages(endpoint: str, **options: Any) -> dict[str, Any]:
    """``settings.STORAGES`` with a bucket of its own name, which is not made yet."""
    own = {
        "bucket_name": f"attest-{uuid.uuid4().hex[:12]}",
        "endpoint_url": endpoint,
        "access_key": "key",
        "secret_key": "secret",
        "region_name": REGION,
        "location": "site",
    }
    store = {"BACKEND": "annotation_site.object_store.ObjectStore", "OPTIONS": own | options}
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    return {"default": store, "staticfiles": static}
