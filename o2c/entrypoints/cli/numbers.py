"""Numbers on the command line: keeping one for an order, giving it back, looking at one."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk import numbers as number_desk
from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_one
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.numbers import show_number
from o2c.views.reading import time_of

numbers = typer.Typer(no_args_is_help=True, help="Telephone numbers: reserve one for an order, release it, look at it.")
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The number in E.164 form, +447700900123.")]


@numbers.command("reserve")
def numbers_reserve(
    number: Number,
    order: Annotated[str, typer.Option(metavar="ORDER", help="Order id or the channel's external id.")],
    actor: Actor,
    item: Annotated[str, typer.Option(metavar="ITEM", help="Which item; may be left out when only one takes a number.")] = "",
    until: Annotated[
        str, typer.Option(metavar="TIME", help="When the reservation lapses; in 7 days when left out. Date or RFC 3339 time.")
    ] = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")] = "",
    command_id: CommandId = "",
) -> None:
    """Keep a number for an order: nobody else gets it, and the order takes it when its number is due.

    Golden numbers are never assigned by themselves; this is the way to give one out, and the log says who did. A number that rests can be
    kept for an order of the customer who had it, where the market lets them claim it, and for nobody else.

    Example: o2c numbers reserve +447700910001 --order WEB-1001 --actor ann
    """
    with opened() as session:
        when = time_of(until) if until else None
        context = Context(actor, command_id=command_id)
        written = number_desk.reserve(session.app, context, number, order, item=item, until=when, note=reason)
        kept = show_number(session.app, number)
        err.print(f"{number} is {kept['state']} for {written.stream}, item {kept['item']}, until {kept['reserved_until']}")


@numbers.command("release")
def numbers_release(number: Number, actor: Actor, command_id: CommandId = "") -> None:
    """Give a reserved number back: a golden one to the golden ones, another to the stock.

    One that its former customer claimed rests on to its day.

    Example: o2c numbers release +447700910001 --actor ann
    """
    with opened() as session:
        number_desk.release(session.app, Context(actor, command_id=command_id), number)
        err.print(f"{number} is {show_number(session.app, number)['state']}")


@numbers.command("show")
def numbers_show(number: Number, output: Output = Format.table) -> None:
    """Show a number: class, state, for whom and until when, and everything that happened to it.

    For one that rests: what it was, until when it rests, and who may claim it.

    Example: o2c numbers show +447700910001
    """
    with looking() as session:
        show_one(show_number(session.app, number), output)
