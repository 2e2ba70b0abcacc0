"""Changing an order in flight on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context, Lost, Refused
from o2c.desk.revising import Amended, amend_order
from o2c.entrypoints.cli.assess import LaterPaper, OrderFile, PatchFile, shown_change, which_paper
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_one
from o2c.entrypoints.cli.read import Id
from o2c.entrypoints.cli.session import opened


def orders_amend(
    order: Id,
    actor: Actor,
    patch: PatchFile = None,
    paper: OrderFile = None,
    from_resubmission: LaterPaper = "",
    base_version: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="The version of the order that the change was decided by (`o2c orders show`).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would take.")] = False,
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Change an order in flight, and say what is taken back and done anew; what is not touched goes on.

    With --patch the file is a merge patch (RFC 7396) on the paper in force, with --order the whole paper as it is to be; with
    --from-resubmission it is what a channel sent later, whose fallout is settled by it. With --base-version, what
    others changed since stays; where they changed the same, exit 4 and -o json says what was lost. Exit 4 too where a line is past its point of no
    return (`--dry-run` tells beforehand).

    Example: o2c orders amend WEB-1001 --patch changed.json --actor ann
    """
    wanted = which_paper(patch, paper, from_resubmission)
    if dry_run:
        shown_change(order, wanted, output)
        return
    with opened() as session:
        context = Context(actor, command_id=command_id)
        try:
            done = amend_order(session.app, context, order, **wanted, base_version=base_version)
        except Lost as lost:
            if output is not Format.table:
                show_one({"lost": lost.lost}, output)
            raise
        told_of(done, order, output)


def told_of(done: Amended, order: str, output: Format) -> None:
    """Say what came of it. Raises Refused (conflict) when it was too late."""
    if done.refused:
        raise Refused(done.refused, kind="conflict")
    show_one(
        {"order": order, "state": done.state, "revision": done.revision, "penalty_minor": done.penalty_minor, "work": done.work}, output
    )
    stands = "stands as it did" if done.written.unchanged else "was changed"
    err.print(f"order {order} {stands}; `o2c run` carries on from here")
