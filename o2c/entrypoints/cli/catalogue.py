"""The price list on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.entrypoints.cli.output import Format, Limit, Output, show_rows
from o2c.entrypoints.cli.session import looking
from o2c.views.catalogue import list_prices

catalogue = typer.Typer(no_args_is_help=True, help="The price list: what is sold, at which prices, charged how often and valid when.")
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
