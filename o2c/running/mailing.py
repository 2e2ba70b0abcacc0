"""Handing a message to a transport: an SMTP server, or a folder that another program empties. What became of it is told, never raised.

Source: RFC 5321 (4.2.1 replies, 4.5.3.2 time-outs, 6.1 what a server takes over with its answer to the end of data), RFC 3834 (automatic
messages).
"""

from __future__ import annotations

import contextlib
import json
import os
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from o2c.kernel.refusal import Refused
from o2c.messages.rules import Outcome

VARIABLE = "O2C_SMTP_URL"
TIMEOUT_S = 30.0
_GOES_ON = 354
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to be handed over: its id and attempt, from whom, to which address, in which language, and its words."""

    message: str
    attempt: int
    sender: str
    operator: str
    address: str = field(repr=False)
    language: str
    subject: str = field(repr=False)
    body: str = field(repr=False)
    at: datetime

    @property
    def name(self) -> str:
        """The name of the attempt, the same however often it is made."""
        return f"{self.message}-{self.attempt}"

    def mail(self) -> EmailMessage:
        """The message as e-mail, marked as sent by a machine. ValueError for an address or a subject that is none."""
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address(self.operator, addr_spec=self.sender)
        mail["To"] = Address(addr_spec=self.address)
        mail["Subject"] = self.subject
        mail["Date"] = self.at
        mail["Message-ID"] = f"<{self.name}@{self.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(self.body)
        # After the content, which takes every header that is about the content away.
        mail["Content-Language"] = self.language
        return mail


class Mailer:
    """Hands e-mail to the server of a URL (`smtp`, `smtp+starttls` or `smtps`, with login and port), over one connection until it fails.

    Raises Refused (usage) for a URL that is none.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url, self._timeout_s = _server_of(url), timeout_s
        self._server: smtplib.SMTP | None = None

    def hand_over(self, letter: Letter) -> Outcome:
        """Give a message to the server, and say what became of it.

        Until its words are on their way nothing can have happened, so it may be tried again; a server that goes away after that may have
        taken it.
        """
        try:
            mail = letter.mail().as_bytes()
        except (ValueError, IndexError):
            return Outcome("refused", "bad-address")
        on_the_way = False
        try:
            server = self._connected()
            self._said(server.docmd("MAIL", f"FROM:<{letter.sender}>"), 250)
            self._said(server.docmd("RCPT", f"TO:<{letter.address}>"), 250, 251)
            self._said(server.docmd("DATA"), _GOES_ON)
            on_the_way = True
            server.send(_dotted(mail))
            code, text = server.getreply()
            self._said((code, text), 250)
            return Outcome("sent", str(code))
        except _SaidNo as no:
            self._begin_anew()
            return Outcome("later" if no.code < 500 else "refused", str(no.code))
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return Outcome("unknown", "connection-lost") if on_the_way else _unreached(error)

    def close(self) -> None:
        """End the connection."""
        server, self._server = self._server, None
        if server:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.close()

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            self._server = self._connect()
        return self._server

    def _connect(self) -> smtplib.SMTP:
        url, host = self._url, self._url.hostname or ""
        port = url.port or _PORTS[url.scheme]
        if url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=self._timeout_s, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(host, port, timeout=self._timeout_s)
        server.ehlo_or_helo_if_needed()
        if url.scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        return server

    def _said(self, reply: tuple[int, bytes], *wanted: int) -> None:
        if reply[0] not in wanted:
            raise _SaidNo(reply[0])

    def _begin_anew(self) -> None:
        """After a no the server waits for another message; one that does not is left."""
        try:
            if self._server and self._server.docmd("RSET")[0] != 250:
                self.close()
        except (OSError, smtplib.SMTPException):
            self.close()


class _SaidNo(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


def _unreached(error: Exception) -> Outcome:
    """A server that cannot be reached, or lets nobody in, may be there later: it says nothing of the address."""
    code = getattr(error, "smtp_code", None)
    return Outcome("later", str(code) if code else type(error).__name__)


def _dotted(mail: bytes) -> bytes:
    """The bytes of a message as they go over the wire, to the line with the one dot (RFC 5321, 4.5.2)."""
    text = mail.replace(b"\r\n.", b"\r\n..")
    text = b"." + text if text.startswith(b".") else text
    return text + (b"" if text.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _server_of(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        if parts.scheme in _PORTS and parts.hostname and (parts.port is None or parts.port > 0):
            return parts
    except ValueError:
        pass
    raise Refused(f"{VARIABLE} is smtp://, smtp+starttls:// or smtps:// with a host, such as smtp://127.0.0.1:25") from None


def mailer_of(environment: Mapping[str, str]) -> Mailer:
    """The mailer that an environment names. Raises Refused (usage) where it names none."""
    return Mailer(environment.get(VARIABLE, ""))


def put_down(folder: Path, medium: str, letter: Letter) -> Outcome:
    """Put a message into the folder of its medium, whole or not at all: under the same name again it changes nothing.

    E-mail is a file of RFC 5322, the rest JSON. A folder that cannot be written to may be later.
    """
    try:
        content = letter.mail().as_bytes() if medium == "email" else _plain(letter)
    except (ValueError, IndexError):
        return Outcome("refused", "bad-address")
    path = _path(folder, medium, letter.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        half = path.with_suffix(f".{os.getpid()}.half")
        half.write_bytes(content)
        half.replace(path)
    except OSError as error:
        return Outcome("later", type(error).__name__)
    return Outcome("sent", path.name)


def is_put_down(folder: Path, medium: str, name: str) -> bool:
    """Whether an attempt of that name was put into the folder of its medium, and not taken out since."""
    return _path(folder, medium, name).exists()


def _path(folder: Path, medium: str, name: str) -> Path:
    return folder / medium / f"{name}.{'eml' if medium == 'email' else 'json'}"


def _plain(letter: Letter) -> bytes:
    told = {"id": letter.name, "to": letter.address, "language": letter.language, "subject": letter.subject, "text": letter.body}
    return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
