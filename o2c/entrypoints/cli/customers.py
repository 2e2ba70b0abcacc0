"""Customers on the command line: everything about one, and contacts with it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from o2c.desk.act import Context
from o2c.desk.customers import MEDIA, TOPICS, record_contact
from o2c.entrypoints.cli.options import Actor, CommandId, completing
from o2c.entrypoints.cli.output import Format, Output, err, show_one
from o2c.entrypoints.cli.session import current, looking
from o2c.views.customers import show_customer

customers = typer.Typer(no_args_is_help=True, help="Customers: everything about one, and contacts with it.")
Id = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")]


@customers.command("show")
def customers_show(
    customer: Id,
    personal: Annotated[bool, typer.Option("--personal", help="Name, birth date, e-mail, address, and notes of contacts too.")] = False,
    output: Output = Format.table,
) -> None:
    """Show everything about a customer: orders, what is in service, fallouts, invoices, balance.

    Also what was promised for open items, numbers and SIMs, and contacts. The balance is by currency, in minor units: open is invoiced less
    paid, below 0 when more was paid; overdue is the part of it that is past its due date.

    Example: o2c customers show C-1001
    """
    with looking() as session:
        current(session)
        show_one(show_customer(session.app, customer, personal=personal), output)


@customers.command("contact")
def customers_contact(
    customer: Id,
    medium: Annotated[str, typer.Option(metavar="MEDIUM", help=f"How they spoke: {', '.join(MEDIA)}.", autocompletion=completing(MEDIA))],
    topic: Annotated[str, typer.Option(metavar="TOPIC", help=f"What about: {', '.join(TOPICS)}.", autocompletion=completing(TOPICS))],
    actor: Actor,
    order: Annotated[str, typer.Option(metavar="ORDER", help="Which order it was about: its id or external id.")] = "",
    direction: Annotated[Literal["inbound", "outbound"], typer.Option(help="Who sought whom: inbound is the customer.")] = "inbound",
    note: Annotated[str, typer.Option(metavar="TEXT", help="What was said; kept as a personal note.")] = "",
    command_id: CommandId = "",
) -> None:
    """Note down that a customer and the operator spoke.

    Example: o2c customers contact C-1001 --medium call --topic where-is-my-order --order WEB-1001 --actor ann
    """
    with looking() as session:
        written = record_contact(
            session.app,
            Context(actor, command_id=command_id),
            customer,
            medium=medium,
            topic=topic,
            direction=direction,
            order=order,
            note=note,
        )
        err.print(f"{'known already' if written.repeated else 'noted down'} on {written.stream}")
