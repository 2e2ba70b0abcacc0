"""The store itself: who may do what in it, and in which life it is."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_rows
from o2c.entrypoints.cli.session import opened
from o2c.running.roles import arranged_roles
from o2c.running.store import adopt

store = typer.Typer(no_args_is_help=True, help="The store itself: who may do what in it, and in which life it is.")


@store.command("roles")
def store_roles(output: Output = Format.table) -> None:
    """Make the roles of the store, and give to each what is its own; a repeat puts right what was changed since.

    Nobody logs in as one of them. Make logins members: a service of o2c_appender and o2c_projector, an analyst of o2c_reader. In a database
    that is not called o2c the names end with the database's.

    Example: o2c store roles
    """
    with opened() as session:
        rows = arranged_roles(session.app)
        show_rows(rows, output)
        err.print(f'let a login in with: GRANT "{rows[1]["role"]}", "{rows[2]["role"]}" TO its_name')


@store.command("adopt")
def store_adopt(
    actor: Actor,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with the new life.")],
    command_id: CommandId = "",
) -> None:
    """Declare that this store is a copy that goes on by itself, so that it gives no position that the original gave.

    A promotion, a recovery or a load into another cluster is noticed without it. A plain copy of the data folder, a base backup started
    without recovery and a folder rolled back are not: adopt those before anything is written to them.

    Example: o2c store adopt --actor ann --reason "folder brought back from last night's copy"
    """
    with opened() as session:
        adopted = adopt(session.app, Context(actor, command_id=command_id), reason=reason)
    done = "adopted before" if adopted.repeated else "adopted"
    err.print(f"{done}: life {adopted.lives} of the log, everything new lies above position {adopted.fork_position}")
