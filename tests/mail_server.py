"""A mail server of tests on a port of this machine: it speaks SMTP (RFC 5321), keeps what it took, and fails as it is told to."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

BREAKS_OFF = ""
"""Instead of a reply: the connection ends without a word."""
TAKES = "250 taken"


@dataclass
class MailServer:
    """What it took, by whom it went to; `to_rcpt` and `to_data` say what it replies to an address and to the end of a message, the oldest first."""

    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    to_rcpt: list[str] = field(default_factory=list)
    to_data: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    on_taken: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"smtp://127.0.0.1:{self.port}"

    def count(self, subject: str) -> int:
        """How many messages of a subject it took."""
        return [mail["Subject"] for _, mail in self.taken].count(subject)

    @property
    def ids(self) -> list[str]:
        """The ids of what it took, in order."""
        return [str(mail["Message-ID"]) for _, mail in self.taken]


class _Talk(socketserver.StreamRequestHandler):
    server: "_Listening"

    def handle(self) -> None:
        self.server.mails.connections += 1
        self._say("220 testford ready")
        to = ""
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            word = line.partition(" ")[0].upper()
            if word == "DATA":
                if not self._take(to):
                    return
            elif word == "RCPT":
                to = line.partition("<")[2].partition(">")[0]
                self._say(self._next(self.server.mails.to_rcpt, "250 known"))
            elif word == "QUIT":
                self._say("221 farewell")
                return
            else:
                self._say("250 well")

    def _take(self, to: str) -> bool:
        """Read a message to its end; whether the talk goes on. A server that breaks off may have taken it, as this one has."""
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line[1:] if line.startswith(b"..") else line)
        reply = self._next(self.server.mails.to_data, TAKES)
        if reply.startswith("250") or reply == BREAKS_OFF:
            self.server.mails.taken.append((to, message_from_bytes(b"".join(lines), policy=policy.default)))
            self.server.mails.on_taken()
        if reply == BREAKS_OFF:
            return False
        self._say(reply)
        return True

    def _say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())

    def _next(self, replies: list[str], usual: str) -> str:
        return replies.pop(0) if replies else usual


class _Listening(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, mails: MailServer) -> None:
        self.mails = mails
        super().__init__(("127.0.0.1", 0), _Talk)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A server that listens while the block lasts."""
    mails = MailServer()
    with _Listening(mails) as listening:
        mails.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield mails
        finally:
            listening.shutdown()
            thread.join()
