"""Showing on the command line what a change would take of an order in flight."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from o2c.desk.act import Refused
from o2c.entrypoints.cli.output import Format, Output, show_one
from o2c.entrypoints.cli.read import Id
from o2c.entrypoints.cli.session import looking
from o2c.views.assessing import assess_change

PatchFile = Annotated[
    Path | None,
    typer.Option(
        "--patch", metavar="FILE", exists=True, dir_okay=False, help="What is to be otherwise, as a merge patch on the paper in force."
    ),
]
OrderFile = Annotated[
    Path | None, typer.Option("--order", metavar="FILE", exists=True, dir_okay=False, help="The whole order as it is to be (TMF622).")
]


def orders_assess(order: Id, patch: PatchFile = None, paper: OrderFile = None, output: Output = Format.table) -> None:
    """Show what a changed paper would take of an order in flight; nothing is written.

    With --patch the file is a merge patch (RFC 7396) on the paper in force. A line is free to change, soft (work is taken back or done
    anew) or hard (past its point of no return). Exit 4 for an order that is over or not planned.

    Example: o2c orders assess WEB-1001 --patch changed.json -o json
    """
    shown_change(order, *which_paper(patch, paper), output)


def which_paper(patch: Path | None, paper: Path | None) -> tuple[Path, bool]:
    """The one file that was given, and whether it is a merge patch. Raises Refused for both or none."""
    if (patch is None) == (paper is None):
        raise Refused("give the change as --patch FILE, or the whole order as --order FILE")
    return (patch or paper or Path()), patch is not None


def shown_change(order: str, file: Path, merge: bool, output: Format) -> None:
    """Show what the paper in a file would take."""
    with looking() as session:
        told = assess_change(session.app, order, file.read_bytes(), merge=merge)
        show_one(cast("Mapping[str, Any]", told), output)
