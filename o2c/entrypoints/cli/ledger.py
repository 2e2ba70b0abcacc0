"""The books on the command line: how the accounts of the chart stand, every posting, and closing a day."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Limit, Output, err, patient_pipe, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.entrypoints.ledger_csv import write_csv
from o2c.views.ledger import export_ledger, list_closings, trial_balance
from o2c.views.reading import day_of, time_of

ledger = typer.Typer(
    no_args_is_help=True, help="The books: how the accounts of the chart stand, every posting behind that, days that are closed."
)
DIFFERS = 5
CLOSING_COLUMNS = ("closed_on", "postings", "late", "closed_at", "digest")


class Lines(StrEnum):
    """`csv` for a spreadsheet or an accounting system, `jsonl` one object a line."""

    csv = "csv"
    jsonl = "jsonl"


@ledger.command("trial-balance")
def ledger_trial_balance(
    on: Annotated[str, typer.Option(metavar="DAY", help="At the end of this day, as 2026-01-31, by all that is known now.")] = "",
    at: Annotated[str, typer.Option(metavar="TIME", help="By what had happened by this time, as 2026-01-31T12:00:00Z.")] = "",
    output: Output = Format.table,
) -> None:
    """Show how every account of the chart stands; all together they sum to zero in every currency.

    Without a day or a time it is how they stand now, held against the invoices and balances that other projections tell of. What is billed
    in advance is earned by days: what is left of it is deferred. Exit 5 when something does not balance or differs.

    Example: o2c ledger trial-balance
    """
    with looking() as session:
        current(session)
        told = trial_balance(session.app, on=day_of(on) if on else None, at=time_of(at) if at else None)
    show_one(told, output)
    if not told["balanced"] or any(row["difference_minor"] for row in told["compared"]):
        err.print("the books do not balance, or differ from the projections; `o2c projections verify` and `o2c diagnose` say more")
        raise typer.Exit(DIFFERS)


@ledger.command("export")
def ledger_export(
    since: Annotated[str, typer.Option(metavar="DAY", help="From this day on; from the first when left out.")] = "",
    on: Annotated[str, typer.Option(metavar="DAY", help="Up to the end of this day; today when left out.")] = "",
    output: Annotated[Lines, typer.Option("-o", "--output", help="How to write the lines.", show_default=True)] = Lines.csv,
) -> None:
    """Write every posting of some days to stdout, one line each, with its event; they sum to zero in every currency.

    What a day earned of what was billed in advance is two lines by the invoice's event. `of_day` is the closed day that a posting belongs
    to which came later.

    Example: o2c ledger export --since 2026-01-01 --on 2026-01-31
    """
    with looking() as session:
        current(session)
        rows = export_ledger(session.app, since=day_of(since) if since else None, on=day_of(on) if on else None)
    with patient_pipe():
        if output is Lines.jsonl:
            sys.stdout.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            return
        write_csv(rows, sys.stdout)


@ledger.command("close")
def ledger_close(
    day: Annotated[str, typer.Argument(metavar="DAY", help="The last day to close, as 2026-01-31; it must be over.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Close the books up to the end of a day, for good; what comes later is posted on the first open day and says so.

    A closed day is not opened again, whoever asks: a mistake is put right by another posting.

    Example: o2c ledger close 2026-01-31 --actor ann
    """
    from o2c.desk.ledger import close_ledger  # needs the rules; what only shows does not

    with opened() as session:
        written = close_ledger(session.app, Context(actor, command_id=command_id), day_of(day))
        current(session)
        [closing] = list_closings(session.app, limit=1)
        was = "is closed already" if written.repeated or written.unchanged else "closed"
        err.print(f"{day} {was}: {closing['postings']} postings, {closing['late']} of them late; digest {closing['digest'][:16]}")


@ledger.command("closings")
def ledger_closings(limit: Limit = None, output: Output = Format.table) -> None:
    """List the closings of the books, the last one first, each with the accounts at its end and its digest.

    Example: o2c ledger closings
    """
    with looking() as session:
        current(session)
        rows = list_closings(session.app, limit=rows_wanted(limit, output))
        show_rows(rows, output, empty="no day is closed yet", columns=CLOSING_COLUMNS)
