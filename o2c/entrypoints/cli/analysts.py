"""For analysts: one statement over what they may see, a psql on it, and the embedded server kept up for programs of their own."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from typing import Annotated

import typer

from o2c.desk.act import Refused
from o2c.entrypoints.cli.output import Format, Limit, Output, err, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.views.statement import reader_dsn, run_statement


def sql(
    statement: Annotated[str, typer.Argument(metavar="[STATEMENT]", help="One SQL statement; psql opens when it is left out.")] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Run one SQL statement over the analyst views and the projections, or open psql on them.

    It reads as the role o2c_reader: nothing personal, nothing written. Schemas: `analyst` has a view for every type of event,
    `projection` the tables of orders, items, fallout, invoices, milestones, stock and the rest; ids are text in both, so that they join.

    Example: o2c sql "SELECT state, count(*) FROM projection.orders GROUP BY state"
    """
    with looking() as session:
        current(session)
        if statement.strip():
            show_rows(run_statement(session.app, statement), output, empty="no rows", limit=limit)
            return
        program = shutil.which("psql")
        if program is None:
            raise Refused("there is no psql here; give one statement, or connect a program of yours (`o2c store keep`)", kind="missing")
        raise typer.Exit(subprocess.run([program, reader_dsn(session.app)], check=False).returncode)


def store_keep() -> None:
    """Keep the store's server up and print how to connect to it, until a signal ends this (Ctrl-C).

    The embedded server runs only while a command does. The connection string reads as the role o2c_reader, read-only, from this machine and
    this user.

    Example: o2c store keep
    """
    ended = threading.Event()
    with opened() as session:
        current(session)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        print(reader_dsn(session.app), flush=True)
        err.print('kept up until Ctrl-C; from another shell: psql "..." with the line above, or psycopg.connect of it')
        ended.wait()
