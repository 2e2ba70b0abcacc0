"""Acting on a fallout."""

from __future__ import annotations

from typing import Annotated

import typer

from o2c.desk.act import Context, Refused
from o2c.desk.fallout import Correct, Decide, Fail, Force, Resolution, Retry, resolve
from o2c.entrypoints.cli.fallout import Id
from o2c.entrypoints.cli.options import Actor, CommandId, complete_decision
from o2c.entrypoints.cli.output import err
from o2c.entrypoints.cli.session import opened


def fallout_resolve(
    fallout_id: Id,
    actor: Actor,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")],
    correct: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Correct a value and try again; may be repeated.")] = None,
    decide: Annotated[
        str, typer.Option(metavar="approve|decline", help="Decide a referral, a suspected duplicate.", autocompletion=complete_decision)
    ] = "",
    fail: Annotated[bool, typer.Option("--fail", help="End the item; what relies on it is cancelled.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Count the step as done by other means.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try again as it is.")] = False,
    command_id: CommandId = "",
) -> None:
    """Act on a fallout: correct a value, decide, try again, count as done, or end the item.

    Choose one way. The fallout closes by the event that follows, when `o2c run` carries on, not by this command.

    Keys of --correct: for an item `place` or a characteristic (`portInCode`, `portInNumber`, ...); for a whole order `party`, `account`, `catalogue`,
    and `line.N.FIELD` (N counts the order's lines from 1; FIELD: item, action, quantity, offering, product, relies_on, place, drop, or a
    characteristic); for an invoice `method`.

    Example: o2c fallout resolve 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1 --correct portInCode=ABC123456 --actor ann --reason "read back"
    """
    if not actor.strip() or not reason.strip():
        raise Refused("--actor and --reason stand in the log for good; say who acts and why")
    resolution = _resolution(correct, decide, fail=fail, force=force, retry=retry)
    with opened() as session:
        written = resolve(session.app, Context(actor, command_id=command_id), fallout_id, resolution, note=reason)
        err.print(f"recorded on {written.stream}; `o2c run` carries on from here")


def _resolution(correct: list[str] | None, decide: str, *, fail: bool, force: bool, retry: bool) -> Resolution:
    """The one way that the options name. Raises Refused for none or several."""
    if decide not in ("", "approve", "decline"):
        raise Refused(f"cannot decide {decide}; say approve or decline")
    ways: list[Resolution] = [
        *([Correct(_changes(correct))] if correct else []),
        *([Decide(decide == "approve")] if decide else []),
        *(way for way, chosen in ((Fail(), fail), (Force(), force), (Retry(), retry)) if chosen),
    ]
    if len(ways) != 1:
        raise Refused("say one way to resolve: --correct, --retry, --decide, --fail or --force")
    return ways[0]


def _changes(pairs: list[str]) -> dict[str, str]:
    changes = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if len(changes) != len(pairs):
        raise Refused("--correct takes KEY=VALUE, each key once")
    return changes
