"""Balances on the command line: what an account owes, and what is held for it."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.entrypoints.cli.output import Format, Output, show_rows
from o2c.entrypoints.cli.session import looking
from o2c.views.balance import show_balance
from o2c.views.reading import time_of

balance = typer.Typer(no_args_is_help=True, help="What an account owes, and what is held for it.")
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The billing account.")]


@balance.command("show")
def balance_show(
    account: Account,
    at: Annotated[str, typer.Option(metavar="TIME", help="An instant; now when left out.")] = "",
    output: Output = Format.table,
) -> None:
    """Show what an account owes, what of it is in dispute, and what is held for it: credit, what is owed back, deposits.

    JSON has the items as well, the oldest first: the next bill uses credits in this order.

    Example: o2c balance show BA-1001
    """
    with looking() as session:
        rows = show_balance(session.app, account, at=time_of(at) if at else None)
        columns = (
            *("account", "currency", "open_minor", "overdue_minor", "disputed_minor", "credit_minor", "owed_minor"),
            *("deposits_minor", "unallocated_minor", "at"),
        )
        show_rows(rows, output, columns=columns, empty="nothing was ever charged or held in any currency")
