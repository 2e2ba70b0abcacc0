"""The command that serves the store to programs and people over HTTP."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from o2c.desk.act import Refused
from o2c.entrypoints.cli.output import err
from o2c.entrypoints.cli.session import opened
from o2c.entrypoints.serving import ACTOR, LOOPBACK, RATE, RATE_PER_S
from o2c.running.telemetry import SHARED_FOLDER

GRACE_S = 10
BACKLOG = 2_048


def serve(
    actor: Annotated[
        str, typer.Option(metavar="NAME", help="Who everybody is, at a port that only this machine reaches; left out, callers need a key.")
    ] = "",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65_535, help="Where to listen; 0 takes any free one.")] = 8622,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Processes that answer.")] = 1,
    rate_per_s: Annotated[
        int, typer.Option("--rate", metavar="N", min=1, help="Requests a second that one caller may send to each process, over time.")
    ] = RATE_PER_S,
) -> None:
    """Serve the store over HTTP, until SIGTERM or Ctrl-C: the console under /console, the native API under /api/v1.

    Callers send a key (`o2c keys issue`) or a token of an issuer that is trusted. With --actor nobody needs one, and everybody is that
    person, as on this command line: it then listens to this machine alone. TLS is the business of whatever stands before it.

    Example: o2c serve --port 8622
    Example: o2c serve --actor ann --port 8623
    """
    if actor and host not in LOOPBACK:
        raise Refused(f"{host}: whoever reaches the port would act as {actor}; listen on 127.0.0.1, or leave out --actor")
    with opened():
        served(port, actor=actor, host=host, workers=workers, rate_per_s=rate_per_s)


def served(port: int, *, actor: str, host: str = LOOPBACK[0], workers: int = 1, rate_per_s: int = RATE_PER_S) -> None:
    """Serve the store of this environment until a signal ends it. With an `actor`, everybody is that person."""
    # Only now: the server is a third of a second of imports that no other command needs.
    from o2c.entrypoints.http.console.visits import SECRET, new_secret

    os.environ[ACTOR], os.environ[SECRET], os.environ[RATE] = actor, new_secret(), str(rate_per_s)
    with ExitStack() as stack:
        listening = stack.enter_context(listening_socket(host, port))
        if workers > 1 and SHARED_FOLDER not in os.environ:
            # What each process counts adds up there.
            os.environ[SHARED_FOLDER] = stack.enter_context(TemporaryDirectory(prefix="o2c-metrics-"))
        told = _told_to_end()
        address = f"http://{host}:{listening.getsockname()[1]}"
        who = f"everybody there is {actor}" if actor else "callers need a key"
        err.print(f"o2c on {address} (console: {address}/console), {who}; Ctrl-C ends it")
        _run(listening, workers, told)


def listening_socket(host: str, port: int) -> socket.socket:
    """The socket that all processes of the service share. Raises Refused (conflict) for a port that is taken."""
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG)
    except OSError as error:
        raise Refused(f"cannot listen on {host}:{port}: {error.strerror or error}; choose another --port", kind="conflict") from None
    # Connections inherit it. asyncio sets it on sockets of its own only; without it each answer's body waits 40 ms for the caller's ACK of
    # its head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _told_to_end() -> list[int]:
    """The signals that told this process to end, as they come: before the server listens to them itself, and when it raises them once
    more."""
    told: list[int] = []

    def end(number: int, frame: object) -> None:
        told.append(number)
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return told


def _run(listening: socket.socket, workers: int, told: list[int]) -> None:
    """Answer until the end. Raises Refused (unavailable) for a service that did not start."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from o2c.entrypoints.http import service
    from o2c.entrypoints.http.heads import BoundedHeads

    config = uvicorn.Config(
        f"{service.__name__}:{service.from_environment.__name__}",
        factory=True,
        http=BoundedHeads,
        loop="uvloop",
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = uvicorn.Server(config)
    try:
        if workers > 1:
            Multiprocess(config, sockets=[listening]).run()
        else:
            server.run(sockets=[listening])
    except SystemExit:
        # Told to end while it was starting, the server calls that a failure.
        if not told:
            raise
    if workers == 1 and not (server.started or told):
        raise Refused("the service did not start; see what it logged", kind="unavailable")
