"""A mail server that keeps what it is given: as much of SMTP (RFC 5321) as a sender needs."""

import email
import email.policy
import socketserver
import threading
from email.message import EmailMessage
from types import TracebackType
from typing import cast


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 mail.example ready")
        while line := self.rfile.readline():
            word = line.split(maxsplit=1)[0].upper() if line.strip() else b""
            if word == b"DATA":
                self._say("354 go on")
                cast("_Server", self.server).kept.append(self._message())
                self._say("250 kept")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _message(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return email.message_from_bytes(b"".join(lines), policy=email.policy.default)

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    kept: list[EmailMessage]


class MailServer:
    """Use as a context manager; `kept` has every message in order."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Conversation)
        self.kept: list[EmailMessage] = []
        self._server.kept = self.kept
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> "MailServer":
        serve = self._server.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.02}, name="mail server", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def texts_to(self, recipient: str) -> list[str]:
        """Give the plain texts of every message to one address."""
        return [str(message.get_content()) for message in self.kept if recipient in str(message["To"])]
