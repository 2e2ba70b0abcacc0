"""Events out: the log as JSON lines that a shell pipe can follow."""

from __future__ import annotations

import json
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Annotated

import typer

from o2c.entrypoints.cli.happenings import in_a_line
from o2c.entrypoints.cli.output import Format, err, patient_pipe, show_rows
from o2c.entrypoints.cli.session import looking
from o2c.views.following import beginning_at, ending_before, find_events, last_event, tail_events, wanted

COLUMNS = ("position", "occurred_at", "type", "item", "what", "actor", "stream")
events = typer.Typer(no_args_is_help=True, help="The log as it is: events in order, as JSON lines. Personal fields are left out.")
Types = Annotated[
    list[str] | None, typer.Option("--type", metavar="TYPE", help="Only this type, or all that match (order.*); may be repeated.")
]
Order = Annotated[str, typer.Option(metavar="ORDER", help="Only what concerns this order: its id or external id.")]
Since = Annotated[
    str,
    typer.Option(
        metavar="POSITION[:ID]|TIME",
        help="After this position, whose event is read again first when its id is given; or what happened at or after this time.",
    ),
]
Until = Annotated[str, typer.Option(metavar="POSITION|TIME", help="Before this position, or what happened before this time.")]


@events.command("tail")
def events_tail(
    type_: Types = None,
    order: Order = "",
    since: Since = "",
    once: Annotated[bool, typer.Option("--once", help="End with what is there now.")] = False,
) -> None:
    """Print events as they come, a JSON object a line.

    Goes on until the reader goes away or a signal ends it (exit 0). Starts with what is new; with --since, there; with --once alone, at the
    beginning. To go on after a break without a gap, give the position and id of the last line you dealt with. A server that goes away is
    waited for.

    Example: o2c events tail --type 'order.*' --since 52107264004
    """
    with _until_told(), looking() as session, patient_pipe():
        mark, those = beginning_at(session.app, since, wanted(session.app, types=type_ or (), order=order))
        if not since and not once:
            mark = last_event(session.app)
        for page in tail_events(session.app, those, mark, stop=_reader_gone, wait=not once):
            for record in page:
                sys.stdout.write(json.dumps(record.as_json(), ensure_ascii=False) + "\n")
            sys.stdout.flush()


@events.command("find")
def events_find(
    type_: Types = None,
    order: Order = "",
    customer: Annotated[str, typer.Option(metavar="CUSTOMER", help="Only what concerns this customer.")] = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="At most so many; 0 for all.")] = 0,
    output: Annotated[Format, typer.Option("-o", "--output", help="How to show the data.")] = Format.jsonl,
    identifiers: Annotated[bool, typer.Option("--identifiers", help="ICCIDs, IMSIs and numbers in full, not masked.")] = False,
) -> None:
    """Print the events of the log that fit, oldest first; identifiers of SIMs and numbers are masked.

    Of an order they are found by an index; for the rest the log is read through: half a second for 430,000 events of which few fit.

    Example: o2c events find --order WEB-1001 --type '*.fell-out'
    """
    with looking() as session:
        mark, those = beginning_at(session.app, since, wanted(session.app, types=type_ or (), order=order, customer=customer))
        before, those = ending_before(until, those)
        beyond = find_events(session.app, those, after=mark, before=before, limit=limit + 1 if limit else None)
        records = islice(beyond, limit or None)
        told = records if identifiers else (record.masked() for record in records)
        show_rows((record.as_json() for record in told), output, empty="no such events", columns=COLUMNS, limit=0, less=in_a_line)
        if limit and output is Format.table and next(beyond, None):
            err.print("and more; --limit 0 shows all")


@contextmanager
def _until_told() -> Iterator[None]:
    """SIGTERM and SIGINT end a tail well. Both interrupt whatever it does, a wait or a query."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)


def _reader_gone() -> bool:
    """Whether nobody reads the pipe any more: without asking, a quiet log would keep the tail alive for ever."""
    if sys.platform == "win32":
        return False
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(happened & select.POLLERR for _, happened in poll.poll(0))
