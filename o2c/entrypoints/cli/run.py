"""Commands that drive time: run, and the demo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from o2c.entrypoints import intake, queries
from o2c.entrypoints.cli.output import err
from o2c.entrypoints.cli.session import Session, opened, time_of
from o2c.entrypoints.cli.summary import show_summary
from o2c.entrypoints.launch import write_launch
from o2c.kernel.refusal import Refused
from o2c.runner import Progress as OnProgress

BILL_RUNS = 2
LONGEST_DAYS = 240


def run(until: Annotated[str, typer.Option(help="Drive the agenda until this time. Date or RFC 3339 time.")]) -> None:
    """Let time pass: partners answer, windows open, bills run, payments arrive.

    Example: o2c run --until 2026-04-15
    """
    with opened() as session:
        end = time_of(until)
        with _bar("simulated time", session.app.clock().now, end) as progress:
            session.runner(progress).run(end)
        err.print(f"the clock stands at {session.app.clock().now:%Y-%m-%dT%H:%MZ}")


@contextmanager
def _bar(what: str, start: datetime, end: datetime) -> Iterator[OnProgress]:
    """A bar over simulated time, on a terminal only."""
    total = max((end - start).total_seconds(), 1)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[at]}"), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total, at="")

        def moved(at: datetime) -> None:
            bar.update(task, completed=(at - start).total_seconds(), at=f"{at:%d %b %H:%M}")

        yield moved


def demo(
    orders: Annotated[int, typer.Option(min=1, max=40_000, help="How many orders the invented launch has.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed gives the same summary digit for digit, speeds aside.")] = 7,
) -> None:
    """Simulate a launch from captured orders to paid invoices, in a store of its own, and sum it up.

    Example: o2c demo --orders 500 --seed 7
    """
    with opened() as session:
        if session.app.reads.clock() is not None:
            raise Refused(f"{session.home} holds a store already; give the demo another O2C_HOME", kind="conflict")
        session.app.create_clock(kind="simulated", seed=seed)
        started = time.monotonic()
        with TemporaryDirectory() as folder:
            _take_in(session, Path(folder), orders, seed)
        _until_billed(session)
        queries.caught_up(session.app)
        show_summary(session.app, seconds=time.monotonic() - started)


def _take_in(session: Session, folder: Path, orders: int, seed: int) -> None:
    files = write_launch(folder, count=orders, seed=seed)
    app, runner = session.app, session.runner()
    err.print(f"an invented launch of {files.order_count} orders, seed {seed}")
    intake.load_catalogue(app, files.catalogue)
    intake.load_customers(app, files.customers)
    intake.load_stock(app, runner, "sims", files.sims_now, None)
    intake.load_stock(app, runner, "sims", files.sims_later, files.sims_later_at)
    intake.load_stock(app, runner, "numbers", files.numbers, None)
    intake.Intake(app, files.orders, session.home / "quarantine").run()


def _until_billed(session: Session) -> None:
    """Until every account with an active line has had two bill runs, a week at a time."""
    start = session.app.clock().now
    with _bar("from order to cash", start, start + timedelta(days=110)) as progress:
        runner = session.runner(progress)
        for days in range(7, LONGEST_DAYS, 7):
            runner.run(start + timedelta(days=days))
            if session.app.reads.all_billed(BILL_RUNS):
                return
    err.print(f"not every account was billed {BILL_RUNS} times within {LONGEST_DAYS} days")
