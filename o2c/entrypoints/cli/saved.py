"""Saved views of the fallout queue on the command line."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from o2c.desk import saving
from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId, complete_queue, complete_reason, completing
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.entrypoints.cli.wishes import one_of
from o2c.views.fallouts import SORTS, STATES, Sort
from o2c.views.saved import saved_views

Name = Annotated[str, typer.Argument(metavar="NAME", help="The view's name; it stands in the log: nothing personal.")]


def save(
    name: Name,
    actor: Actor,
    queue: Annotated[str, typer.Option(metavar="QUEUE", help="Only this queue: porting.", autocompletion=complete_queue)] = "",
    reason: Annotated[str, typer.Option(metavar="CODE", help="Only this reason code: NP-CODE.", autocompletion=complete_reason)] = "",
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only of this customer.")] = "",
    group: Annotated[str, typer.Option(metavar="GROUP", help="Only of this group, as `o2c fallout groups` names it.")] = "",
    owner: Annotated[str, typer.Option(metavar="NAME", help="Only what this person has, or this team and nobody in it.")] = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help=f"Only those that stand so: {', '.join(STATES)}.", autocompletion=completing(STATES))
    ] = "",
    age_days: Annotated[int, typer.Option(metavar="N", help="Only those that are there since so many days at least.")] = 0,
    sort: Annotated[str, typer.Option(metavar="KEY", help=f"By {', '.join(SORTS)}.", autocompletion=completing(SORTS))] = "rank",
    all_: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    command_id: CommandId = "",
) -> None:
    """Save a view of the queue under a name, to come back to in the console.

    It is the view of whoever acts; one of that name before is replaced.

    Example: o2c fallout save-view "old ports" --reason NP-CODE --sort oldest --actor ann
    """
    one_of("--sort", sort, SORTS)
    said = {"queue": queue, "reason": reason, "customer": customer, "group": group, "owner": owner, "state": state}
    with opened() as session:
        context = Context(actor, command_id=command_id)
        saving.save_view(session.app, context, name, **said, age_days=age_days, everything=all_, sort=cast("Sort", sort))
        err.print("saved")


def forget(name: Name, actor: Actor, command_id: CommandId = "") -> None:
    """Forget a saved view.

    Example: o2c fallout forget-view "old ports" --actor ann
    """
    with opened() as session:
        saving.forget_view(session.app, Context(actor, command_id=command_id), name)
        err.print("forgotten")


def saved(
    owner: Annotated[str, typer.Option(metavar="NAME", help="Only those of this person.")] = "", output: Output = Format.table
) -> None:
    """List saved views of the queue, with the filters of each.

    Example: o2c fallout saved-views --owner ann
    """
    with looking() as session:
        show_rows(saved_views(session.app, owner=owner), output, empty="nobody has saved a view", limit=0)
