"""Acting on many fallouts at once, as a job."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Annotated, Any
from uuid import uuid4

import typer

from o2c.desk.act import Context, Refused
from o2c.desk.bulk import THRESHOLD_PERCENT, BulkDone, Query, bulk
from o2c.desk.fallout import Way
from o2c.entrypoints.cli.options import Actor, CommandId
from o2c.entrypoints.cli.output import Format, Output, err, show_one
from o2c.entrypoints.cli.session import opened
from o2c.entrypoints.cli.setup import SomeRefused
from o2c.entrypoints.cli.ways import HANDLING, RESOLVING, changes_of, offering, ways
from o2c.entrypoints.cli.wishes import named

FILTERS = tuple(field.name for field in fields(Query))


@offering((*RESOLVING, *HANDLING))
def fallout_bulk(
    actor: Actor,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept as a personal note with each.")] = "",
    group: Annotated[str, typer.Option(metavar="GROUP", help="All open ones of a group, as `o2c fallout groups` names it.")] = "",
    query: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help=f"All open ones that fit: {', '.join(FILTERS)}; may be repeated.")
    ] = None,
    to_queue: Annotated[str, typer.Option(metavar="QUEUE", help="Give them to another queue.")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Until when: 2026-01-20T09:00:00Z.")] = "",
    threshold: Annotated[str, typer.Option(metavar="PERCENT", help="Stop when so many of at least 20 failed.")] = f"{THRESHOLD_PERCENT}%",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would become of them, and do nothing.")] = False,
    command_id: CommandId = "",
    output: Output = Format.table,
    **chosen: Any,
) -> None:
    """Do the same about many open fallouts: a job that each meets once, even if it is killed and called again.

    Choose which (--group, or --query once for each filter) and one way to act; each is acted on as `o2c fallout resolve` and `o2c fallout
    work` do. Those that fall out meanwhile are counted apart and left alone. A job that was cut short goes on under the same --command-id,
    which is said at the start; `o2c fallout job` tells what became of each. It ends with 6 where some failed.

    Example: o2c fallout bulk --group 5c1f09ab34 --correct portInCode=ABC123456 --dry-run --actor ann --reason "the donor sent a list"
    Example: o2c fallout bulk --query queue=porting --assign ben --actor ann --reason "knows the donor"
    """
    way = ways(chosen, until=until, queue=to_queue)
    note = str(chosen["note"]) or reason
    _bulk(Context(named(actor), command_id=command_id), _query(group, query), way, note, threshold, dry_run, output)


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
        show_one({name: value for name, value in asdict(done).items() if name not in ("failures", "mark")}, output)
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
    return Query.of({**filters, **({"group": group} if group else {})})


def _percent(text: str) -> int:
    number = text.removesuffix("%")
    if not number.isascii() or not number.isdigit():
        raise Refused(f"--threshold {text}: say it in percent, such as 20%")
    return int(number)
