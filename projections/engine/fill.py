"""Filling the shadow tables of a rebuild: each shard of the groups is folded, then copied in, by this process or by one of its own."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from queue import SimpleQueue
from typing import Any

from psycopg import errors, sql

from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from projections.catalogue import BY_NAME
from projections.engine import tables
from projections.engine.bulk import NO_CONDITION, BulkReader, Shard
from projections.engine.fold import Fold, FoldFailed, MakeFold, WaitingEvent, WaitingEvents, explain, strict_rows
from projections.engine.parked import without_skipped
from projections.engine.projection import Projection
from projections.engine.seen import START

OnShare = Callable[[str, float], None]
"""Called with a stage (folded, copied, indexed, compared, swapped) and the share of it that is done, from 0 to 1."""
OnStage = Callable[[str, str, float], None]
"""Called like OnShare, with the name of the projection before the rest."""
Messages = SimpleQueue[tuple[int, dict[str, Any]]]

COPY_DOCS = 10_000
STEP = 0.01
"""The share of folding that lies between two calls of `OnShare`."""


@dataclass(frozen=True, slots=True)
class Job:
    """A shard to fold up to a position.

    `shadow` is the server's id of the table to fill, so that no process fills the shadow of a later rebuild.
    """

    projection: str
    upto: int
    shard: int
    shards: int
    strict: bool
    shadow: int


def fill(conn: Connection, projection: Projection, job: Job, progress: OnShare) -> WaitingEvents:
    """Fold a shard, copy its documents and rows in, and return the events that wait.

    Raises FoldFailed; Refused when the shadow was replaced.
    """
    fold = fold_shard(conn, projection, job, progress)
    copy_shard(conn, fold, job, progress)
    return fold.waiting


def fold_shard(
    conn: Connection, projection: Projection, job: Job, progress: OnShare, only: sql.Composable = NO_CONDITION, make: MakeFold = Fold
) -> Fold:
    """Fold the events of a shard that meet the condition `only`, in memory. Raises FoldFailed."""
    reader = BulkReader(projection, only)
    fold, first, reported = make(projection, reader.type_names, job.strict), 0, 0.0
    for block in reader.blocks(conn, START.position, job.upto, Shard(job.shard, job.shards)):
        fold.take(fold.assign_groups(block))
        first = first or block[0].position
        if (share := (block[-1].position - first) / (job.upto - first + 1)) >= reported + STEP:
            progress("folded", reported := share)
    fold.end()
    return fold


def copy_shard(conn: Connection, fold: Fold, job: Job, progress: OnShare) -> None:
    """Copy documents and their rows into the shadow, in several transactions: a long one would hold up every reader of the log.

    Raises FoldFailed when a document yields no valid rows, Refused when the shadow was replaced.
    """
    docs, copied = iter(fold.docs.items()), 0
    while batch := dict(islice(docs, COPY_DOCS)):
        rows = [row for group, doc in batch.items() for row in strict_rows(fold.projection, group, doc).values()]
        with conn.transaction():
            _lock_own_shadow(conn, fold.projection, job.shadow)
            tables.copy_in(conn, fold.projection, batch, rows, "_new")
        copied += len(batch)
        progress("copied", copied / len(fold.docs))


def _lock_own_shadow(conn: Connection, projection: Projection, shadow: int) -> None:
    """Lock the shadow until the end of the transaction.

    Raises Refused when it belongs to a later rebuild, whose tables we must not write.
    """
    try:
        tables.lock_shadow(conn, projection)
        if tables.shadow_id(conn, projection) == shadow:
            return
    except errors.UndefinedTable:
        pass
    raise Refused(f"another rebuild of projection {projection.name} has taken over; let it finish", kind="conflict")


def fill_in_processes(dsn: str, jobs: Sequence[Job], progress: OnShare) -> WaitingEvents:
    """Do each job in a process of its own, and return the events that wait in all of them.

    Raises as the first process that fails; FoldFailed when one dies.
    """
    messages: Messages = SimpleQueue()
    shares: list[tuple[str, float]] = [("folded", 0.0)] * len(jobs)
    waiting: dict[str, Sequence[WaitingEvent]] = {}
    with ExitStack() as stack:
        for number, job in enumerate(jobs):
            stack.enter_context(_process(dsn, job, number, messages))
        running = set(range(len(jobs)))
        while running:
            number, message = messages.get()
            match message:
                case {"stage": stage, "share": share}:
                    shares[number] = stage, share
                    progress(*min(shares, key=lambda job: (job[0] == "copied", job[1])))
                case {"waiting": groups}:
                    waiting |= {group: [WaitingEvent(*event) for event in events] for group, events in groups.items()}
                    running.discard(number)
                case {"refused": text, "kind": kind}:
                    raise Refused(text, kind=kind)
                case {"failed": text}:
                    raise FoldFailed(text)
                case {"ended": code} if number in running:
                    raise FoldFailed(
                        f"a process that folded projection {jobs[number].projection} died (exit {code}); nothing is changed, rebuild again"
                    )
    return waiting


@contextmanager
def _process(dsn: str, job: Job, number: int, messages: Messages) -> Iterator[None]:
    """A process that does the job, killed at the end of the block. It has a session of its own, so that a Ctrl-C reaches only us."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "projections.engine.fill"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, start_new_session=True,
    ) as process:  # fmt: skip
        listening = threading.Thread(target=_listen, args=(process, number, messages))
        listening.start()
        assert process.stdin
        try:
            with suppress(BrokenPipeError):  # it died at once: the listening thread reports that
                process.stdin.write(json.dumps({"dsn": dsn, **asdict(job)}) + "\n")
                process.stdin.flush()
            yield
        finally:
            process.kill()
            listening.join()
            with suppress(BrokenPipeError):
                process.stdin.close()


def _listen(process: subprocess.Popen[str], number: int, messages: Messages) -> None:
    assert process.stdout
    for line in process.stdout:
        messages.put((number, json.loads(line)))
    messages.put((number, {"ended": process.wait()}))


def _send(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def _do(dsn: str, job: Job) -> Mapping[str, Any]:
    try:
        with tables.session(dsn) as conn:
            return {
                "waiting": fill(
                    conn, without_skipped(conn, BY_NAME[job.projection]), job, lambda stage, share: _send(stage=stage, share=share)
                )
            }
    except FoldFailed as failure:
        return {"failed": str(failure)}
    except Refused as refusal:
        return {"refused": str(refusal), "kind": refusal.kind}
    except Exception as error:  # noqa: BLE001 - the parent reports any error in one line, without a value
        return {"failed": f"projection {job.projection} cannot be rebuilt: {explain(error)}"}


def main() -> None:
    """Do the job that is given as a line of JSON on standard input, and send messages as lines of JSON on standard output.

    The end of standard input means that the parent is gone, and ends this process.
    """
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.disable()  # documents hold no cycles, and the search for cycles would take a fifth of the time
    _send(**_do(order.pop("dsn"), Job(**order)))


if __name__ == "__main__":
    main()
