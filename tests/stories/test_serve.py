"""`o2c serve` as whoever installs it sees it: started, asked with a key, refused without, ended."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from o2c.entrypoints.cli.serve import listening_socket
from tests.shell import Shell


@contextmanager
def served(shell: Shell, *words: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The service in a process of its own, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    command = [sys.executable, "-m", "o2c.entrypoints.cli.main", "serve", "--port", str(port), *words]
    with subprocess.Popen(command, env=shell.environment, stderr=subprocess.DEVNULL) as process:
        # The port is taken at once; who knocks is answered when a process is there.
        assert connected(port)
        httpx.get(f"http://127.0.0.1:{port}/livez", timeout=60)
        try:
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def connected(port: int) -> bool:
    """Whether somebody listens, within half a minute."""
    for _ in range(600):
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


def issued(shell: Shell, role: str) -> str:
    """A key for somebody in a role."""
    row: Any = shell.data("keys", "issue", "--acts-as", "dora", "--role", role, "--actor", "ann", "-o", "json")
    return str((row[0] if isinstance(row, list) else row)["key"])


def test_a_key_opens_what_its_role_may(shell: Shell) -> None:
    """Without a key nobody is answered; with one its role decides; a process that is told to end ends well."""
    agent = {"Authorization": f"Bearer {issued(shell, 'agent')}"}
    with served(shell, "--workers", "2") as (url, process):
        nobody = httpx.get(f"{url}/api/v1/orders")
        own = httpx.get(f"{url}/api/v1/orders/WEB-1", headers=agent)
        beyond = httpx.get(f"{url}/api/v1/keys", headers=agent)
        alive = httpx.get(f"{url}/readyz")

    assert [nobody.status_code, own.status_code, beyond.status_code, alive.status_code] == [401, 200, 403, 200]
    assert nobody.headers["www-authenticate"].startswith("Bearer")
    assert process.returncode in (0, -signal.SIGTERM)


def test_whoever_has_the_machine_needs_no_key(shell: Shell) -> None:
    """With --actor everybody at this machine is that person; a page of another site that points its name at us is turned away."""
    with served(shell, "--actor", "ann") as (url, _):
        ours = httpx.get(f"{url}/api/v1/keys")
        theirs = httpx.get(f"{url}/api/v1/keys", headers={"Host": "evil.example"})

    assert [ours.status_code, theirs.status_code] == [200, 421]


def test_nobody_lets_the_world_in_by_mistake(shell: Shell) -> None:
    """An actor for everybody and an address for everybody do not go together."""
    done: Any = shell.run("serve", "--actor", "ann", "--host", "0.0.0.0")
    assert (done.returncode, "listen on 127.0.0.1" in done.stderr) == (2, True)


def test_a_port_that_is_taken_is_refused(shell: Shell) -> None:
    """In one line, before anything is opened."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done: Any = shell.run("serve", "--port", str(taken.getsockname()[1]))
    assert (done.returncode, "choose another --port" in done.stderr) == (4, True)


def test_an_answer_waits_for_nobodys_acknowledgement() -> None:
    """Connections send each part of an answer at once: with Nagle's algorithm (RFC 896) a body waits 40 ms for the ACK of its head."""
    with listening_socket("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()) as _:
        connection, _ = listening.accept()
        with connection:
            at_once = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert at_once
