"""A subscriber of tests on a port of this machine: it hears what it is sent, and answers as it is told to."""

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Answer = bytes | Callable[[socket.socket], None]
TAKEN = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


def status(code: int, *lines: str) -> bytes:
    """An answer with a status and header lines."""
    return "\r\n".join([f"HTTP/1.1 {code} Said", *lines, "Content-Length: 0", "", ""]).encode()


@dataclass(frozen=True)
class Heard:
    """A request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The id of the delivery."""
        return self.headers["webhook-id"]

    @property
    def told(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def is_signed_by(self, secret: str) -> bool:
        """Whether one of its signatures is made with a secret, as a subscriber checks it."""
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        made = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
        return f"v1,{base64.b64encode(made).decode()}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """Answers with what `answers` gives for a request; `heard` is what came."""

    answers: Callable[[Heard], Answer] = lambda heard: TAKEN
    heard: list[Heard] = field(default_factory=list)
    url: str = ""

    def will(self, *said: Answer) -> None:
        """Answer so the next times, and take what comes after."""
        left = list(said)
        self.answers = lambda heard: left.pop(0) if left else TAKEN

    def told(self) -> list[Any]:
        """What came, as JSON."""
        return [heard.told for heard in self.heard]

    def serve(self, connection: socket.socket) -> None:
        """Hear one request and answer it."""
        with connection, suppress(OSError, ValueError):
            heard = _read(connection)
            self.heard.append(heard)
            answer = self.answers(heard)
            if isinstance(answer, bytes):
                connection.sendall(answer)
            else:
                answer(connection)


def _read(connection: socket.socket) -> Heard:
    got = b""
    while b"\r\n\r\n" not in got:
        if not (part := connection.recv(65_536)):
            raise ValueError("nobody spoke")
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65_536)
    return Heard(line, headers, body)


@contextmanager
def receiving(*said: Answer) -> Iterator[Receiver]:
    """A subscriber at `url`, which answers so the first times."""
    receiver = Receiver()
    if said:
        receiver.will(*said)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        receiver.url = f"http://127.0.0.1:{listening.getsockname()[1]}/told?by=o2c"
        listening.settimeout(0.05)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    connection, _ = listening.accept()
                    threading.Thread(target=receiver.serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield receiver
        finally:
            over.set()
            thread.join()


def drip(parts: Sequence[bytes], pause_s: float) -> Callable[[socket.socket], None]:
    """An answer that comes a part at a time."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
            threading.Event().wait(pause_s)

    return answer
