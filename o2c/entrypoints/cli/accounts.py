"""The hierarchy of billing accounts on the command line."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal
from uuid import uuid4

import typer

from o2c.desk.act import Context, Refused
from o2c.entrypoints.changes_csv import rows_of
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.entrypoints.cli.setup import SomeRefused
from o2c.views.accounts import show_tree

accounts = typer.Typer(
    no_args_is_help=True, help="Billing accounts of a business: entities, cost centres and sites, and who pays for which."
)
Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer whose accounts they are.")]


@accounts.command("place")
def accounts_place(
    customer: Customer,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The billing account; it is opened if no order has named it yet.")],
    level: Annotated[Literal["entity", "cost-centre", "site"], typer.Option(help="What it stands for.")],
    actor: Actor,
    parent: Annotated[str, typer.Option("--parent", metavar="ACCOUNT", help="The account above it; at the top when left out.")] = "",
    pays: Annotated[
        Literal["itself", "parent"], typer.Option(help="Who pays what is ordered for it: itself, or the account above.")
    ] = "parent",
    contact: Annotated[str, typer.Option(metavar="TEXT", help="Whom to ask for at a site, and how; kept as personal data.")] = "",
    market: Annotated[str, typer.Option(metavar="CODE", help="The market under whose rules it is opened.")] = "GB",
    command_id: CommandId = "",
) -> None:
    """Give a billing account its place in the hierarchy of its customer, and say who pays for it.

    What is ordered for it from then on is on the invoices of the account that pays, which say what of them is whose (`o2c invoices show`).
    What is charged already stays where it is.

    Example: o2c accounts place C-1001 GROUP-1 --level entity --pays itself --actor ann
    """
    from o2c.desk.accounts import place_account  # needs the rules; what only shows does not

    with opened() as session:
        context = Context(actor, command_id=command_id)
        written = place_account(
            session.app, context, customer, account, level=level, parent=parent, pays=pays, contact=contact, market=market
        )
        err.print(f"account {account} stands there already" if written.unchanged else f"account {account} has its place: {level}")


def products_bulk_change(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account, or cost centre, whose products they are.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV: product, offering, and a column for each characteristic.", dir_okay=False)
    ],
    actor: Actor,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is wrong with which row; nothing is ordered.")] = False,
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Change many products of an account as a CSV file says, and say of every row what became of it.

    Every row is an order of its own, which goes its way by itself; one that is wrong keeps no other from it. A list that was cut short goes
    on under the same --command-id, which is said at the start. It ends with 6 where some failed.

    Example: o2c products bulk-change BA-1001 changes.csv --dry-run --actor ann
    """
    from o2c.desk.bulk_changes import change_products

    with opened() as session:
        context = Context(actor, command_id=command_id or str(uuid4()))
        if not dry_run:
            err.print(f"if this is cut short, it goes on with --command-id {context.command_id}")
        done = change_products(session.app, context, account, _rows(file), dry_run=dry_run)
        show_rows([asdict(row) for row in done.rows], output, empty="no rows", limit=0)
        err.print(f"{done.ordered} {'could be' if dry_run else ''} ordered, {done.failed} failed".replace("  ", " "))
    if done.failed and not dry_run:
        raise typer.Exit(SomeRefused)


def _rows(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a heading. Raises Refused (usage) for one that cannot be read."""
    try:
        text = file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{file} cannot be read as CSV: {type(error).__name__}; write it anew") from None
    return rows_of(text, str(file))


@accounts.command("tree")
def accounts_tree(
    customer: Customer,
    personal: Annotated[bool, typer.Option("--personal", help="Whom to ask for at each site, too.")] = False,
    output: Output = Format.table,
) -> None:
    """Show the hierarchy of a customer's billing accounts, with who pays for each and what runs for it.

    Example: o2c accounts tree C-1001
    """
    with looking() as session:
        show_rows(show_tree(session.app, customer, personal=personal), output, empty="no account is placed")
