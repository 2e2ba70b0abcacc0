"""Triggers on the command line: what is done when something happens, trying that on what happened, and what was done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from o2c.desk.act import Context
from o2c.entrypoints.cli.options import Actor, CommandId, completing
from o2c.entrypoints.cli.output import Format, Limit, Output, err, rows_wanted, show_one, show_rows
from o2c.entrypoints.cli.session import looking, opened
from o2c.entrypoints.cli.wishes import text_of
from o2c.views.reading import time_of
from o2c.views.triggers import COLUMNS, EFFECTS, STATES, TRIED, dry_run_triggers, list_firings, list_triggers, show_trigger

triggers = typer.Typer(
    no_args_is_help=True, help="Triggers: what is done when something happens, tried on what happened, and what was done."
)
Name = Annotated[str, typer.Argument(metavar="TRIGGER", help="The trigger, by its name.")]
_LISTED = ("trigger", "version", "on", "does", "conditions", "retired")


@triggers.command("set")
def triggers_set(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Triggers (TOML), each under [triggers.NAME].")],
    actor: Actor,
    command_id: CommandId = "",
) -> None:
    """Put triggers in force: of each name in the file the next version, which holds of what comes after it in the log.

    A trigger has `on` (an event, or a pattern such as *.fell-out), `when` (comparisons of its fields, all of which must hold), and `then`:
    notify, alarm, task, webhook or hold. What the file does not name stays. `o2c triggers work` does what is due.

    Example: o2c triggers set triggers.toml --actor ann
    """
    from o2c.desk.triggers import set_triggers  # needs the rules; a list does not

    with opened() as session:
        done = set_triggers(session.app, Context(actor, command_id=command_id), definitions=text_of(file))
        err.print("they stand so already" if done.unchanged else "they are in force from here on")


@triggers.command("list")
def triggers_list(
    retired: Annotated[bool, typer.Option("--retired", help="Those that are retired, too.")] = False, output: Output = Format.table
) -> None:
    """List the triggers in force, what each is on and what it does.

    Example: o2c triggers list
    """
    with looking() as session:
        show_rows(list_triggers(session.app, retired=retired), output, empty="there are no triggers", columns=_LISTED, limit=0)


@triggers.command("show")
def triggers_show(trigger: Name, output: Output = Format.table) -> None:
    """Show one trigger with every version that it had.

    Example: o2c triggers show slow-ports
    """
    with looking() as session:
        show_one(show_trigger(session.app, trigger), output)


@triggers.command("retire")
def triggers_retire(trigger: Name, actor: Actor, command_id: CommandId = "") -> None:
    """Let a trigger do nothing more; what it set off before stays.

    Example: o2c triggers retire slow-ports --actor ann
    """
    from o2c.desk.triggers import retire_trigger

    with opened() as session:
        done = retire_trigger(session.app, Context(actor, command_id=command_id), trigger)
        err.print(f"{trigger} {'was retired already' if done.unchanged else 'does nothing more'}")


@triggers.command("dry-run")
def triggers_dry_run(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Triggers that are not set; those in force when left out.")] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="Of what happened since then; the last 31 days when left out.")] = "",
    trigger: Annotated[str, typer.Option(metavar="TRIGGER", help="Only this one.")] = "",
    output: Output = Format.table,
) -> None:
    """Try triggers on what happened: how many events each matches, the first, the last and some of them. Nothing is done.

    Example: o2c triggers dry-run --since 2026-01-01 -o json
    """
    with looking() as session:
        begin = time_of(since) if since else None
        found = dry_run_triggers(session.app, text_of(file) if file else "", since=begin, trigger=trigger)
        show_rows(found, output, empty="there are no triggers", columns=TRIED, limit=0)


@triggers.command("firings")
def triggers_firings(
    trigger: Annotated[str, typer.Option(metavar="TRIGGER", help="Only of this trigger.")] = "",
    order: Annotated[str, typer.Option(metavar="ORDER", help="Only of this order, by its id or external id.")] = "",
    does: Annotated[str, typer.Option(metavar="EFFECT", help=f"One of {', '.join(EFFECTS)}.", autocompletion=completing(EFFECTS))] = "",
    state: Annotated[str, typer.Option(metavar="STATE", help=f"One of {', '.join(STATES)}.", autocompletion=completing(STATES))] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="Since then.")] = "",
    limit: Limit = None,
    output: Output = Format.table,
) -> None:
    """List what triggers set off, the last first: by which version, of which event.

    Example: o2c triggers firings --does alarm
    """
    with looking() as session:
        begin, most = time_of(since) if since else None, rows_wanted(limit, output)
        found = list_firings(session.app, trigger=trigger, order=order, does=does, state=state, since=begin, limit=most)
        show_rows(found, output, empty="no trigger set anything off", columns=COLUMNS, limit=0)


@triggers.command("fire")
def triggers_fire() -> None:
    """Do what the events since the last look set off, once, and say how much that was.

    Example: o2c triggers fire
    """
    from o2c.running.triggers import Watch

    with opened() as session:
        err.print(f"{Watch(session).fire()} were set off")


@triggers.command("work")
def triggers_work() -> None:
    """Do what events set off as they come, until SIGTERM or Ctrl-C.

    One at a time does; another waits for its turn.

    Example: o2c triggers work
    """
    from o2c.running.crew import work
    from o2c.running.triggers import Watch

    with opened() as session:
        work(Watch(session, begun=lambda: err.print("triggers are watched for; Ctrl-C ends it")), None)
