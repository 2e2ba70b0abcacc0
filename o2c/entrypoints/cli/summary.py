"""The summary a person enjoys: the whole launch on one screen."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.columns import Columns
from rich.console import Console
from rich.table import Table

from o2c.entrypoints.cli.tables import duration
from o2c.running.session import Session
from o2c.views.fallouts import fallouts_by_reason
from o2c.views.reading import amount_text
from o2c.views.status import cycle_times, show_status

STAGES = (
    ("captured", "validation.done"),
    ("validation.done", "identity.done"),
    ("identity.done", "credit.done"),
    ("captured", "planned"),
    ("sim.requested", "sim.done"),
    ("delivery.requested", "delivery.done"),
    ("porting.requested", "porting.done"),
    ("appointment.requested", "appointment.done"),
    ("captured", "activation.done"),
    ("captured", "closed"),
)


def show_summary(session: Session, *, seconds: float) -> None:
    """Orders, items, fallouts, cycle times, money, speed, and what to try next."""
    status = show_status(session.app)
    console = Console(highlight=False)
    console.print(f"\n[bold]From order to cash[/bold], until {status['clock']['now']} (simulated time)\n")
    console.print(Columns([_counts("orders", status["orders"]), _counts("items", status["items"]), _fallouts(session)], padding=(0, 4)))
    console.print(_cycle_times(session))
    for currency, money in status["money"].items():
        invoiced, paid = (amount_text(money[key], currency) for key in ("invoiced_minor", "paid_minor"))
        counts = status["invoices"]
        console.print(
            f"[bold]money[/bold]  invoiced {invoiced} on {counts['issued']} invoices, paid {paid} on {counts['paid']}, "
            f"overdue {counts['overdue']} invoices\n"
        )
    lines = status["ingest"]
    console.print(
        f"[bold]lines[/bold]  {lines['lines']:,} in all: {lines['captured']:,} orders, {lines['duplicates']:,} sent twice,"
        f" {lines['resubmitted']:,} came again with other content, {lines['refused']:,} refused"
    )
    captured = lines["captured"]
    console.print(f"[bold]log[/bold]    {status['events']} events of {captured} orders; everything above is a fold over them")
    console.print(
        f"[bold]speed[/bold]  {captured / seconds:.1f} orders/s, {status['events'] / seconds:.0f} events/s, {seconds:.1f} s in all\n"
    )
    console.print("Try next:")
    for command in ("fallout list", "orders list -o jsonl", "diagnose"):
        console.print(f"  {as_typed(command, session.home)}", style="cyan", soft_wrap=True)


def as_typed(command: str, home: Path) -> str:
    """A command as it works in the shell that called this one: with its store where that was named, by the program's path where it is not
    found."""
    own = Path(sys.argv[0]).resolve()
    found = shutil.which("o2c")
    program = "o2c" if found and Path(found).resolve() == own else shlex.quote(str(own))
    store = f"O2C_HOME={shlex.quote(str(home.absolute()))} " if os.environ.get("O2C_HOME") else ""
    return f"{store}{program} {command}"


def _counts(title: str, counts: Mapping[str, int]) -> Table:
    table = Table(title=title, box=None, show_header=False, title_justify="left", title_style="bold")
    for state, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        table.add_row(state, f"{count:>7,}")
    table.add_row("in all", f"{sum(counts.values()):>7,}", style="dim")
    return table


def _fallouts(session: Session) -> Table:
    table = Table(title="fallouts", box=None, header_style="dim", title_justify="left", title_style="bold")
    for name in ("reason", "queue", "ever", "open"):
        table.add_column(name, justify="right" if name in ("ever", "open") else "left")
    for row in fallouts_by_reason(session.app):
        table.add_row(row["reason"], row["queue"], str(row["n"]), str(row["open"]))
    return table


def _cycle_times(session: Session) -> Table:
    table = Table(title="\ncycle times", box=None, header_style="dim", title_justify="left", title_style="bold")
    for name in ("from", "to", "count", "p50", "p85", "p95"):
        table.add_column(name, justify="left" if name in ("from", "to") else "right")
    found = {(row["from"], row["to"]): row for row in cycle_times(session.app) if row["channel"] == "*" and row["offering"] == "*"}
    for stage in STAGES:
        if row := found.get(stage):
            table.add_row(
                row["from_words"], row["to_words"], str(row["count"]), *(duration(row[key]) for key in ("p50_s", "p85_s", "p95_s"))
            )
    return table
