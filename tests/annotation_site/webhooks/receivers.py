"""A receiver of webhooks: a real HTTP server that answers as it is told, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """``script`` is what happens to each request in turn (200 at its end): a status, "lose" or "hang" or "drip"."""

    def __init__(self, *script: Any) -> None:
        self.script, self.got, self.over = list(script), [], threading.Event()
        self.address = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        step = self.script.pop(0) if self.script else 200
        self.got.append((dict(handler.headers), body, handler.path))
        if step == "lose":
            # The request was read and acted on; its reply never arrives.
            handler.close_connection = True
            return
        if step == "hang":
            self.over.wait(20)
            return
        if step == "drip":
            self._drip(handler)
            return
        handler.send_response(step)
        if 300 <= step < 400:
            handler.send_header("Location", f"{self.address}elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def _drip(self, handler: BaseHTTPRequestHandler) -> None:
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.over.wait(0.02):
                handler.wfile.write(b"X-Slow: 1\r\n")
        except OSError:
            handler.close_connection = True


@contextmanager
def serving(*script: Any) -> Iterator[Receiver]:
    receiver = Receiver(*script)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.answer(self)

        def log_message(self, *args: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.address = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
