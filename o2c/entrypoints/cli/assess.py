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
LaterPaper = Annotated[
    str, typer.Option("--from-resubmission", metavar="FALLOUT", help="The paper that a channel sent later, by its fallout (DQ-DUP).")
]


def orders_assess(
    order: Id, patch: PatchFile = None, paper: OrderFile = None, from_resubmission: LaterPaper = "", output: Output = Format.table
) -> None:
    """Show what a changed paper would take of an order in flight; nothing is written.

    With --patch the file is a merge patch (RFC 7396) on the paper in force, with --from-resubmission it is what a channel sent later. A
    line is free to change, soft (work is taken back or done anew) or hard (past its point of no return). Exit 4 for an order that is over
    or not planned.

    Example: o2c orders assess WEB-1001 --patch changed.json -o json
    """
    shown_change(order, which_paper(patch, paper, from_resubmission), output)


def which_paper(patch: Path | None, paper: Path | None, resubmission: str) -> dict[str, Any]:
    """The change as it was given, by the names of `assess_change`. Raises Refused for several or none."""
    if sum(map(bool, (patch, paper, resubmission))) != 1:
        raise Refused("give the change as --patch FILE, the whole order as --order FILE, or what came later as --from-resubmission FALLOUT")
    file = patch or paper
    return {"paper": file.read_bytes() if file else b"", "merge": patch is not None, "resubmission": resubmission}


def shown_change(order: str, wanted: Mapping[str, Any], output: Format) -> None:
    """Show what a change would take."""
    with looking() as session:
        told = assess_change(session.app, order, **wanted)
        show_one(cast("Mapping[str, Any]", told), output)
