"""Money on the command line: deposits, payments that arrived by bank, paying back, collecting once more."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from o2c.desk.act import Context, Written
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Limit, Output, err, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.views.invoices import money_owed, show_invoice
from o2c.views.reading import amount_text, day_of

payments = typer.Typer(
    no_args_is_help=True, help="Invoices and payments: what came by bank, deposits, what is owed back, collecting once more."
)
Invoice = Annotated[str, typer.Argument(metavar="INVOICE", help="The invoice's number.")]
Amount = Annotated[str, typer.Option(metavar="AMOUNT", help="How much arrived, in units of the currency: 23.99.")]
On = Annotated[str, typer.Option(metavar="DAY", help="The day it arrived, as 2026-02-16; today when left out.")]
Reference = Annotated[str, typer.Option(metavar="TEXT", help="What the bank shows as reference; with day and amount it tells a payment.")]

Case = Annotated[str, typer.Option(metavar="CASE", help="The payment provider's name for the chargeback.")]
Payment = Annotated[str, typer.Option(metavar="REFERENCE", help="The reference of the payment that is meant, where several came.")]


@payments.command("deposit")
def payments_deposit(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Order id or the channel's external id.")],
    amount: Amount,
    reference: Reference,
    actor: Actor,
    currency: Annotated[str, typer.Option(metavar="CODE", help="Its ISO 4217 code; the market's when left out.")] = "",
    method: Annotated[str, typer.Option(metavar="TEXT", help="How it came.")] = "bank-transfer",
    on: On = "",
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="So much came, though it is more than twice what is missing; or the money came for an order that never waited for any.",
        ),
    ] = False,
    command_id: CommandId = "",
) -> None:
    """Record a deposit of an order, even one that comes late.

    Instalments add up; once enough came, the credit gate passes. The deposit of a completed order is kept until enough bills were paid in
    time, and is a credit then, or set off at the last bill; of any other it is owed to the customer: see `o2c payments owed`.

    Example: o2c payments deposit WEB-1001 --amount 100.00 --reference TFR-88213 --actor ann
    """
    from o2c.desk import payments as payment_desk  # needs the rules; what only shows does not

    with opened() as session:
        app, context, day = session.app, Context(actor, command_id=command_id), day_of(on) if on else None
        wish: Any = {"amount": amount, "currency": currency, "reference": reference, "method": method, "arrived_on": day, "sure": yes}
        written = payment_desk.deposit(app, context, order, **wish)
        err.print(f"{_recorded('deposit', written)} on {written.stream}; {payment_desk.deposit_stands(app, order)}")


@payments.command("record")
def payments_record(
    invoice: Invoice,
    amount: Amount,
    reference: Reference,
    actor: Actor,
    currency: Annotated[str, typer.Option(metavar="CODE", help="The invoice's currency when left out; another is refused.")] = "",
    on: On = "",
    yes: Annotated[bool, typer.Option("--yes", help="So much came, though it is more than twice what the invoice comes to.")] = False,
    command_id: CommandId = "",
) -> None:
    """Record a payment of an invoice that arrived by bank: a part, all, or more, which is a credit that the next invoice uses.

    Another amount or another day under the same reference is another payment; all three the same are the same one, recorded once.

    Example: o2c payments record BA-1001-20260108 --amount 23.99 --reference TFR-88213 --on 2026-01-16 --actor ann
    """
    from o2c.desk import payments as payment_desk

    with opened() as session:
        app, context, day = session.app, Context(actor, command_id=command_id), day_of(on) if on else None
        wish: Any = {"amount": amount, "reference": reference, "currency": currency, "arrived_on": day, "sure": yes}
        written = payment_desk.record(app, context, invoice, **wish)
        stood = _stands(app, invoice)
        err.print(f"{_recorded('payment', written)}; {stood}" if written.repeated else stood)


def _stands(app: Any, invoice: str) -> str:
    stands = show_invoice(app, invoice)
    open_, credit = (amount_text(stands[key], stands["currency"]) for key in ("open_minor", "credit_minor"))
    return f"invoice {invoice} is {stands['state']}, open {open_}" + (f", credit {credit}" if stands["credit_minor"] else "")


def _recorded(what: str, written: Written) -> str:
    return f"repeated: this {what} was recorded before and counts once" if written.repeated else f"{what} recorded"


@payments.command("refund")
def payments_refund(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The billing account that holds the money.")],
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="How much was paid back, in units of the currency: 23.99.")],
    reference: Annotated[str, typer.Option(metavar="TEXT", help="The reference of the transfer.")],
    actor: Actor,
    method: Annotated[str, typer.Option(metavar="TEXT", help="How it was paid back.")] = "bank-transfer",
    on: Annotated[str, typer.Option(metavar="DAY", help="The day it was paid back, as 2026-02-16; today when left out.")] = "",
    command_id: CommandId = "",
) -> None:
    """Record that money was paid back to a customer: what is owed first, then a credit. It moves no money itself.

    Example: o2c payments refund BA-1001 --amount 100.00 --reference TFR-204 --actor ann
    """
    from o2c.desk import payments as payment_desk

    with opened() as session:
        context, day = Context(actor, command_id=command_id), day_of(on) if on else None
        written = payment_desk.refund(session.app, context, account, amount=amount, reference=reference, method=method, returned_on=day)
        err.print(f"{_recorded('payment', written)} on {written.stream}; `o2c payments owed` says what is left")


@payments.command("owed")
def payments_owed(limit: Limit = None, output: Output = Format.table) -> None:
    """List the money that accounts hold for their customers.

    What is owed is to be paid back (`o2c payments refund`); a credit is used by the next invoice; a deposit is kept while its order is
    open, and until enough bills were paid in time.

    Example: o2c payments owed
    """
    with looking() as session:
        current(session)
        rows = money_owed(session.app, limit=rows_wanted(limit, output))
        show_rows(rows, output, empty="no account holds money of its customer")


@payments.command("chargeback")
def payments_chargeback(
    invoice: Invoice,
    case: Case,
    actor: Actor,
    amount: Annotated[
        str, typer.Option(metavar="AMOUNT", help="How much was taken back: 23.99; all that is left of the payment when left out.")
    ] = "",
    payment: Payment = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="The payment provider's code of the reason.")] = "",
    command_id: CommandId = "",
) -> None:
    """Record that a payer's bank took a card payment or a debit back: the invoice is open again.

    It is due since that day, and is collected as any that is overdue, but not by its method: nobody who took a payment back is charged
    again unasked. What was refunded, moved or charged back before is not taken twice. The same case told again counts once.

    Example: o2c payments chargeback BA-1001-20260108 --case CB-20417 --reason 10.4 --actor ann
    """
    from o2c.desk import taking_back as desk

    with opened() as session:
        context = Context(actor, command_id=command_id)
        written = desk.charge_back(session.app, context, invoice, case=case, amount=amount, payment=payment, reason=reason)
        err.print(f"{_recorded('chargeback', written)}; {_stands(session.app, invoice)}")


@payments.command("chargeback-won")
def payments_chargeback_won(invoice: Invoice, case: Case, actor: Actor, command_id: CommandId = "") -> None:
    """Record that a chargeback was answered and won: its money is back and pays the invoice again.

    Example: o2c payments chargeback-won BA-1001-20260108 --case CB-20417 --actor ann
    """
    from o2c.desk import taking_back as desk

    with opened() as session:
        written = desk.win_back(session.app, Context(actor, command_id=command_id), invoice, case=case)
        err.print(f"{_recorded('chargeback that was won', written)}; {_stands(session.app, invoice)}")


@payments.command("move")
def payments_move(
    invoice: Invoice,
    to: Annotated[
        str, typer.Option(metavar="NAME", help="The invoice that it was meant for, or the account: then its oldest invoice that is open.")
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with both invoices as a personal note.")],
    actor: Actor,
    amount: Annotated[
        str, typer.Option(metavar="AMOUNT", help="How much moves: 23.99; all that is left of the payment when left out.")
    ] = "",
    payment: Payment = "",
    key: Annotated[str, typer.Option(metavar="TEXT", help="A name of the move: told twice it is one.")] = "",
    command_id: CommandId = "",
) -> None:
    """Move a payment that was recorded for the wrong invoice to the one that it was meant for; both say so.

    Example: o2c payments move BA-1001-20260108 --to BA-1002-20260108 --reason "one digit wrong" --actor ann
    """
    from o2c.desk import taking_back as desk

    with opened() as session:
        how = {"to": to, "reason": reason, "amount": amount, "payment": payment, "key": key}
        written = desk.move_payment(session.app, Context(actor, command_id=command_id), invoice, **how)
        err.print(f"{_recorded('move', written)}; {_stands(session.app, invoice)}")


@payments.command("preview")
def payments_preview(
    invoice: Invoice,
    to: Annotated[
        str, typer.Option(metavar="NAME", help="The invoice or account that it would move to; left out, it is charged back.")
    ] = "",
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="How much: 23.99; all that is left of the payment when left out.")] = "",
    payment: Payment = "",
    output: Output = Format.table,
) -> None:
    """Show what charging a payment back, or moving it, would come to. Nothing is written.

    Example: o2c payments preview BA-1001-20260108 --to BA-1002-20260108
    """
    from o2c.views.taking_back import preview_taking_back

    with looking() as session:
        show_one(preview_taking_back(session.app, invoice, to=to, amount=amount, payment=payment), output)


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
    from o2c.desk import payments as payment_desk

    with opened() as session:
        context = Context(actor, command_id=command_id)
        written = payment_desk.retry(session.app, context, invoice, note=reason)
        err.print(f"recorded on {written.stream}; `o2c run` carries on from here")


@payments.command("show")
def payments_show(invoice: Invoice, output: Output = Format.table) -> None:
    """Show an invoice: its total, what came in and how, what is open, and what is over it as a credit.

    Example: o2c payments show BA-1001-20260108
    """
    with looking() as session:
        show_one(show_invoice(session.app, invoice), output)
