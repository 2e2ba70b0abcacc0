"""Acting on a fallout: resolving it, and handling it before that."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from o2c.desk.act import Context, Refused
from o2c.desk.fallout import Handling, Note, Resolution, resolve, work
from o2c.entrypoints.cli.fallout import Id
from o2c.entrypoints.cli.options import Actor, CommandId, complete_queue
from o2c.entrypoints.cli.output import err
from o2c.entrypoints.cli.session import opened
from o2c.entrypoints.cli.ways import HANDLING, RESOLVING, offering, option_of, ways
from o2c.entrypoints.cli.wishes import named
from o2c.files.loading import load_codes, load_rates

File = Annotated[Path, typer.Argument(metavar="FILE", help="The file of reason codes, TOML.")]


@offering(RESOLVING)
def fallout_resolve(
    fallout_id: Id,
    actor: Actor,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")],
    command_id: CommandId = "",
    **chosen: Any,
) -> None:
    """Resolve a fallout: correct a value, decide, try again, count as done, leave out, take another SIM or device, or end it.

    Choose one way. The fallout closes by the event that follows, when `o2c run` carries on, not by this command.

    Keys of --correct: for an item `place` or a characteristic (`portInCode`, `portInNumber`, ...), of a visit `visitOn` (the day:
    2026-01-20) and `visitWindow`; for a whole order `party`, `account`, `catalogue`, and `line.N.FIELD` (N counts the order's lines from 1;
    FIELD: item, action, quantity, offering, product, relies_on, place, drop, or a characteristic); for an invoice `method`.

    Example: o2c fallout resolve 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1 --correct portInCode=ABC123456 --actor ann --reason "read back"
    """
    if not actor.strip() or not reason.strip():
        raise Refused("--actor and --reason stand in the log for good; say who acts and why")
    way = ways(chosen)
    if len(way) != 1:
        raise Refused(f"say one way to resolve: {', '.join(f'--{option_of(action)}' for action in RESOLVING)}")
    resolution = cast("Resolution", way[0])
    with opened() as session:
        written = resolve(session.app, Context(actor, command_id=command_id), fallout_id, resolution, note=reason)
        if written.stream.startswith("fallout-"):
            err.print(f"{actor} proposed to force it; it is done when somebody else says the same")
        else:
            err.print(f"recorded on {written.stream}; `o2c run` carries on from here")


@offering([action for action in HANDLING if action != "note"])
def fallout_work(
    fallout_id: Id,
    actor: Actor,
    queue: Annotated[str, typer.Option(metavar="QUEUE", help="Give it to another queue.", autocompletion=complete_queue)] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Until when: 2026-01-20T09:00:00Z.")] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why, or what; kept as a personal note. Alone it is just written down.")] = "",
    command_id: CommandId = "",
    **chosen: Any,
) -> None:
    """Handle a fallout without resolving it: claim, assign, release, snooze, wait, ask, resume, escalate, link a ticket, note.

    Choose one way. While it waits for somebody else, our clock stands still. `o2c fallout actions` lists what may be done when.

    Example: o2c fallout work 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1 --claim 30 --actor ann
    Example: o2c fallout work 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1 --ask customer --note "a bill with the address" --actor ann
    """
    way = ways(chosen, until=until, queue=queue)
    if len(way) > 1 or not (way or note):
        raise Refused("say one way to handle it, such as --claim 30, or --note alone; see `o2c fallout actions`")
    with opened() as session:
        written = work(
            session.app, Context(named(actor), command_id=command_id), fallout_id, cast("Handling", way[0]) if way else Note(), note=note
        )
        err.print(f"recorded on {written.stream}")


def fallout_load_codes(file: File, actor: Actor) -> None:
    """Put reason codes of your own (TOML) over the table, in force from the day that the file says.

    The file has a `version`, a `valid_from`, and of `codes`, `queues`, `steps` and `retries` only what differs.

    Example: o2c fallout load-codes codes.toml --actor ann
    """
    with opened() as session:
        loaded = load_codes(session.app, file, context=Context(actor))
        err.print(f"reason codes {loaded.version} are in force from {loaded.valid_from}")


def fallout_load_rates(file: File, actor: Actor) -> None:
    """Put a rate card of your own (TOML) over the one before, in force from the day that the file says.

    The file has a `version`, a `valid_from`, and of `minutes`, `uses` and `markets` only what differs. A deed about a fallout costs what
    was in force on its day.

    Example: o2c fallout load-rates rates.toml --actor ann
    """
    with opened() as session:
        loaded = load_rates(session.app, file, context=Context(actor))
        err.print(f"the rate card {loaded.version} is in force from {loaded.valid_from}")
