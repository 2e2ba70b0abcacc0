"""Balances on the command line: what an account owes, what is held for it, and giving that back."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.balance import show_balance
from o2c.views.reading import day_of, time_of

balance = typer.Typer(no_args_is_help=True, help="What an account owes, and what is held for it.")
refunds = typer.Typer(no_args_is_help=True, help="Giving customers' money back by the way in which it came.")
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The billing account.")]


@balance.command("show")
def balance_show(
    account: Account,
    at: Annotated[str, typer.Option(metavar="TIME", help="An instant; now when left out.")] = "",
    output: Output = Format.table,
) -> None:
    """Show what an account owes, what of it is in dispute, and what is held for it: credit, what is owed back, deposits.

    What is held for one that has ended goes back by itself, on the day that is shown. JSON has the items as well, the oldest first: the
    next bill uses credits in this order.

    Example: o2c balance show BA-1001
    """
    with looking() as session:
        rows = show_balance(session.app, account, at=time_of(at) if at else None)
        columns = (
            *("account", "currency", "open_minor", "overdue_minor", "disputed_minor", "credit_minor", "owed_minor"),
            *("deposits_minor", "unallocated_minor", "goes_back_on", "at"),
        )
        show_rows(rows, output, columns=columns, empty="nothing was ever charged or held in any currency")


@refunds.command("request")
def refunds_request(
    account: Account,
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="How much, in units of the account's currency: 23.99.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Give some of what an account holds back by the way in which it came: what is owed first, then credits, the oldest first.

    The payment provider is asked; until it has paid, the money is owed to the customer and no bill uses it. Over more than the market's
    limit it waits for a second person.

    Example: o2c refunds request BA-1001 --amount 5.00 --actor ann
    """
    from o2c.desk import refunds as desk  # needs the rules; what only shows does not

    with opened() as session:
        desk.request_refund(session.app, Context(actor, command_id=command_id), account, amount=amount)
        [row, *_] = show_balance(session.app, account)
        going = [item["of"] for item in row["items"] if item["what"] == "refund"]
        err.print(f"account {account}: {', '.join(going)} under way" if going else f"account {account}: it waits for a second person")


@refunds.command("approve")
def refunds_approve(
    account: Account,
    refund: Annotated[str, typer.Argument(metavar="REFUND", help="The refund, such as BA-1001-R1.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Give back what somebody else asked for, and what one person may not give back alone.

    Example: o2c refunds approve BA-1001 BA-1001-R1 --actor bob
    """
    from o2c.desk import refunds as desk

    with opened() as session:
        written = desk.approve_refund(session.app, Context(actor, command_id=command_id), account, refund)
        err.print(f"refund {refund} was approved before" if written.unchanged else f"refund {refund} is under way")


@refunds.command("give-up")
def refunds_give_up(
    account: Account,
    refund: Annotated[str, typer.Argument(metavar="REFUND", help="The refund, such as BA-1001-R1.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Give a refund up that the provider refused, or of which nobody knows what came: the account has its money again.

    Ask the provider first where nobody knows: what it paid all the same is recorded by `o2c refunds paid`.

    Example: o2c refunds give-up BA-1001 BA-1001-R1 --reason "his account at the bank is closed" --actor bob
    """
    from o2c.desk import refunds as desk

    with opened() as session:
        written = desk.give_up_refund(session.app, Context(actor, command_id=command_id), account, refund, reason=reason)
        err.print(
            f"refund {refund} was given up before"
            if written.unchanged
            else f"refund {refund} is given up; account {account} has the money again"
        )


@refunds.command("paid")
def refunds_paid(
    account: Account,
    refund: Annotated[str, typer.Argument(metavar="REFUND", help="The refund that was given up, such as BA-1001-R1.")],
    reference: Annotated[str, typer.Option(metavar="TEXT", help="The provider's own reference of the refund.")],
    actor: Actor,
    on: Annotated[str, typer.Option(metavar="DAY", help="The day it was paid, as 2026-02-16; today when left out.")] = "",
    command_id: CommandId = "",
) -> None:
    """Record that the provider paid a refund that was given up; what the account holds no more, its customer owes again.

    Example: o2c refunds paid BA-1001 BA-1001-R1 --reference RFD-204417 --actor ann
    """
    from o2c.desk import refunds as desk

    with opened() as session:
        context, day = Context(actor, command_id=command_id), day_of(on) if on else None
        written = desk.paid_after_all(session.app, context, account, refund, reference=reference, paid_on=day)
        err.print(f"refund {refund} was recorded as paid before" if written.unchanged else f"refund {refund} is recorded as paid")
