"""A link to an order for its customer, on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.entrypoints.cli.output import Format, Output, show_one
from o2c.entrypoints.cli.read import Id
from o2c.entrypoints.cli.session import looking
from o2c.views.order_link import DAYS, order_link


def orders_link(
    order: Id,
    days: Annotated[int, typer.Option(metavar="N", help="After so many days it ends.")] = DAYS,
    output: Output = Format.table,
) -> None:
    """Make a link to one order for its customer, which ends after some days.

    `path` stands behind the address of the service (`o2c serve`). It shows no name, number or address, and nothing of another order. It is
    signed with the operator's key; another key makes every link void.

    Example: o2c orders link WEB-1001 --days 14
    """
    with looking() as session:
        made = order_link(session.app, session.home, order, days=days)
        show_one({**made, "path": f"/my/{made['link']}"}, output)
