"""Sending a message: what counts as taken, how long is waited, and where nothing is sent."""

import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from o2c.running import sending
from o2c.running.sending import BODY_BYTES_MAX, send
from tests.receiver import TAKEN, Answer, drip, receiving, status

pytestmark = pytest.mark.once
TIMEOUT_S = 0.6


def close(connection: socket.socket) -> None:
    """Say nothing, and go."""


def hang(connection: socket.socket) -> None:
    """Say nothing, and stay until the other has gone."""
    connection.settimeout(5)
    connection.recv(1)


@pytest.mark.parametrize(
    ("answer", "code", "word"),
    [
        pytest.param(TAKEN, 204, "", id="taken"),
        pytest.param(status(200), 200, "", id="also taken"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + TAKEN, 204, "", id="an interim answer first"),
        pytest.param(b"HTTP/1.0 200\n\n", 200, "", id="an old server"),
        pytest.param(drip([TAKEN[:9], TAKEN[9:20], TAKEN[20:]], 0.02), 204, "", id="in parts"),
        pytest.param(status(500), 500, "status-500", id="a failure"),
        pytest.param(status(400), 400, "status-400", id="a refusal"),
        pytest.param(status(410), 410, "status-410", id="gone"),
        pytest.param(status(302, "Location: http://127.0.0.1:1/elsewhere"), 302, "redirect", id="a redirect"),
        pytest.param(status(307, "Location: http://127.0.0.1:1/elsewhere"), 307, "redirect", id="a redirect that keeps the method"),
        pytest.param(close, None, "closed", id="closed at once"),
        pytest.param(b"HTTP/1.1 200 OK\r\nHalf: a he", None, "closed", id="closed within the head"),
        pytest.param(hang, None, "timeout", id="silent"),
        pytest.param(drip([b"HTTP/1.1 200 OK\r\n", *[b"X: 1\r\n"] * 20], 0.1), None, "timeout", id="a head that comes for ever"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 9_000, None, "not-http", id="a head that is too long"),
        pytest.param(b"220 mail.example ESMTP\r\n\r\n", None, "not-http", id="another protocol"),
    ],
)
def test_what_counts_as_taken(answer: Answer, code: int | None, word: str) -> None:
    """An answer of 2xx with a whole head, in time; the message came once whatever the answer was."""
    with receiving(answer) as receiver:
        began = time.monotonic()
        sent = send(receiver.url, {"webhook-id": "msg_1"}, b'{"a":1}', private=True, timeout_s=TIMEOUT_S)

    assert (sent.status, sent.word) == (code, word)
    assert time.monotonic() - began < TIMEOUT_S + 1
    assert [(heard.line, heard.headers["webhook-id"], heard.body) for heard in receiver.heard] == [
        ("POST /told?by=o2c HTTP/1.1", "msg_1", b'{"a":1}')
    ]


def found(*addresses: str) -> sending.Resolve:
    """A look-up with this result."""

    def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


