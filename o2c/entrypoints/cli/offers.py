"""Offers to customers whom we let down, on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.entrypoints.cli.output import Format, Output, show_rows
from o2c.entrypoints.cli.session import current, looking
from o2c.views.offers import DAYS, offer_effects

offers = typer.Typer(no_args_is_help=True, help="Offers to customers whom we let down: what they come to beside those who were held out.")
LISTED = ("offer", "remedy", "days", "eligible", "left", "held_out", "held_out_left", "kept_points")


@offers.command("effect")
def offers_effect(
    days: Annotated[
        int, typer.Option(metavar="N", help="Within how many days a customer who leaves would have left.", show_default=True)
    ] = DAYS,
    output: Output = Format.table,
) -> None:
    """Show what each offer comes to: how many customers left of those who could have it, and of those who were held out of it.

    Example: o2c offers effect --days 30 -o jsonl
    """
    with looking() as session:
        current(session)
        show_rows(offer_effects(session.app, days=days), output, columns=LISTED)
