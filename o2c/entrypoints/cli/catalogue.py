"""The price list on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Limit, Output, err, show_one, show_rows
from o2c.entrypoints.cli.session import current, looking, opened
from o2c.entrypoints.cli.wishes import text_of
from o2c.views.catalogue import list_prices
from o2c.views.reading import amount_text, day_of, time_of
from o2c.views.shown import DryRunOrder

catalogue = typer.Typer(no_args_is_help=True, help="The price list: what is sold, at which prices, charged how often and valid when.")
DIFFERS = ("offering", "what", "change", "before_minor", "after_minor", "currency", "was", "now", "stage")
TRIED = {"items": ("external_id", "came_out", "prices", "why")}
SHOWN = ("offering", "price", "amount_minor", "currency", "charged", "for_orders", "state", "sold", "on_sale", "market", "tax_group")


@catalogue.command("list")
def catalogue_list(
    offering: Annotated[str, typer.Option(metavar="ID", help="Only this offering.")] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List what is sold, a line for each price.

    Amounts are net of tax. A price holds for orders taken within its validity, whose end is excluded.

    Example: o2c catalogue list
    """
    with looking() as session:
        show_rows(list_prices(session.app, offering=offering), output, columns=SHOWN, limit=limit, empty="nothing is published yet")


@catalogue.command("diff")
def catalogue_diff(
    a: Annotated[int, typer.Argument(metavar="A", help="A version of the catalogue, as orders pin it; 0 is before the first.", min=0)],
    b: Annotated[int, typer.Argument(metavar="[B]", help="Another one; left out, the version of now.", min=0, show_default=False)] = 0,
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """Show what differs between two versions of the catalogue, offering by offering and price by price.

    Amounts are net of tax. A draft beside an offering that is on sale is compared with the draft of before.

    Example: o2c catalogue diff 1
    """
    from o2c.views.catalogue_versions import diff_catalogue  # needs the rules; the list does not

    with looking() as session:
        show_rows(diff_catalogue(session.app, a, b), output, columns=DIFFERS, limit=limit, empty="nothing differs")


@catalogue.command("dry-run")
def catalogue_dry_run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A list of TMF620 offerings, as for `load catalogue`.")],
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Orders captured from here on; the last 31 days when left out.")
    ] = "",
    on: Annotated[
        str, typer.Option("--on", metavar="TIME", help="The list as it stands then; now, or when its last validity begins, when left out.")
    ] = "",
    market: Annotated[str, typer.Option(metavar="CODE", help="The market of the list.", show_default=True)] = "GB",
    output: Output = Format.table,
) -> None:
    """Try a price list on the orders that came: what would have been priced otherwise, and what would have fallen out.

    Decided by the real rules over the papers as they were recorded, corrections and all; nothing is written. Drafts count as on sale. What
    recurs is counted once a period.

    Example: o2c catalogue dry-run catalogue.tmf620.json --since 2026-01-01
    """
    from o2c.views.catalogue_versions import dry_run  # needs the rules; the list does not

    text = text_of(file)
    with looking() as session:
        current(session)
        times = {name: time_of(told) for name, told in (("since", since), ("on", on)) if told}
        told = dry_run(session.app, text, market=market, **times)
        show_one({**told, "items": [_in_words(row) for row in told["items"]]} if output is Format.table else told, output, columns=TRIED)


def _in_words(row: DryRunOrder) -> dict[str, Any]:
    """An order that comes out otherwise as a person reads it: of its sums those that differ, as amounts."""
    before, after = row["before"], row["after"]
    differing = [often for often in {**before, **after} if after and before.get(often) != after.get(often)]
    told = [[amount_text(sums.get(often, 0), row["currency"]) for sums in (before, after)] for often in differing]
    return {**row, "prices": ", ".join(f"{was} -> {will} {often}" for (was, will), often in zip(told, differing, strict=True))}


@catalogue.command("announce-rise")
def catalogue_announce_rise(
    offering: Annotated[str, typer.Argument(metavar="OFFERING", help="Whose recurring price rises for those who have it.")],
    amount: Annotated[str, typer.Option("--amount", metavar="AMOUNT", help="By how much a period, without tax: 1.50. Never a percentage.")],
    from_day: Annotated[
        str, typer.Option("--from", metavar="DAY", help="The first day at the new price, as 2026-06-01, after the notice.")
    ],
    actor: Actor,
    market: Annotated[str, typer.Option(metavar="CODE", help="The market of the offering.", show_default=True)] = "GB",
    command_id: CommandId = "",
) -> None:
    """Announce that services which run cost more from a day on, and bill them so from that day.

    The market says how many days' notice that takes. Whoever was charged already when it is announced pays it; new orders take the price
    list. What was billed before the announcement stays as it is.

    Example: o2c catalogue announce-rise lark-line --amount 1.50 --from 2026-06-01 --actor ann
    """
    from o2c.desk.catalogue import announce_rise  # needs the rules; the list does not

    with opened() as session:
        day = day_of(from_day)
        written = announce_rise(session.app, Context(actor, command_id=command_id), offering, amount=amount, from_day=day, market=market)
        was = "was announced already" if written.repeated or written.unchanged else "announced"
        err.print(f"{offering}: a rise of {amount} from {from_day} on {was}")
