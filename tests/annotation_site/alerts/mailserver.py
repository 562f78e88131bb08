"""A real SMTP server in a thread, which takes mails or answers as it is told."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class MailServer:
    """``script`` is what happens to each mail in turn (taken at its end): an error to answer, or "hang up"."""

    def __init__(self, *script: str) -> None:
        self.script, self.port = list(script), 0
        self.got: list[EmailMessage] = []
        self.to: list[str] = []

    def converse(self, handler: socketserver.StreamRequestHandler) -> None:
        say(handler, "220 test server")
        while line := handler.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "QUIT":
                return say(handler, "221 bye")
            if verb == "DATA":
                self._take(handler)
                continue
            if verb == "MAIL" and self.script:
                step = self.script.pop(0)
                if step == "hang up":
                    return None
                say(handler, step)
                continue
            if verb == "RCPT":
                self.to.append(line.partition("<")[2].rstrip(">"))
            say(handler, "250 ok")
        return None

    def _take(self, handler: socketserver.StreamRequestHandler) -> None:
        say(handler, "354 go on")
        lines = []
        while (line := handler.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.got.append(message_from_bytes(b"".join(lines), policy=policy.default))
        say(handler, "250 taken")


def say(handler: socketserver.StreamRequestHandler, text: str) -> None:
    handler.wfile.write(f"{text}\r\n".encode())


@contextmanager
def receiving(*script: str) -> Iterator[MailServer]:
    mails = MailServer(*script)

    class Handler(socketserver.StreamRequestHandler):
        timeout = 20

        def handle(self) -> None:
            mails.converse(self)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        mails.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield mails
        finally:
            server.shutdown()
            thread.join()
