"""Vouchers on the command line."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Limit, Output, err, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.vouchers import show_vouchers

vouchers = typer.Typer(no_args_is_help=True, help="Vouchers: issue a campaign of codes, see what is reserved, redeemed and left.")
SHOWN = (
    "campaign",
    "code",
    "takes_off",
    "reserved",
    "redeemed",
    "left",
    "budget_minor",
    "left_minor",
    "currency",
    "valid_from",
    "valid_to",
    "reserved_days",
)


Combines = Literal["stackable", "best-of", "exclusive"]


@vouchers.command("issue")
def vouchers_issue(
    campaign: Annotated[
        str, typer.Argument(metavar="CAMPAIGN", help="Its name, in capitals and digits; where no code is named, the code as well.")
    ],
    actor: Actor,
    percent: Annotated[str, typer.Option("--percent", metavar="PERCENT", help="How much of the price they take off: 20.")] = "",
    amount: Annotated[
        str, typer.Option("--amount", metavar="AMOUNT", help="How much of each period they take off, without tax: 5.00.")
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="Off the price that is charged once, not off the one that recurs.")] = False,
    months: Annotated[int, typer.Option("--months", metavar="N", help="For how many months; for good when left out.", min=0)] = 0,
    combines: Annotated[
        Combines,
        typer.Option("--combines", help="How they stand beside other discounts: of best-of ones the largest counts, exclusive ones alone."),
    ] = "stackable",
    code: Annotated[list[str] | None, typer.Option("--code", metavar="CODE", help="A code, CAMPAIGN-…; again for each.")] = None,
    uses: Annotated[int, typer.Option("--uses", metavar="N", help="How often each code may be used.", min=1)] = 1,
    budget: Annotated[str, typer.Option("--budget", metavar="AMOUNT", help="What all uses may come to, without tax.")] = "",
    offering: Annotated[list[str] | None, typer.Option("--offering", metavar="ID", help="Only for this offering; again for each.")] = None,
    tier: Annotated[
        list[str] | None, typer.Option("--tier", metavar="TIER", help="Only for customers of this tier; again for each.")
    ] = None,
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="For orders taken from here on; a day begins at midnight in the market.")
    ] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="For orders taken before this.")] = "",
    market: Annotated[str, typer.Option(metavar="CODE", help="The market of the offerings.", show_default=True)] = "GB",
    days: Annotated[
        int | None,
        typer.Option(
            "--reserved-days", metavar="N", help="How long an order holds a use: 90 when left out, 0 for as long as it goes on.", min=0
        ),
    ] = None,
    command_id: CommandId = "",
) -> None:
    """Issue a campaign of vouchers: codes that take something off a price, once or several times, within a budget or without.

    An order names a code as the characteristic `voucher` of an item. A use is reserved as the order is validated, redeemed as the order is
    complete, and given back when nothing comes of it. An order that is not over when the days are goes on without it, at the price without
    it.

    Example: o2c vouchers issue SPRING --percent 20 --months 3 --uses 100 --budget 1000.00 --actor ann
    """
    from o2c.desk.vouchers import issue_vouchers, moment  # needs the rules; the list does not

    of: Literal["recurring", "one-time"] = "one-time" if once else "recurring"
    with opened() as session:
        written = issue_vouchers(
            session.app,
            Context(actor, command_id=command_id),
            campaign,
            percent=percent,
            amount=amount,
            of=of,
            months=months,
            combines=combines,
            codes=code or (),
            uses_max=uses,
            budget=budget,
            offerings=offering or (),
            tiers=tier or (),
            valid_from=moment(session.app, since, market),
            valid_to=moment(session.app, until, market),
            market=market,
            reserved_days=days,
        )
        err.print(f"campaign {campaign} {'was issued already' if written.repeated or written.unchanged else 'issued'}")


@vouchers.command("show")
def vouchers_show(
    campaign: Annotated[
        str, typer.Argument(metavar="[CAMPAIGN]", help="A campaign, or a code of it; all when left out.", show_default=False)
    ] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Show campaigns of vouchers, a line for each code: what it takes off, and what of it is reserved, redeemed and left.

    Example: o2c vouchers show SPRING
    """
    with looking() as session:
        found = show_vouchers(session.app, campaign=campaign)
        rows: list[dict[str, Any]] = [{**each, **code} for each in found for code in each["codes"]]
        if output == Format.table:
            # To people no budget is no amount, and not one of nothing.
            rows = [{**row, "budget_minor": row["budget_minor"] or None} for row in rows]
        show_rows(rows, output, columns=SHOWN, limit=limit, empty="no vouchers were issued")
