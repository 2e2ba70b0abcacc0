"""SIMs on the command line: looking at one."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.entrypoints.cli.output import Format, Output, show_one
from o2c.entrypoints.cli.session import looking
from o2c.views.sims import show_sim

sims = typer.Typer(no_args_is_help=True, help="SIMs: look at one.")


@sims.command("show")
def sims_show(
    iccid: Annotated[str, typer.Argument(metavar="ICCID", help="The SIM's number; a filler F at its end may be left out.")],
    output: Output = Format.table,
) -> None:
    """Show a SIM: its states in stock, at the SIM platform and in the network, and everything that happened to it.

    Example: o2c sims show 8944770000000000009
    """
    with looking() as session:
        show_one(show_sim(session.app, iccid), output)
