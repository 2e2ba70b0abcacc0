"""Commands that show the store to a monitoring system in Prometheus form."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from o2c.entrypoints.cli.logs import configure_logs
from o2c.entrypoints.cli.output import err
from o2c.entrypoints.cli.session import looking
from o2c.running.telemetry import figures, serve_metrics, write_metrics

File = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Write here in one step instead, as a textfile of node_exporter (name it *.prom)."),
]


def export(file: File = None) -> None:
    """Print the figures of the store once, in Prometheus form.

    What appends counted themselves (latency, verdicts) is in it when PROMETHEUS_MULTIPROC_DIR names the folder that workers share.

    Example: o2c metrics export --file o2c.prom
    """
    with looking() as session:
        if file is not None:
            write_metrics(session.app, file)
        else:
            sys.stdout.write(figures(session.app))


def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    listen: Annotated[int, typer.Option(metavar="N", min=0, max=65_535, help="Where to listen; 0 takes any free one.")] = 9464,
) -> None:
    """Answer the scrapes of Prometheus over HTTP, until SIGTERM or Ctrl-C.

    Example: o2c metrics serve --listen 9464
    """
    configure_logs(machine=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with looking() as session, serve_metrics(session.app, host, listen, counting=False) as endpoint:
        err.print(f"metrics on http://{endpoint.host}:{endpoint.listen}/metrics")
        stop.wait()
