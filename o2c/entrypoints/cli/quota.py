"""Quota on the command line: units granted to sessions, what was used of them, and prepaid money."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_one
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.prepaid import show_prepaid
from o2c.views.reading import amount_text, time_of

quota = typer.Typer(no_args_is_help=True, help="Units granted to sessions of the network before they are used: reserve, commit, release.")
prepaid = typer.Typer(no_args_is_help=True, help="Money that pays for usage before it is used: top up, see what is left, give it back.")
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The billing account.")]
Session = Annotated[str, typer.Option(metavar="ID", help="The session, as the network names it.")]
Request = Annotated[int, typer.Option(metavar="N", help="The number of the request in its session; sent again, it is done once.")]
Unit = Annotated[str, typer.Option(metavar="UNIT", help="In what it is counted; what is usual for its kind when left out.")]
Called = Annotated[str, typer.Option(metavar="NUMBER", help="The number that is called.")]


@quota.command("reserve")
def quota_reserve(
    party: Annotated[str, typer.Argument(metavar="NUMBER", help="Who uses it: a number in E.164 form, or an account.")],
    session: Session,
    kind: Annotated[str, typer.Option(metavar="KIND", help="voice, sms, data, roaming, premium or transfer.")],
    quantity: Annotated[int, typer.Option(metavar="N", help="How much is asked for.")],
    actor: Actor,
    request: Request = 0,
    unit: Unit = "",
    destination: Called = "",
    country: Annotated[str, typer.Option(metavar="CODE", help="Where it is used abroad, by ISO 3166 code.")] = "",
    output: Output = Format.table,
) -> None:
    """Grant units to a session before they are used: as much as allowances, limits and the prepaid balance leave room for.

    Example: o2c quota reserve +447700900001 --session pcf-42 --kind sms --quantity 20 --actor pcf
    """
    from o2c.desk.quota import reserve

    with opened() as opening:
        wanted = {"kind": kind, "quantity": quantity, "unit": unit, "destination": destination, "country": country}
        answer = reserve(opening.app, Context(actor), party, session=session, request=request, **wanted)  # type: ignore[arg-type] # by name
        show_one(dict(answer), output)


@quota.command("commit")
def quota_commit(
    account: Account,
    session: Session,
    used: Annotated[int, typer.Option(metavar="N", help="How much was used.")],
    request: Request,
    actor: Actor,
    unit: Unit = "",
    destination: Called = "",
    source: Annotated[
        str, typer.Option(metavar="NAME", help="The source under which the network's own record of the session comes.")
    ] = "quota",
    output: Output = Format.table,
) -> None:
    """Take down what a session used of what it held; the rest is free again.

    Example: o2c quota commit BA-1001 --session pcf-42 --used 18 --request 1 --actor pcf
    """
    from o2c.desk.quota import commit

    with opened() as opening:
        told = {"unit": unit, "destination": destination, "source": source}
        show_one(dict(commit(opening.app, Context(actor), account, session=session, used=used, request=request, **told)), output)


@quota.command("release")
def quota_release(account: Account, session: Session, request: Request, actor: Actor) -> None:
    """Let go what a session holds, of which nothing was used.

    Example: o2c quota release BA-1001 --session pcf-42 --request 1 --actor pcf
    """
    from o2c.desk.quota import release

    with opened() as opening:
        release(opening.app, Context(actor), account, session=session, request=request)
        err.print(f"session {session} holds nothing of {account}")


@prepaid.command("top-up")
def prepaid_top_up(
    account: Account,
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="In units of the currency, tax included: 10.00.")],
    reference: Annotated[str, typer.Option(metavar="TEXT", help="The payment's own reference; the same one is the same top-up.")],
    actor: Actor,
    method: Annotated[str, typer.Option(metavar="METHOD", help="How it was paid.")] = "card",
    valid_days: Annotated[
        int | None, typer.Option(metavar="DAYS", help="After how many days it expires; the market's when left out, 0: never.")
    ] = None,
    command_id: CommandId = "",
) -> None:
    """Record money that came to pay for usage before it is used.

    Example: o2c prepaid top-up BA-1001 --amount 10.00 --reference PAY-7781 --actor shop
    """
    from o2c.desk.prepaid import top_up

    with opened() as opening:
        context = Context(actor, command_id=command_id)
        top_up(opening.app, context, account, amount=amount, reference=reference, method=method, valid_days=valid_days)
        stands = show_prepaid(opening.app, account)
        err.print(f"{account} has {amount_text(stands['balance_minor'], stands['currency'])} to use")


@prepaid.command("refund")
def prepaid_refund(account: Account, actor: Actor, command_id: CommandId = "") -> None:
    """Give back what is left of prepaid money to a customer who is served no more and asks for it.

    Example: o2c prepaid refund BA-1001 --actor ann
    """
    from o2c.desk.prepaid import refund_prepaid

    with opened() as opening:
        refund_prepaid(opening.app, Context(actor, command_id=command_id), account)
        stands = show_prepaid(opening.app, account)
        for back in stands["returned"][-1:]:
            goes = amount_text(back["amount_minor"] - back["fee_minor"], stands["currency"])
            due = f", by {back['refund_by']}" if back["refund_by"] else ""
            err.print(f"{goes} of {account} goes back ({', '.join(back['refunds'])}){due}")


@prepaid.command("show")
def prepaid_show(
    account: Account,
    at: Annotated[str, typer.Option(metavar="TIME", help="An instant that is over; now when left out.")] = "",
    output: Output = Format.table,
) -> None:
    """Show the prepaid balance of an account, its top-ups, and the units that sessions hold.

    Example: o2c prepaid show BA-1001 --at 2026-01-09T12:00:00Z
    """
    with looking() as opening:
        show_one(dict(show_prepaid(opening.app, account, at=time_of(at) if at else None)), output)