@pytest.mark.parametrize(
    ("url", "addresses", "private", "word"),
    [
        pytest.param("http://hook.example:{port}/", ["127.0.0.1"], True, "", id="control: allowed, and told"),
        pytest.param("http://hook.example:{port}/", ["::ffff:127.0.0.1"], True, "", id="control: the same address in another form"),
        pytest.param("http://hook.example:{port}/", ["127.0.0.1"], False, "not-https", id="without TLS"),
        pytest.param("https://hook.example:{port}/", ["127.0.0.1"], False, "private-address", id="this machine"),
        pytest.param("https://hook.example:{port}/", ["::ffff:127.0.0.1"], False, "private-address", id="this machine as an address of IPv6"),
        pytest.param("https://hook.example:{port}/", ["10.0.0.1"], False, "private-address", id="our network"),
        pytest.param("https://hook.example:{port}/", ["8.8.8.8", "127.0.0.1"], False, "private-address", id="a public one and ours"),
        pytest.param("https://hook.example:{port}/", ["fe80::1%eth0"], True, "private-address", id="a link, even if private ones are allowed"),
        pytest.param("http://hook.example:{port}/", ["169.254.169.254"], True, "private-address", id="credentials of a machine in a cloud"),
        pytest.param("http://hook.example:{port}/", ["0.0.0.0"], True, "private-address", id="nobody's, which is this machine"),
        pytest.param("http://hook.example:{port}/", [], True, "no-such-host", id="no address"),
        pytest.param("https://127.0.0.1:{port}/", None, False, "private-address", id="an address for a name"),
        pytest.param("https://2130706433:{port}/", None, False, "private-address", id="an address as a number"),
        pytest.param("https://localhost:{port}/", None, False, "private-address", id="the name of this machine"),
    ],
)  # fmt: skip
def test_where_nothing_is_sent(url: str, addresses: list[str] | None, private: bool, word: str) -> None:
    """The address that was looked up is the one that is told, or nothing is sent at all: no connection is even opened."""
    with receiving() as receiver:
        port = receiver.url.split(":")[2].partition("/")[0]
        resolve = None if addresses is None else found(*addresses)
        sent = send(url.format(port=port), {}, b"{}", private=private, timeout_s=TIMEOUT_S, resolve=resolve)

    assert sent.word == word
    assert [heard.headers["host"] for heard in receiver.heard] == ([] if word else [f"hook.example:{port}"])


def test_a_name_is_looked_up_once() -> None:
    """A second look-up could have another result than the one that was checked."""
    asked = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    with receiving() as receiver:
        sent = send(receiver.url.replace("127.0.0.1", "hook.example"), {}, b"{}", private=True, timeout_s=TIMEOUT_S, resolve=resolve)

    assert (sent.word, asked) == ("", ["hook.example"])


def test_a_look_up_that_takes_long_counts() -> None:
    """It is part of the time that a message has."""

    def resolve(host: str, port: int) -> Sequence[str]:
        time.sleep(0.5)
        return ["127.0.0.1"]

    sent = send("http://hook.example/", {}, b"{}", private=True, timeout_s=0.1, resolve=resolve)
    assert sent.word == "timeout"


def test_nobody_there_and_too_much() -> None:
    """Nobody listens at the port; a message is larger than anybody should be sent."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert send(f"http://127.0.0.1:{port}/", {}, b"{}", private=True).word == "refused"
    assert send("http://127.0.0.1/", {}, b" " * (BODY_BYTES_MAX + 1), private=True).word == "too-large"


def test_a_header_cannot_end_its_line() -> None:
    """What would be another header is refused, and nothing is sent."""
    with receiving() as receiver, pytest.raises(ValueError, match="printable"):
        send(receiver.url, {"webhook-id": "a\r\nHost: other"}, b"{}", private=True)
    assert receiver.heard == []


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for hook.example with its key, in one file."""
    key, name, now = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.example")]),
        datetime.now(UTC),
    )
    names = x509.SubjectAlternativeName([x509.DNSName("hook.example")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(hours=1), now + timedelta(hours=1)).add_extension(
        names, False
    )
    written = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    both = tmp_path / "both.pem"
    both.write_bytes(written + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return both


@pytest.mark.parametrize(
    ("host", "trusted", "word"),
    [
        pytest.param("hook.example", True, "", id="control: its own name, trusted"),
        pytest.param("other.example", True, "tls", id="another name"),
        pytest.param("hook.example", False, "tls", id="not trusted"),
    ],
)
def test_the_certificate_is_checked_for_the_name(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str, trusted: bool, word: str
) -> None:
    """Although the connection goes to the address, name and certificate are those of the host."""
    ours = ssl.create_default_context(cafile=str(certificate) if trusted else None)
    monkeypatch.setattr(sending, "_trust", lambda: ours)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate)
    with receiving() as receiver:
        plain = receiver.serve

        def secured(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                plain(theirs.wrap_socket(connection, server_side=True))

        receiver.serve = secured  # type: ignore[method-assign] # the other side of the test
        url = receiver.url.replace("http", "https", 1).replace("127.0.0.1", host)
        sent = send(url, {}, b"{}", private=True, timeout_s=3, resolve=found("127.0.0.1"))

    assert sent.word == word
    assert len(receiver.heard) == (1 if not word else 0)
