"""A whole history out of a store and into another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from o2c.entrypoints.cli.output import Format, Output, err, show_one
from o2c.entrypoints.cli.session import opened
from o2c.files.event_file import exported, made_anew, there_to_read
from o2c.files.importing import Import

File = Annotated[Path, typer.Argument(metavar="FILE", help="The file of events, JSON lines; - for the pipe.")]
PIPE = Path("-")
TOLD_EVERY = 100_000


def events_export(file: File) -> None:
    """Write the whole log to a file, to be imported elsewhere. It holds personal data: names, addresses, papers, in clear.

    A JSON object a line, in the order of the log, with the whole envelope. FILE is made anew and readable for you alone. Export a store
    that nobody writes to any more: what comes later is not in it.

    Example: o2c events export history.jsonl
    """
    with opened() as session, _made(file) as out:
        what = "what follows" if file == PIPE else file
        err.print(f"{what} holds PERSONAL DATA in clear: keep it as you keep the store, and delete it after use")
        count = exported(session.app.dsn, out, progress=_told("exported"))
    err.print(f"{count:,} events exported")


def events_import(file: File, output: Output = Format.table) -> None:
    """Take over a history: the events of streams that this log does not have, copied from a file.

    Only the owner of the store may.

    A line is a JSON object with stream, version, event_id, type, schema_version, occurred_at, actor, channel, command_id, causation,
    order_id, customer_id, body and personal, as `o2c events export` writes it; causes stand before effects, the events of a command
    together. When they were recorded is this server's to say.

    Written in batches, each whole or not at all. A line that does not fit ends it, named by its number; the batches before it stay. Repeat
    the command on the same file to go on after a break. Until the last batch nothing imported is attended to.

    Example: o2c events import history.jsonl
    """
    with opened() as session, _read(file) as source:
        now = session.now
        done = Import(session.app, progress=_told("read")).run(source)
        fresh = done.events - done.known
        show_one({"events": done.events, "imported": fresh, "known_before": done.known, "streams": done.streams}, output)
        last = done.last_occurred_at
        if last and last > now:
            err.print(f"the last event happened at {last:%Y-%m-%dT%H:%MZ}, the clock of this store stands at {now:%Y-%m-%dT%H:%MZ}")


@contextmanager
def _made(file: Path) -> Iterator[BinaryIO]:
    if file == PIPE:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with made_anew(file) as out:
            yield out


@contextmanager
def _read(file: Path) -> Iterator[BinaryIO]:
    if file == PIPE:
        yield sys.stdin.buffer
    else:
        with there_to_read(file) as source:
            yield source


def _told(what: str) -> Callable[[int], None]:
    """A line on stderr for every so many events."""
    before = 0

    def tell(count: int) -> None:
        nonlocal before
        if count // TOLD_EVERY > before // TOLD_EVERY:
            err.print(f"{count:,} events {what}")
        before = count

    return tell
