"""Keys on the command line: issuing one, revoking one, and which there are."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.desk.keys import DAYS, issue_key, revoke_key
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_one, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.views.access import list_keys

keys = typer.Typer(no_args_is_help=True, help="Keys for programs that call the service: issue one, revoke one, see them all.")
COLUMNS = ("prefix", "acts_as", "roles", "stands", "expires_at", "used_on")


@keys.command("issue")
def keys_issue(
    acts_as: Annotated[str, typer.Option("--acts-as", metavar="NAME", help="The name under which it acts; stands in the log.")],
    role: Annotated[list[str], typer.Option(metavar="ROLE", help="What it may, as `o2c access permissions` has it; may be repeated.")],
    actor: Actor,
    days: Annotated[int, typer.Option(metavar="N", help="How many days it is valid.")] = DAYS,
    operation: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this of what its roles may; may be repeated.")] = None,
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Issue a key for a program, and show it once: it stands nowhere afterwards, only its hash.

    Example: o2c keys issue --acts-as web-shop --role service --days 30 --actor ann
    Example: o2c keys issue --acts-as reports --role analyst --operation metrics.explain --actor ann
    """
    with opened() as session:
        context = Context(actor, command_id=command_id)
        issued = issue_key(session.app, context, acts_as=acts_as, roles=role, days=days, operations=operation or None)
        told = {"prefix": issued.prefix, "key": issued.key, "expires_at": issued.expires_at.isoformat().replace("+00:00", "Z")}
        show_one(told, output)
        err.print("it was issued before, and is shown once" if issued.written.repeated else "keep it now: it is shown this once")


@keys.command("revoke")
def keys_revoke(
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="The key's prefix, as `o2c keys list` shows it.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Revoke a key for ever: within five seconds no service takes it any more.

    Example: o2c keys revoke 4f2a9c01b7de --reason "the laptop was stolen" --actor ann
    """
    with opened() as session:
        done = revoke_key(session.app, Context(actor, command_id=command_id), prefix, note=reason)
        err.print(f"{done.stream} is revoked{' already' if done.unchanged else ''}")


@keys.command("list")
def keys_list(output: Output = Format.table) -> None:
    """List the keys: under which name each acts, in which roles, until when, and the last day on which it was used.

    Example: o2c keys list -o json
    """
    with looking() as session:
        show_rows(list_keys(session.app), output, empty="there are no keys", columns=COLUMNS)
