"""Commands that drive time: run, and the demo."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from o2c.desk.act import Refused
from o2c.entrypoints.cli.output import err
from o2c.entrypoints.cli.serve import served
from o2c.entrypoints.cli.session import Session, current, opened
from o2c.entrypoints.cli.summary import show_summary
from o2c.files import intake, loading
from o2c.running.crew import TETHER, Crew, work
from o2c.running.demo import made_room, mark
from o2c.running.store import begin, begun
from o2c.running.telemetry import measured
from o2c.simulation.launch import write_launch
from o2c.simulation.office import staffed
from o2c.views.reading import time_of
from o2c.views.status import all_billed

if TYPE_CHECKING:
    from o2c.running.session import OnTime

BILL_RUNS = 2
LONGEST_DAYS = 240


def run(
    until: Annotated[str, typer.Option(metavar="TIME", help="Until this time: a date or RFC 3339 time. A real clock needs none.")] = "",
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="Worker processes that share the agenda; of a real clock only.")
    ] = 1,
    metrics: Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="Serve figures for Prometheus on 127.0.0.1; 0: none.")] = 0,
    desks: Annotated[
        int, typer.Option(metavar="N", min=0, max=64, help="Simulated agents who work the fallout queue; of simulated time only.")
    ] = 0,
    tethered: Annotated[
        bool, typer.Option(TETHER, hidden=True, help="End with standard input: how a worker notices its parent's end.")
    ] = False,
) -> None:
    """Let time pass: partners answer, windows open, bills run, payments arrive.

    Simulated time jumps from one due row to the next, until the given time. On a real clock this is the worker: it attends to what is due,
    sleeps until more is, and ends at the given time or when it is told to (SIGTERM, Ctrl-C); start it on as many machines as you like.

    With --desks, agents desk-1 and on take fallouts by rank in office hours, ask, correct, retry, decide and err as people do: see
    docs/operations.md.

    Example: o2c run --until 2026-04-15
    Example: o2c run --until 2026-04-15 --desks 3
    Example: o2c run --workers 2 --metrics 9464
    """
    with opened() as session:
        end = time_of(until) if until else None
        if session.simulated:
            _drive(session, end, workers, desks)
        elif desks:
            raise Refused("desks are simulated, and time is not; on a real clock people work the queue: leave out --desks", kind="conflict")
        elif workers > 1:
            _says_what(end, workers)
            crew = Crew(workers, "run", *(["--until", until] if until else []))
            with measured(session.app, metrics, crew=True):
                code = crew.run()
            _tell(crew.attended)
            raise typer.Exit(code)
        else:
            worker = session.worker()
            if not tethered:
                _says_what(end, workers)
            with measured(session.app, metrics, crew=False):
                work(worker, end, tethered=tethered)
            print(worker.attended) if tethered else _tell(worker.attended)


def _says_what(end: datetime | None, workers: int) -> None:
    """What goes on for hours says so when it begins."""
    until = f"until {end:%Y-%m-%dT%H:%MZ}" if end else "until Ctrl-C or SIGTERM"
    who = "one worker attends" if workers == 1 else f"{workers} workers attend"
    err.print(f"real clock: {who} to what is due as it comes, {until}")


def _tell(attended: int) -> None:
    err.print(f"attended to {attended} rows of the agenda")


def _drive(session: Session, end: datetime | None, workers: int, desks: int) -> None:
    if end is None or workers > 1:
        raise Refused("simulated time has one driver, which must know how far to go: o2c run --until TIME, without --workers")
    with _bar("simulated time", session.now, end) as progress:
        runner = session.runner(progress)
        if desks:
            with staffed(session.app, desks) as office:
                runner.run(end, office)
        else:
            runner.run(end)
    err.print(f"the clock stands at {session.now:%Y-%m-%dT%H:%MZ}")


@contextmanager
def _bar(what: str, start: datetime, end: datetime) -> Iterator[OnTime]:
    """A bar over simulated time, on a terminal only."""
    total = max((end - start).total_seconds(), 1)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[at]}"), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total, at="")

        def moved(at: datetime) -> None:
            bar.update(task, completed=(at - start).total_seconds(), at=f"{at:%d %b %H:%M}")

        yield moved


def demo(
    orders: Annotated[int, typer.Option(metavar="N", min=1, max=40_000, help="How many orders the invented launch has.")] = 500,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same summary digit for digit, speeds aside.")] = 7,
    serve: Annotated[bool, typer.Option("--serve", help="Then serve it over HTTP, to this machine alone, until Ctrl-C.")] = False,
) -> None:
    """Take an invented launch from captured orders to paid invoices, and sum it up.

    In a store of its own, which stays in O2C_HOME to be looked into. The store of the last demo there is moved aside, and the one before
    that thrown away; a store that is no demo's is not touched.

    Example: o2c demo --orders 100 --seed 7
    Example: o2c demo --orders 100 --serve
    """
    if aside := made_room():
        err.print(f"the last demo's store is now in {aside}: O2C_HOME={shlex.quote(str(aside))}")
    with opened(create=True) as session:
        if begun(session.app):
            raise Refused(f"{session.home} holds a store already; give the demo another O2C_HOME", kind="conflict")
        begin(session.app, clock="simulated", seed=seed)
        mark(session.home, f"orders {orders}, seed {seed}\n")
        started = time.monotonic()
        with TemporaryDirectory() as folder:
            _take_in(session, Path(folder), orders, seed)
        _until_billed(session)
        current(session)
        show_summary(session, seconds=time.monotonic() - started)
        if serve:
            served(0, actor="demo")


def _take_in(session: Session, folder: Path, orders: int, seed: int) -> None:
    files = write_launch(folder, count=orders, seed=seed)
    app, runner = session.app, session.runner()
    err.print(f"an invented launch of {files.order_count} orders, seed {seed}")
    loading.load_catalogue(app, files.catalogue)
    loading.load_customers(app, files.customers)
    loading.load_stock(app, runner, "sims", files.sims_now, None)
    loading.load_stock(app, runner, "sims", files.sims_later, files.sims_later_at)
    loading.load_stock(app, runner, "numbers", files.numbers, None)
    intake.Intake(app, files.orders, session.home / "quarantine").run()


def _until_billed(session: Session) -> None:
    """Until every account with an active line has had two bill runs, a week at a time."""
    start = session.now
    with _bar("from order to cash", start, start + timedelta(days=110)) as progress:
        runner = session.runner(progress)
        for days in range(7, LONGEST_DAYS, 7):
            runner.run(start + timedelta(days=days))
            if all_billed(session.app, BILL_RUNS):
                return
    err.print(f"not every account was billed {BILL_RUNS} times within {LONGEST_DAYS} days")
