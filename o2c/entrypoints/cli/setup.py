"""Commands that create a store and take files in."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from o2c.desk.act import Context, Refused
from o2c.desk.capture import HOME, MARKET_CODES
from o2c.desk.partners import plan_faults, refuse_impossible
from o2c.entrypoints.cli.options import completing
from o2c.entrypoints.cli.output import Format, Output, err, show_one
from o2c.entrypoints.cli.session import opened
from o2c.entrypoints.cli.wishes import named
from o2c.files import intake, loading
from o2c.files.fault_plan import read_fault_plan
from o2c.running.store import begin
from o2c.simulation.launch import write_launch
from o2c.simulation.months import MONTHS_MAX, MONTHS_MIN, told_of, write_months
from o2c.views.reading import time_of

load = typer.Typer(no_args_is_help=True, help="Take in what orders need: catalogue, customers, SIMs, numbers, devices.")
simulate = typer.Typer(no_args_is_help=True, help="Write the files of an invented launch, to try o2c on.")
File = Annotated[Path, typer.Argument(metavar="FILE", help="The file, gzip or not.")]
At = Annotated[str, typer.Option(metavar="TIME", help="When the delivery arrives; now when left out. Date or RFC 3339 time.")]
Market = Annotated[
    str,
    typer.Option(metavar="CODE", help=f"The market by whose rules: {', '.join(MARKET_CODES)}.", autocompletion=completing(MARKET_CODES)),
]
Actor = Annotated[str, typer.Option(metavar="NAME", envvar="O2C_ACTOR", help="Who takes it in; stands in the log.")]
SomeRefused = 6
SHOWN_MAX = 20


def init(
    clock: Annotated[
        Literal["simulated", "real"], typer.Option(help="Real, or simulated to try things out: months pass in seconds. For life.")
    ],
    start: Annotated[str, typer.Option(metavar="TIME", help="Where a simulated clock starts; 2026-01-01 when left out.")] = "",
    seed: Annotated[int, typer.Option(metavar="N", help="What chance is drawn from: the same seed gives the same run.")] = 7,
    window_minutes: Annotated[
        int, typer.Option(metavar="N", min=1, max=1440, help="How many minutes simulated time jumps at once; part of the seed.")
    ] = 15,
    faults: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Faults of the simulated partners, outages too: see `o2c partners plan-faults --help`."),
    ] = None,
    actor: Actor = loading.ACTOR,
) -> None:
    """Create the store and give it its clock.

    Example: o2c init --clock simulated --start 2026-01-01
    Example: o2c init --clock simulated --faults faults.toml
    """
    if clock == "real" and start:
        raise Refused("a real clock tells the time of now; leave --start out")
    planned = read_fault_plan(faults) if faults else []
    refuse_impossible(planned)
    with opened(create=True) as session:
        made = begin(session.app, clock=clock, start=time_of(start) if start else None, seed=seed, window_minutes=window_minutes)
        if planned:
            plan_faults(session.app, _by(actor), planned)
        err.print(f"the store has a {clock} clock at {made.now:%Y-%m-%dT%H:%MZ}")


@load.command("catalogue")
def load_catalogue(file: File, market: Market = HOME, actor: Actor = loading.ACTOR) -> None:
    """Publish the product offerings of a catalogue (TMF620 v4, one JSON array).

    Example: o2c load catalogue catalogue.tmf620.json --actor ann
    """
    with opened() as session:
        err.print(f"{loading.load_catalogue(session.app, file, context=_by(actor), market=market)} offerings published")


@load.command("customers")
def load_customers(file: File, actor: Actor = loading.ACTOR) -> None:
    """Register customers (TMF632 v4 parties, one JSON object a line).

    Example: o2c load customers customers.tmf632.jsonl --actor ann
    """
    with opened() as session:
        err.print(f"{loading.load_customers(session.app, file, context=_by(actor))} customers registered")


def _by(actor: str) -> Context:
    return Context(named(actor), channel=loading.CHANNEL)


def _load_stock(what: str, file: Path, at: str, actor: str) -> None:
    with opened() as session:
        when = time_of(at) if at else None
        fresh = loading.load_stock(session.app, session.runner(), what, file, when, context=_by(actor))
        err.print(f"{fresh} {what} {'announced for ' + at if at else 'taken in'}" if fresh else f"nothing new: these {what} are known")


@load.command("sims")
def load_sims(file: File, at: At = "", actor: Actor = loading.ACTOR) -> None:
    """Take in a delivery of SIMs (CSV: iccid,imsi,kind).

    A SIM comes with one file only; the same file again is nothing new, but with another --at it moves the delivery.

    Example: o2c load sims sims-2.csv --at 2026-02-02
    """
    _load_stock("sims", file, at, actor)


@load.command("numbers")
def load_numbers(file: File, at: At = "", actor: Actor = loading.ACTOR) -> None:
    """Take in a delivery of numbers (CSV: msisdn,class).

    A number comes with one file only; the same file again is nothing new, but with another --at it moves the delivery.

    Example: o2c load numbers numbers.csv
    """
    _load_stock("numbers", file, at, actor)


@load.command("devices")
def load_devices(file: File, at: At = "", actor: Actor = loading.ACTOR) -> None:
    """Take in a delivery of devices (CSV: imei,sku).

    A device comes with one file only; the same file again is nothing new, but with another --at it moves the delivery.

    Example: o2c load devices devices.csv
    """
    _load_stock("devices", file, at, actor)


def ingest(
    file: File,
    quarantine: Annotated[bool, typer.Option("--quarantine", help="FILE is a quarantine that a person has corrected.")] = False,
    market: Market = HOME,
    actor: Actor = loading.ACTOR,
    output: Output = Format.table,
) -> None:
    """Take in product orders (TMF622 v4, one JSON object a line).

    Exit 6 when lines were refused; their bytes are kept in a file of the folder quarantine in O2C_HOME.

    With --quarantine FILE the refused lines are taken again once they are corrected: FILE is left with those that are still refused, and
    goes when none is.

    Example: o2c ingest orders.tmf622.jsonl
    """
    with opened() as session:
        taken = intake.ingest(session.app, session.home, file, context=_by(actor), market=market, corrected=quarantine)
        show_one({"intake": taken.name, **asdict(taken.counts)}, output)
        for refusal in taken.refusals[:SHOWN_MAX]:
            err.print(f"refused: line {refusal.line}: {refusal.reason}")
        if (more := len(taken.refusals) - SHOWN_MAX) > 0:
            err.print(f"and {more:,} more")
        if taken.refusals:
            err.print(
                f"{len(taken.refusals)} lines refused; kept in {taken.quarantine}: correct them there and `o2c ingest --quarantine` it"
            )
    if taken.refusals:
        raise typer.Exit(SomeRefused)


@simulate.command("orders")
def simulate_orders(
    count: Annotated[int, typer.Option(metavar="N", min=1, help="How many orders.")] = 500,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed writes the same papers.")] = 7,
    months: Annotated[
        int | None,
        typer.Option(
            metavar="M",
            min=MONTHS_MIN,
            max=MONTHS_MAX,
            help="Spread them over so many months, with a second launch, new prices, a bad release and seasons. Five weeks when left out.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to write to.")] = Path("launch"),
    output: Output = Format.table,
) -> None:
    """Write the catalogue, customers, stock and orders of an invented launch.

    Of several months it says when what happens in them: `newcomer_on` and `price_change_on` are days from which on another product is sold
    and other prices hold; from `bad_from` to before `repaired_at` those channels that sell by the price list sell by one with a fault.

    Example: o2c simulate orders --count 500 --seed 7 --out launch
    """
    files = write_launch(out, count=count, seed=seed) if months is None else write_months(out, count=count, seed=seed, months=months)
    told = {} if months is None else told_of(months)
    show_one({"folder": str(out), "orders": files.order_count, "sims_later_at": files.sims_later_at.isoformat(), **told}, output)
