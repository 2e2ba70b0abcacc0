"""Collections on the command line: who owes past a due day, holds, promises and plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from o2c.desk.act import Context, Refused
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Limit, Output, err, rows_wanted, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.views.collections import Bar, list_collections
from o2c.views.reading import amount_text, day_of

collections = typer.Typer(
    no_args_is_help=True, help="What is owed past its due day: how far its collection went, what holds it, promises to pay."
)
COLUMNS = (
    "account",
    "customer",
    "currency",
    "stage",
    "open_minor",
    "disputed_minor",
    "due_on",
    "bar",
    "holds",
    "promised_on",
    "plan",
    "late",
)
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The billing account.")]
Kind = Annotated[str, typer.Option(metavar="KIND", help="dispute, vulnerable, payment-pending or key-account, as the market has them.")]
Note = Annotated[str, typer.Option(metavar="TEXT", help="What was said; it stands in the log as personal data.")]


@collections.command("list")
def collections_list(
    account: Annotated[list[str] | None, typer.Option(metavar="ACCOUNT", help="Of this account alone; may be given again.")] = None,
    stage: Annotated[str, typer.Option(metavar="STAGE", help="In this stage alone, such as reminder or soft-bar.")] = "",
    bar: Annotated[Bar, typer.Option(metavar="LEVEL", help="Barred at this level alone: soft, hard or ended.")] = "",
    hold: Annotated[str, typer.Option(metavar="KIND", help="Held by this alone, such as dispute or vulnerable.")] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List accounts that owe past a due day or whose collections are held, one row a currency, the longest owed first.

    The stage is the worst whose condition holds, by the days since the earliest due day; it goes down again after a payment. No line is
    barred whose holder was not warned a week before.

    Example: o2c collections list
    """
    with looking() as session:
        current(session)
        most = rows_wanted(limit, output) or 1000
        rows = list_collections(session.app, accounts=account or (), stage=stage, bar=bar, hold=hold, limit=most)
        show_rows(rows, output, empty="nobody owes anything past its due day", columns=COLUMNS, less=_told)


def _told(row: Mapping[str, Any]) -> Mapping[str, Any]:
    plan = row["plan"]
    waiting = next((part["due_on"] for part in plan if not part["kept"]), "")
    planned = f"{sum(part['kept'] for part in plan)} of {len(plan)} parts, next by {waiting}" if plan else ""
    late = sum(claim["interest_minor"] + claim["fixed_minor"] for claim in row["late"])
    on_bills = sum(claim["charged_minor"] for claim in row["late"])
    billed = f", {amount_text(on_bills, row['currency'])} of it on bills" if on_bills else ""
    owed = f"{amount_text(late, row['currency'])} for paying late{billed}" if late else ""
    return {**row, "holds": ", ".join(row["holds"]), "plan": planned, "late": owed}


@collections.command("hold")
def collections_hold(
    account: Account,
    kind: Kind,
    actor: Actor,
    until: Annotated[
        str, typer.Option(metavar="DAY", help="Up to and including this day, as 2026-02-16; until released when left out.")
    ] = "",
    note: Note = "",
    command_id: CommandId = "",
) -> None:
    """Hold the collections of an account: nothing becomes worse and nobody is written to while it lasts.

    For a vulnerable customer notices go on, and no line is barred. A key account is held until the courtesy contact, after which somebody
    releases it.

    Example: o2c collections hold BA-1001 --kind vulnerable --note "told us on the telephone" --actor ann
    """
    from o2c.desk import collections as desk  # needs the rules; what only shows does not

    with opened() as session:
        context = Context(actor, command_id=command_id)
        desk.hold(session.app, context, account, kind, until=day_of(until) if until else None, note=note)
        err.print(f"collections of {account} are held: {kind}" + (f" until {until}" if until else ""))


@collections.command("release")
def collections_release(account: Account, kind: Kind, actor: Actor, note: Note = "", command_id: CommandId = "") -> None:
    """Release a hold on the collections of an account: they go on from where they stand.

    Nobody is barred who was not warned a week before.

    Example: o2c collections release BA-1001 --kind key-account --note "spoke to their buyer" --actor ann
    """
    from o2c.desk import collections as desk

    with opened() as session:
        written = desk.release(session.app, Context(actor, command_id=command_id), account, kind, note=note)
        err.print(f"account {account} is not held: {kind}" if written.unchanged else f"collections of {account} are released: {kind}")


