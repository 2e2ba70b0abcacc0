"""Events out: the log as JSON lines that a shell pipe can follow."""

from __future__ import annotations

import json
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from o2c.engine.app import Engine
from o2c.entrypoints.cli.output import Format, patient_pipe, show_rows
from o2c.entrypoints.cli.session import looking, time_of
from o2c.kernel.refusal import Refused
from o2c.views.following import Mark, Wanted, check_mark, found, pages, types_named
from o2c.views.orders import find_order
from projections.engine.seen import START, last_mark
from projections.engine.tables import session as connection

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

    Goes on until the reader goes away or a signal ends it (exit 0). Starts with what is new; with --since, there; with --once alone, at the beginning. To go on after a break without a gap, give the position and id of the last line you dealt with.
    A server that goes away is waited for.

    Example: o2c events tail --type 'order.*' --since 52107264004
    """
    with _until_told(), looking() as session, patient_pipe():
        mark, wanted = _since(session.app, since, _wanted(session.app, type_, order))
        if not since and not once:
            with connection(session.app.dsn) as conn:
                mark = last_mark(conn)
        for page in pages(session.app.dsn, wanted, mark, stop=_reader_gone, wait=not once):
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
) -> None:
    """Print the events of the log that fit, oldest first.

    Of an order they are found by an index; for the rest the log is read through: half a second for 430,000 events of which few fit.

    Example: o2c events find --order WEB-1001 --type '*.fell-out'
    """
    with looking() as session:
        mark, wanted = _since(session.app, since, _wanted(session.app, type_, order))
        before, wanted = _until(until, replace(wanted, customer=customer or None))
        records = found(session.app.dsn, wanted, after=mark, before=before, limit=limit or None)
        show_rows((record.as_json() for record in records), output, empty="no such events")


def _wanted(app: Engine, types: list[str] | None, order: str) -> Wanted:
    order_id = find_order(app, order)[1].order_id if order else None
    return Wanted(types=types_named(types or ()), order=order_id)


def _since(app: Engine, text: str, wanted: Wanted) -> tuple[Mark, Wanted]:
    """Where to begin, checked against the log."""
    position, colon, event_id = text.partition(":")
    if not text:
        return START, wanted
    if not _is_position(position):
        return START, replace(wanted, since=time_of(text))
    mark = Mark(int(position), _event_id(event_id) if colon else None)
    with connection(app.dsn) as conn:
        check_mark(conn, mark)
    return mark, wanted


def _until(text: str, wanted: Wanted) -> tuple[int | None, Wanted]:
    if not text or _is_position(text):
        return int(text) if text else None, wanted
    end: datetime = time_of(text)
    return None, replace(wanted, until=end)


def _is_position(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _event_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Refused("behind the position stands no event id; give POSITION:ID as a line of the log has them") from None


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
