"""Acting on many fallouts at once, as a job."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Annotated, Any, cast
from uuid import uuid4

import typer

from o2c.desk.act import Context, Refused
from o2c.desk.bulk import THRESHOLD_PERCENT, BulkDone, Query, bulk
from o2c.desk.fallout import (
    Assign,
    Claim,
    Correct,
    Decide,
    Escalate,
    Fail,
    FailOrder,
    Force,
    LinkTicket,
    Note,
    Release,
    Replace,
    Resume,
    Retry,
    Skip,
    Snooze,
    Wait,
    Way,
)
from o2c.entrypoints.cli.options import Actor, CommandId, complete_decision
from o2c.entrypoints.cli.output import Format, Output, err, show_one
from o2c.entrypoints.cli.resolving import changes_of, needed
from o2c.entrypoints.cli.session import opened
from o2c.entrypoints.cli.setup import SomeRefused
from o2c.entrypoints.cli.wishes import named
from o2c.views.reading import time_of

FILTERS = tuple(field.name for field in fields(Query))


def fallout_bulk(
    actor: Actor,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note with each.")] = "",
    group: Annotated[str, typer.Option(metavar="GROUP", help="All open ones of a group, as `o2c fallout groups` names it.")] = "",
    query: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help=f"All open ones that fit: {', '.join(FILTERS)}; may be repeated.")
    ] = None,
    correct: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Correct a value and try again; may be repeated.")] = None,
    decide: Annotated[str, typer.Option(metavar="approve|decline", help="Decide them.", autocompletion=complete_decision)] = "",
    fail: Annotated[bool, typer.Option("--fail", help="End their items.")] = False,
    fail_order: Annotated[bool, typer.Option("--fail-order", help="End every open item of their orders.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Count the steps as done by other means; takes a second person.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Take another SIM for each.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try again as it is.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Leave the steps out.")] = False,
    claim: Annotated[int | None, typer.Option(metavar="MINUTES", help="Take them in hand for so long: 30.")] = None,
    assign: Annotated[str, typer.Option(metavar="NAME", help="Give them to somebody.")] = "",
    to_queue: Annotated[str, typer.Option(metavar="QUEUE", help="Give them to another queue.")] = "",
    release: Annotated[bool, typer.Option("--release", help="Give them back to their queue.")] = False,
    snooze: Annotated[bool, typer.Option("--snooze", help="Leave them alone until --until.")] = False,
    wait: Annotated[str, typer.Option(metavar="WHOM", help="Wait for customer, channel, partner or regulator.")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Until when: 2026-01-20T09:00:00Z.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on after a wait or a snooze.")] = False,
    escalate: Annotated[bool, typer.Option("--escalate", help="Put them one level up.")] = False,
    ticket: Annotated[str, typer.Option(metavar="SYSTEM/TICKET", help="Link a ticket of another system.")] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="Write something down with each.")] = "",
    threshold: Annotated[str, typer.Option(metavar="PERCENT", help="Stop when so many of at least 20 failed.")] = f"{THRESHOLD_PERCENT}%",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would become of them, and do nothing.")] = False,
    command_id: CommandId = "",
    output: Output = Format.table,
) -> None:
    """Do the same about many open fallouts: a job that each meets once, even if it is killed and called again.

    Choose which (--group, or --query once for each filter) and one way to act; each is acted on as `o2c fallout resolve` and `o2c fallout work` do. Those
    that fall out meanwhile are counted apart and left alone. A job that was cut short goes on under the same --command-id, which is said at the
    start; `o2c fallout job` tells what became of each. It ends with 6 where some failed.

    Example: o2c fallout bulk --group 5c1f09ab34 --correct portInCode=ABC123456 --dry-run --actor ann --reason "the donor sent a list"
    Example: o2c fallout bulk --query queue=porting --assign ben --actor ann --reason "knows the donor"
    """
    flags = {Fail(): fail, FailOrder(): fail_order, Force(): force, Replace(): replace, Retry(): retry, Skip(): skip}
    more = {Release(): release, Resume(): resume, Escalate(): escalate}
    time = time_of(until) if until else None
    ways: list[Way] = [
        *([Correct(changes_of(correct))] if correct else []),
        *([Decide(decide == "approve")] if decide else []),
        *([Claim(claim)] if claim is not None else []),
        *([Assign(assign, to_queue)] if assign or to_queue else []),
        *([Snooze(needed(time))] if snooze else []),
        *([Wait(cast("Any", wait), time)] if wait else []),
        *([LinkTicket(ticket.rpartition("/")[2], ticket.rpartition("/")[0] or "tickets")] if ticket else []),
        *([Note()] if note else []),
        *(way for way, wanted in cast("dict[Any, bool]", {**flags, **more}).items() if wanted),
    ]
    _bulk(Context(named(actor), command_id=command_id), _query(group, query), ways, note or reason, threshold, dry_run, output)


def _bulk(
    context: Context,
    query: Query,
    ways: list[Way],
    note: str,
    threshold: str,
    dry_run: bool,
    output: Format,
) -> None:
    if len(ways) != 1:
        raise Refused("say one way to act on them, such as --retry, --correct or --assign; see `o2c fallout actions`")
    if not note.strip():
        raise Refused("--reason stands with each of them for good; say why")
    own = context if context.command_id else Context(context.actor, command_id=str(uuid4()))
    with opened() as session:
        if not dry_run:
            err.print(f"if this is cut short, it goes on with --command-id {own.command_id}")
        done = bulk(session.app, own, query, ways[0], note=note, threshold_percent=_percent(threshold), dry_run=dry_run)
        show_one({name: value for name, value in asdict(done).items() if name != "failures"}, output)
        _said(done)
    if not dry_run and (done.failed or done.stopped):
        raise typer.Exit(SomeRefused)


def _said(done: BulkDone) -> None:
    for one in done.failures:
        err.print(f"failed: {one.why}")
    if done.stopped:
        err.print(f"stopped: {done.failed} of {done.done + done.failed} failed; {done.stopped} were left alone")


def _query(group: str, pairs: list[str] | None) -> Query:
    filters = changes_of(pairs or [], "--query")
    if unknown := set(filters) - set(FILTERS):
        raise Refused(f"--query {', '.join(sorted(unknown))}: there is no such filter; there are {', '.join(FILTERS)}")
    if group and filters.get("group", group) != group:
        raise Refused("say the group once")
    return Query(**{**filters, **({"group": group} if group else {})})


def _percent(text: str) -> int:
    number = text.removesuffix("%")
    if not number.isascii() or not number.isdigit():
        raise Refused(f"--threshold {text}: say it in percent, such as 20%")
    return int(number)
