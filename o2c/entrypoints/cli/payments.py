"""Money on the command line: deposits, payments that arrived by bank, collecting once more."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk import payments as payment_desk
from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_one
from o2c.entrypoints.cli.session import opened
from o2c.views.invoices import show_invoice
from o2c.views.reading import amount_text, day_of

payments = typer.Typer(no_args_is_help=True, help="Invoices and payments: what came by bank, deposits, collecting once more.")
Invoice = Annotated[str, typer.Argument(metavar="INVOICE", help="The invoice's number.")]
Amount = Annotated[str, typer.Option(metavar="AMOUNT", help="How much arrived, in units of the currency: 23.99.")]
Reference = Annotated[str, typer.Option(metavar="TEXT", help="What the bank shows as reference; the same reference is the same payment.")]


@payments.command("deposit")
def payments_deposit(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Order id or the channel's external id.")],
    amount: Amount,
    reference: Reference,
    actor: Actor,
    currency: Annotated[str, typer.Option(metavar="CODE", help="Its ISO 4217 code; the market's when left out.")] = "",
    method: Annotated[str, typer.Option(metavar="TEXT", help="How it came.")] = "bank-transfer",
    command_id: CommandId = "",
) -> None:
    """Record a deposit of an order that waits for one.

    Instalments add up; once enough came, the credit gate passes.

    Example: o2c payments deposit WEB-1001 --amount 100.00 --reference TFR-88213 --actor ann
    """
    with opened() as session:
        app, context = session.app, Context(actor, command_id=command_id)
        written = payment_desk.deposit(app, context, order, amount=amount, currency=currency, reference=reference, method=method)
        missing = payment_desk.missing_deposit(app, order)
        rest = f"{missing} is still missing" if missing else "the credit gate is passed"
        err.print(f"deposit recorded on {written.stream}; {rest}")


@payments.command("record")
def payments_record(
    invoice: Invoice,
    amount: Amount,
    reference: Reference,
    actor: Actor,
    currency: Annotated[str, typer.Option(metavar="CODE", help="The invoice's currency when left out; another is refused.")] = "",
    on: Annotated[str, typer.Option(metavar="DAY", help="The day it arrived, as 2026-02-16; today when left out.")] = "",
    command_id: CommandId = "",
) -> None:
    """Record a payment of an invoice that arrived by bank: a part, all, or more, which is a credit.

    Example: o2c payments record BA-1001-20260108 --amount 23.99 --reference TFR-88213 --on 2026-01-16 --actor ann
    """
    with opened() as session:
        app, context, day = session.app, Context(actor, command_id=command_id), day_of(on) if on else None
        payment_desk.record(app, context, invoice, amount=amount, reference=reference, currency=currency, arrived_on=day)
        stands = show_invoice(app, invoice)
        open_, credit = (amount_text(stands[key], stands["currency"]) for key in ("open_minor", "credit_minor"))
        err.print(f"invoice {invoice} is {stands['state']}, open {open_}" + (f", credit {credit}" if stands["credit_minor"] else ""))


@payments.command("retry")
def payments_retry(
    invoice: Invoice,
    actor: Actor,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")] = "collect once more",
    command_id: CommandId = "",
) -> None:
    """Collect an invoice once more, whose payment was refused or lost.

    Example: o2c payments retry BA-1001-20260108 --actor ann
    """
    with opened() as session:
        context = Context(actor, command_id=command_id)
        written = payment_desk.retry(session.app, context, invoice, note=reason)
        err.print(f"recorded on {written.stream}; `o2c run` carries on from here")


@payments.command("show")
def payments_show(invoice: Invoice, output: Output = Format.table) -> None:
    """Show an invoice: its total, what came in and how, what is open, and what is over it as a credit.

    Example: o2c payments show BA-1001-20260108
    """
    with opened() as session:
        show_one(show_invoice(session.app, invoice), output)
