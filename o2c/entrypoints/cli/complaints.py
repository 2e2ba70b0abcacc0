"""Complaints on the command line, and what whoever speaks to a customer next should know."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.customers import Id as Customer
from o2c.entrypoints.cli.options import Actor, CommandId, completing
from o2c.entrypoints.cli.output import Format, Limit, Output, err, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.views.complaints import STATES, State, customer_context, list_complaints, show_complaint

complaints = typer.Typer(no_args_is_help=True, help="Complaints: open one, answer it in any channel, escalate and resolve it.")
Id = Annotated[str, typer.Argument(metavar="COMPLAINT", help="The complaint's id, as the list gives it.", show_default=False)]
In = Annotated[str, typer.Option(metavar="CHANNEL", help="web, app, call, chat, store or mail.")]
Remedied = Annotated[str, typer.Option(metavar="REMEDY", help="apology, corrected, credit, free-period, goods, contract-ended or none.")]
LISTED = (
    "complaint",
    "customer",
    "topic",
    "state",
    "channels",
    "raised_at",
    "outside_from",
    "outside",
    "answers",
    "team",
    "remedy",
    "order",
)


@complaints.command("list")
def complaints_list(
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only those of this customer.")] = "",
    state: Annotated[
        State, typer.Option(metavar="STATE", help=f"Only those that are {', '.join(STATES)}.", autocompletion=completing(STATES))
    ] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List complaints, those first that may be taken outside first: topic, channels, state, clock, answers and remedy.

    Example: o2c complaints list --state open -o jsonl
    """
    with looking() as session:
        found = list_complaints(session.app, customer=customer, state=state, limit=1_000)
        show_rows(found, output, columns=LISTED, limit=limit, empty="no complaint")


@complaints.command("show")
def complaints_show(
    complaint: Id,
    personal: Annotated[bool, typer.Option("--personal", help="What was said, too.")] = False,
    output: Output = Format.table,
) -> None:
    """Show one complaint and what happened about it: raised, answered, escalated, resolved, when, where and by whom.

    Example: o2c complaints show 0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f
    """
    with looking() as session:
        show_one(show_complaint(session.app, complaint, personal=personal), output)


@complaints.command("open")
def complaints_open(
    customer: Customer,
    topic: Annotated[str, typer.Option(metavar="TOPIC", help="order, delivery, port, service, bill, price, privacy or other.")],
    channel: In,
    actor: Actor,
    order: Annotated[str, typer.Option(metavar="ORDER", help="Which order it is about: its id or external id.")] = "",
    invoice: Annotated[str, typer.Option(metavar="INVOICE", help="Which invoice it is about.")] = "",
    fallout: Annotated[str, typer.Option(metavar="FALLOUT", help="Which fallout it is about.")] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="What was said; kept as a personal note.")] = "",
    market: Annotated[str, typer.Option(metavar="CODE", help="The market whose clock runs.", show_default=True)] = "GB",
    command_id: CommandId = "",
) -> None:
    """Take down what a customer complains of; the market's clock runs from now. Prints the complaint on standard output.

    Example: o2c complaints open C-1001 --topic port --channel web --order WEB-1001 --note "it never came" --actor ann
    """
    from o2c.desk.complaints import open_complaint  # needs the rules; the list does not

    with opened() as session:
        current(session)
        raised = open_complaint(
            session.app,
            Context(actor, command_id=command_id),
            customer,
            topic=topic,  # type: ignore[arg-type] # the rule says which there are
            channel=channel,  # type: ignore[arg-type] # the same
            order=order,
            invoice=invoice,
            fallout=fallout,
            note=note,
            market=market,
        )
    typer.echo(raised.complaint)


@complaints.command("answer")
def complaints_answer(
    complaint: Id,
    channel: In,
    remedy: Remedied,
    actor: Actor,
    note: Annotated[str, typer.Option(metavar="TEXT", help="What was said; kept as a personal note.")] = "",
    command_id: CommandId = "",
) -> None:
    """Answer a complaint, in whatever channel the customer came, with what is done about it or offered.

    Example: o2c complaints answer 0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f --channel store --remedy free-period --actor ann
    """
    from o2c.desk.complaints import answer_complaint  # needs the rules; the list does not

    with opened() as session:
        context = Context(actor, command_id=command_id)
        answer_complaint(session.app, context, complaint, channel=channel, remedy=remedy, note=note)  # type: ignore[arg-type] # the rule says which there are
        err.print(f"complaint {complaint}: answered with {remedy}")


@complaints.command("escalate")
def complaints_escalate(
    complaint: Id,
    actor: Actor,
    team: Annotated[str, typer.Option(metavar="TEAM", help="The team that may decide more.")] = "",
    deadlock: Annotated[
        bool, typer.Option("--deadlock", help="The letter of deadlock was sent: the customer may go outside at once.")
    ] = False,
    command_id: CommandId = "",
) -> None:
    """Give a complaint to a team that may decide more, or take down that the letter of deadlock was sent.

    Example: o2c complaints escalate 0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f --team care-management --actor ann
    """
    from o2c.desk.complaints import escalate_complaint  # needs the rules; the list does not

    with opened() as session:
        escalate_complaint(session.app, Context(actor, command_id=command_id), complaint, team=team, deadlock=deadlock)
        err.print(f"complaint {complaint}: {'deadlocked' if deadlock else f'escalated to {team}'}")


@complaints.command("resolve")
def complaints_resolve(
    complaint: Id,
    remedy: Remedied,
    channel: In,
    actor: Actor,
    account: Annotated[str, typer.Option(metavar="ID", help="The account that is credited with --amount.")] = "",
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="How much, tax included: 10.00.")] = "",
    product: Annotated[str, typer.Option(metavar="PRODUCT", help="The product of which a period is free, by its price now.")] = "",
    command_id: CommandId = "",
) -> None:
    """End a complaint, with what the customer got.

    With an account and an amount, or with a product, it is a credit, which the next bill uses.

    Example: o2c complaints resolve 0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f --remedy free-period --channel store --actor ann
    """
    from o2c.desk.complaints import resolve_complaint  # needs the rules; the list does not

    with opened() as session:
        context = Context(actor, command_id=command_id)
        how = {"account": account, "amount": amount, "product": product}
        resolve_complaint(session.app, context, complaint, remedy=remedy, channel=channel, **how)  # type: ignore[arg-type] # the rule says which there are
        err.print(f"complaint {complaint}: resolved with {remedy}")


def customers_context(customer: Customer, output: Output = Format.table) -> None:
    """Show what whoever speaks to a customer next should know: what is open and stuck, what was broken, what may be offered.

    Example: o2c customers context C-1001 -o json
    """
    with looking() as session:
        current(session)
        show_one(customer_context(session.app, customer), output)