@collections.command("promise")
def collections_promise(
    account: Account,
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="How much is promised, in units of the currency: 23.99.")],
    by: Annotated[str, typer.Option(metavar="DAY", help="The last day on which it may come, as 2026-02-27.")],
    actor: Actor,
    currency: Annotated[str, typer.Option(metavar="CODE", help="Its ISO 4217 code; the account's when left out.")] = "",
    note: Note = "",
    command_id: CommandId = "",
) -> None:
    """Take down a customer's promise to pay: until its day nothing becomes worse; the day after, it was kept or it is broken.

    Example: o2c collections promise BA-1001 --amount 5.00 --by 2026-02-27 --actor ann
    """
    from o2c.desk import collections as desk

    with opened() as session:
        context = Context(actor, command_id=command_id)
        desk.promise(session.app, context, account, amount=amount, by=day_of(by), currency=currency, note=note)
        err.print(f"account {account}: {amount} promised by {by}")


@collections.command("plan")
def collections_plan(
    account: Account,
    part: Annotated[list[str], typer.Option(metavar="DAY=AMOUNT", help="A part and its last day, as 2026-02-27=12.00; one for each part.")],
    actor: Actor,
    currency: Annotated[str, typer.Option(metavar="CODE", help="Its ISO 4217 code; the account's when left out.")] = "",
    note: Note = "",
    command_id: CommandId = "",
) -> None:
    """Agree on parts in which a customer pays a debt: while they come in time, nothing becomes worse.

    The parts sum to the debt to the penny. A part that is too late, or an invoice that falls due beside the plan and is not paid, breaks
    it.

    Example: o2c collections plan BA-1001 --part 2026-02-27=5.00 --part 2026-03-27=5.00 --actor ann
    """
    from o2c.desk import collections as desk

    pairs = [text.partition("=") for text in part]
    parts = {day.strip(): amount.strip() for day, _, amount in pairs}
    if len(parts) < len(pairs):
        raise Refused("two parts have the same day; say each day once")
    with opened() as session:
        written = desk.plan(session.app, Context(actor, command_id=command_id), account, parts, currency=currency, note=note)
        err.print(f"account {account}: that plan stands already" if written.unchanged else f"account {account}: paid in {len(parts)} parts")


disputes = typer.Typer(no_args_is_help=True, help="What customers dispute of their invoices: it is not collected until it is settled.")
Invoice = Annotated[str, typer.Argument(metavar="INVOICE", help="The invoice's number.")]


@disputes.command("open")
def disputes_open(
    invoice: Invoice,
    actor: Actor,
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="How much is disputed: 5.00; all that is open when left out.")] = "",
    note: Note = "",
    command_id: CommandId = "",
) -> None:
    """Open a dispute about an invoice: its amount is not collected until it is settled, the rest is.

    Example: o2c disputes open BA-1001-20260108 --amount 5.00 --note "says she never called there" --actor ann
    """
    from o2c.desk import collections as desk

    with opened() as session:
        desk.open_dispute(session.app, Context(actor, command_id=command_id), invoice, amount=amount, note=note)
        err.print(f"invoice {invoice}: {amount or 'all that is open'} is disputed and not collected")


@disputes.command("settle")
def disputes_settle(
    invoice: Invoice,
    outcome: Annotated[str, typer.Option("--for", metavar="WHOM", help="For whom it was settled: customer or operator.")],
    actor: Actor,
    note: Note = "",
    command_id: CommandId = "",
) -> None:
    """Settle the dispute about an invoice, for the customer or for the operator.

    For the operator, the amount is collected as before; for the customer, it stays uncollected until a credit note takes it off the
    invoice.

    Example: o2c disputes settle BA-1001-20260108 --for operator --note "the calls are on her list" --actor ann
    """
    from o2c.desk import collections as desk

    with opened() as session:
        written = desk.settle_dispute(session.app, Context(actor, command_id=command_id), invoice, outcome=outcome, note=note)
        err.print(
            f"invoice {invoice} is not disputed" if written.unchanged else f"invoice {invoice}: the dispute is settled for the {outcome}"
        )
