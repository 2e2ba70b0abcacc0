"""Commands that create a store and take files in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.entrypoints import intake
from o2c.entrypoints.cli.output import Format, Output, err, show_one
from o2c.entrypoints.cli.session import opened, time_of
from o2c.entrypoints.launch import write_launch
from o2c.kernel.refusal import Refused

load = typer.Typer(no_args_is_help=True, help="Take in what orders need: catalogue, customers, stock.")
simulate = typer.Typer(no_args_is_help=True, help="Make papers of an invented launch.")
File = Annotated[Path, typer.Argument(help="The file, gzip or not.")]
At = Annotated[str, typer.Option(help="When the delivery arrives; now when left out. Date or RFC 3339 time.")]
SomeRefused = 6


def init(
    clock: Annotated[Literal["simulated", "real"], typer.Option(help="One kind of clock for life.")],
    start: Annotated[str, typer.Option(help="Where a simulated clock starts; 2026-01-01 when left out.")] = "",
    seed: Annotated[int, typer.Option(help="What chance is drawn from: the same seed gives the same run.")] = 7,
    window_minutes: Annotated[int, typer.Option(min=1, max=1440, help="How far simulated time jumps at once; part of the seed.")] = 15,
) -> None:
    """Create the store and give it its clock.

    Example: o2c init --clock simulated --start 2026-01-01
    """
    if clock == "real" and start:
        raise Refused("a real clock tells the time of now; leave --start out")
    with opened() as session:
        session.app.create_clock(kind=clock, start=time_of(start) if start else None, seed=seed, window_s=window_minutes * 60)
        err.print(f"the store has a {clock} clock at {session.app.clock().now:%Y-%m-%dT%H:%MZ}")


@load.command("catalogue")
def load_catalogue(file: File) -> None:
    """Publish TMF620 product offerings.

    Example: o2c load catalogue catalogue.tmf620.json
    """
    with opened() as session:
        err.print(f"{intake.load_catalogue(session.app, file)} offerings published")


@load.command("customers")
def load_customers(file: File) -> None:
    """Register TMF632 parties, one JSON a line.

    Example: o2c load customers customers.tmf632.jsonl
    """
    with opened() as session:
        err.print(f"{intake.load_customers(session.app, file)} customers registered")


def _load_stock(what: str, file: Path, at: str) -> None:
    with opened() as session:
        when = time_of(at) if at else None
        fresh = intake.load_stock(session.app, session.runner(), what, file, when)
        err.print(f"{fresh} {what} {'announced for ' + at if at else 'taken in'}" if fresh else f"nothing new: these {what} are known")


@load.command("sims")
def load_sims(file: File, at: At = "") -> None:
    """Take in a delivery of SIMs (CSV: iccid,imsi,kind).

    Example: o2c load sims sims-2.csv --at 2026-02-02
    """
    _load_stock("sims", file, at)


@load.command("numbers")
def load_numbers(file: File, at: At = "") -> None:
    """Take in a delivery of numbers (CSV: msisdn,class).

    Example: o2c load numbers numbers.csv
    """
    _load_stock("numbers", file, at)


def ingest(file: File, output: Output = Format.table) -> None:
    """Take in a file of TMF622 v4 product orders, one JSON a line. Exit 6 when lines were refused; their bytes are kept in quarantine.

    Example: o2c ingest orders.tmf622.jsonl
    """
    with opened() as session:
        session.app.clock()
        if not session.app.load([CATALOGUE])[CATALOGUE].version:
            raise Refused("there is no catalogue yet, and orders pin its version; run `o2c load catalogue FILE` first")
        going = intake.Intake(session.app, file, session.home / "quarantine")
        counts = going.run()
        show_one({"intake": going.name, **{key: getattr(counts, key) for key in intake.Counts.__dataclass_fields__}}, output)
        for line in going.refused[:20]:
            err.print(f"refused: {line}")
        if counts.refused:
            err.print(f"{counts.refused} lines refused; kept in {going.quarantine}")
    if counts.refused:
        raise typer.Exit(SomeRefused)


@simulate.command("orders")
def simulate_orders(
    count: Annotated[int, typer.Option(min=1, help="How many orders.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed writes the same papers.")] = 7,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("launch"),
    output: Output = Format.table,
) -> None:
    """Write catalogue, customers, stock and orders of an invented launch.

    Example: o2c simulate orders --count 500 --seed 7 --out launch
    """
    files = write_launch(out, count=count, seed=seed)
    show_one({"folder": str(out), "orders": files.order_count, "sims_later_at": files.sims_later_at.isoformat()}, output)
