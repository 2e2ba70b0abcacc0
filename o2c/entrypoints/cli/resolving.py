"""Acting on a fallout: resolving it, and handling it before that."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from o2c.desk.act import Context, Refused
from o2c.desk.fallout import (
    Assign,
    ChangeOrigin,
    Claim,
    Correct,
    Decide,
    Escalate,
    Fail,
    FailOrder,
    Force,
    Handling,
    LinkTicket,
    Note,
    Release,
    Reopen,
    Replace,
    RequestInformation,
    Resolution,
    Resume,
    Retry,
    Settle,
    Skip,
    Snooze,
    Wait,
    resolve,
    work,
)
from o2c.entrypoints.cli.fallout import Id
from o2c.entrypoints.cli.options import Actor, CommandId, complete_decision, complete_queue
from o2c.entrypoints.cli.output import err
from o2c.entrypoints.cli.session import opened
from o2c.entrypoints.cli.wishes import named
from o2c.files.loading import load_codes, load_rates
from o2c.views.reading import time_of

File = Annotated[Path, typer.Argument(metavar="FILE", help="The file of reason codes, TOML.")]


def fallout_resolve(
    fallout_id: Id,
    actor: Actor,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note.")],
    correct: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Correct a value and try again; may be repeated.")] = None,
    decide: Annotated[
        str, typer.Option(metavar="approve|decline", help="Decide a referral, a suspected duplicate.", autocompletion=complete_decision)
    ] = "",
    fail: Annotated[bool, typer.Option("--fail", help="End the item; what relies on it is cancelled.")] = False,
    fail_order: Annotated[bool, typer.Option("--fail-order", help="End every open item of the order.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Count the step as done by other means; takes a second person.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Take another SIM.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try again as it is.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Leave the step out.")] = False,
    command_id: CommandId = "",
) -> None:
    """Resolve a fallout: correct a value, decide, try again, count as done, leave out, take another SIM, or end the item.

    Choose one way. The fallout closes by the event that follows, when `o2c run` carries on, not by this command.

    Keys of --correct: for an item `place` or a characteristic (`portInCode`, `portInNumber`, ...); for a whole order `party`, `account`, `catalogue`,
    and `line.N.FIELD` (N counts the order's lines from 1; FIELD: item, action, quantity, offering, product, relies_on, place, drop, or a
    characteristic); for an invoice `method`.

    Example: o2c fallout resolve 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1 --correct portInCode=ABC123456 --actor ann --reason "read back"
    """
    if not actor.strip() or not reason.strip():
        raise Refused("--actor and --reason stand in the log for good; say who acts and why")
    chosen: dict[Resolution, bool] = {
        Fail(): fail,
        FailOrder(): fail_order,
        Force(): force,
        Replace(): replace,
        Retry(): retry,
        Skip(): skip,
    }
    resolution = _resolution(correct, decide, [way for way, wanted in chosen.items() if wanted])
    with opened() as session:
        written = resolve(session.app, Context(actor, command_id=command_id), fallout_id, resolution, note=reason)
        if written.stream.startswith("fallout-"):
            err.print(f"{actor} proposed to force it; it is done when somebody else says the same")
        else:
            err.print(f"recorded on {written.stream}; `o2c run` carries on from here")


def fallout_work(
    fallout_id: Id,
    actor: Actor,
    claim: Annotated[int | None, typer.Option(metavar="MINUTES", help="Take it in hand for so long: 30.")] = None,
    assign: Annotated[str, typer.Option(metavar="NAME", help="Give it to somebody.")] = "",
    queue: Annotated[str, typer.Option(metavar="QUEUE", help="Give it to another queue.", autocompletion=complete_queue)] = "",
    release: Annotated[bool, typer.Option("--release", help="Give it back to its queue.")] = False,
    snooze: Annotated[bool, typer.Option("--snooze", help="Leave it alone until --until.")] = False,
    wait: Annotated[str, typer.Option(metavar="WHOM", help="Wait for customer, channel, partner or regulator.")] = "",
    ask: Annotated[str, typer.Option(metavar="WHOM", help="Ask for what --note says, and wait.")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Until when: 2026-01-20T09:00:00Z.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on after a wait or a snooze.")] = False,
    reopen: Annotated[bool, typer.Option("--reopen", help="Look at a closed one again; --note says why.")] = False,
    settle: Annotated[bool, typer.Option("--settle", help="What was looked at again is in order.")] = False,
    escalate: Annotated[bool, typer.Option("--escalate", help="Put it one level up.")] = False,
    ticket: Annotated[str, typer.Option(metavar="SYSTEM/TICKET", help="Link a ticket of another system.")] = "",
    origin: Annotated[str, typer.Option(metavar="ORIGIN", help="Say whose fault it was: partner, upstream, ...")] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why, or what; kept as a personal note. Alone it is just written down.")] = "",
    command_id: CommandId = "",
) -> None:
    """Handle a fallout without resolving it: claim, assign, release, snooze, wait, ask, resume, escalate, link a ticket, note.

    Choose one way. While it waits for somebody else, our clock stands still. `o2c fallout actions` lists what may be done when.

    Example: o2c fallout work 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1 --claim 30 --actor ann
    Example: o2c fallout work 5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1 --ask customer --note "a bill with the address" --actor ann
    """
    time = time_of(until) if until else None
    others: dict[Handling, bool] = {
        Release(): release, Resume(): resume, Reopen(): reopen, Settle(): settle, Escalate(): escalate
    }  # fmt: skip
    ways: list[Handling] = [
        *([Claim(claim)] if claim is not None else []),
        *([Assign(assign, queue)] if assign or queue else []),
        *([Snooze(needed(time))] if snooze else []),
        *([Wait(cast("Any", wait), time)] if wait else []),
        *([RequestInformation(cast("Any", ask), time)] if ask else []),
        *([LinkTicket(ticket.rpartition("/")[2], ticket.rpartition("/")[0] or "tickets")] if ticket else []),
        *([ChangeOrigin(cast("Any", origin))] if origin else []),
        *(way for way, wanted in others.items() if wanted),
    ]
    if len(ways) > 1 or not (ways or note):
        raise Refused("say one way to handle it, such as --claim 30, or --note alone; see `o2c fallout actions`")
    with opened() as session:
        written = work(session.app, Context(named(actor), command_id=command_id), fallout_id, ways[0] if ways else Note(), note=note)
        err.print(f"recorded on {written.stream}")


def needed(time: datetime | None) -> datetime:
    """The time until which something is left alone. Raises Refused for none."""
    if time is None:
        raise Refused("say with --until how long it is left alone")
    return time


def _resolution(correct: list[str] | None, decide: str, others: list[Resolution]) -> Resolution:
    """The one way that the options name. Raises Refused for none or several."""
    if decide not in ("", "approve", "decline"):
        raise Refused(f"cannot decide {decide}; say approve or decline")
    ways: list[Resolution] = [
        *([Correct(changes_of(correct))] if correct else []),
        *([Decide(decide == "approve")] if decide else []),
        *others,
    ]
    if len(ways) != 1:
        raise Refused("say one way to resolve: --correct, --retry, --decide, --force, --skip, --replace, --fail or --fail-order")
    return ways[0]


def changes_of(pairs: list[str], option: str = "--correct") -> dict[str, str]:
    """What an option that takes KEY=VALUE says. Raises Refused."""
    changes = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if len(changes) != len(pairs):
        raise Refused(f"{option} takes KEY=VALUE, each key once")
    return changes


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

    The file has a `version`, a `valid_from`, and of `minutes`, `uses` and `markets` only what differs. A deed about a fallout costs what was in force
    on its day.

    Example: o2c fallout load-rates rates.toml --actor ann
    """
    with opened() as session:
        loaded = load_rates(session.app, file, context=Context(actor))
        err.print(f"the rate card {loaded.version} is in force from {loaded.valid_from}")
