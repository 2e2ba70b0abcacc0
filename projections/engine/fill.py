"""Filling the shadow tables of a rebuild: each shard of the groups is folded and copied in by itself, here or in a process of its own."""

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
from projections.catalogue import BY_NAME
from projections.engine import tables
from projections.engine.bulk import EVERYTHING, BulkReader, Shard
from projections.engine.fold import Fold, FoldFailed, Waiting, explain, strict_rows
from projections.engine.parked import leaving_out
from projections.engine.projection import Projection
from projections.engine.seen import START, Connection

Told = Callable[[str, float], None]
"""Told what is being done (folded, copied) and how much of it is done, from 0 to 1."""
Parked = Mapping[str, Sequence[Waiting]]
Heard = SimpleQueue[tuple[int, dict[str, Any]]]

COPY_DOCS = 10_000
STEP = 0.01
"""How much must have been done before it is told again."""


@dataclass(frozen=True, slots=True)
class Job:
    """A shard to fold up to a position, and which shadow to fill: the id of its table, so that nobody fills that of another rebuild."""

    projection: str
    upto: int
    shard: int
    shards: int
    strict: bool
    shadow: int


def fill(conn: Connection, projection: Projection, job: Job, told: Told) -> Parked:
    """Fold a shard and copy its documents and rows in; what is parked. Raises FoldFailed, and Refused when the shadow is not ours any more."""
    fold = folded(conn, projection, job, told)
    copy(conn, fold, job, told)
    return fold.waiting


def folded(conn: Connection, projection: Projection, job: Job, told: Told, only: sql.Composable = EVERYTHING) -> Fold:
    """Fold the events of a shard, or only some of them, in memory. Raises FoldFailed."""
    reader = BulkReader(projection, only)
    fold, first, before = Fold(projection, reader.wanted, job.strict), 0, 0.0
    for block in reader.blocks(conn, START.position, job.upto, Shard(job.shard, job.shards)):
        fold.take(fold.concerned(block))
        first = first or block[0].position
        if (share := (block[-1].position - first) / (job.upto - first + 1)) >= before + STEP:
            told("folded", before := share)
    return fold


def copy(conn: Connection, fold: Fold, job: Job, told: Told) -> None:
    """Copy documents and their rows into the shadow, a batch a transaction: an open one would hold up every reader of the log.

    Raises FoldFailed when a document yields no valid rows, Refused when the shadow is not ours any more.
    """
    left, copied = iter(fold.docs.items()), 0
    while batch := dict(islice(left, COPY_DOCS)):
        rows = [row for group, doc in batch.items() for row in strict_rows(fold.projection, group, doc).values()]
        with conn.transaction():
            _refuse_foreign(conn, fold.projection, job.shadow)
            tables.copy_in(conn, fold.projection, batch, rows, "_new")
        copied += len(batch)
        told("copied", copied / len(fold.docs))


def _refuse_foreign(conn: Connection, projection: Projection, shadow: int) -> None:
    """Whoever outlives his rebuild must not write into the next one's tables; the lock keeps what was found true until the commit."""
    try:
        tables.lock_shadow(conn, projection)
        if tables.shadow_id(conn, projection) == shadow:
            return
    except errors.UndefinedTable:
        pass
    raise Refused(f"another rebuild of projection {projection.name} has taken over; let it finish", kind="conflict")


def fill_apart(dsn: str, jobs: Sequence[Job], told: Told) -> Parked:
    """Let each job be done by a process of its own; what is parked by all. Raises what one of them raised, FoldFailed when one died."""
    heard: Heard = SimpleQueue()
    shares: list[tuple[str, float]] = [("folded", 0.0)] * len(jobs)
    parked: dict[str, Sequence[Waiting]] = {}
    with ExitStack() as stack:
        for number, job in enumerate(jobs):
            stack.enter_context(_at_work(dsn, job, number, heard))
        left = set(range(len(jobs)))
        while left:
            number, said = heard.get()
            match said:
                case {"stage": stage, "share": share}:
                    shares[number] = stage, share
                    told(*min(shares, key=lambda known: (known[0] == "copied", known[1])))
                case {"parked": waiting}:
                    parked |= {group: [Waiting(*one) for one in events] for group, events in waiting.items()}
                    left.discard(number)
                case {"refused": message, "kind": kind}:
                    raise Refused(message, kind=kind)
                case {"failed": message}:
                    raise FoldFailed(message)
                case {"ended": code} if number in left:
                    raise FoldFailed(
                        f"a process that folded projection {jobs[number].projection} died (exit {code}); nothing is changed, rebuild again"
                    )
    return parked


@contextmanager
def _at_work(dsn: str, job: Job, number: int, heard: Heard) -> Iterator[None]:
    """A process at the job, ended at the end of the block. It is in a session of its own: a Ctrl-C is for us, and we end it."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "projections.engine.fill"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, start_new_session=True,
    ) as process:  # fmt: skip
        listening = threading.Thread(target=_listen, args=(process, number, heard))
        listening.start()
        assert process.stdin
        try:
            with suppress(BrokenPipeError):  # it died at once, and whoever listens says so
                process.stdin.write(json.dumps({"dsn": dsn, **asdict(job)}) + "\n")
                process.stdin.flush()
            yield
        finally:
            process.kill()
            listening.join()
            with suppress(BrokenPipeError):
                process.stdin.close()


def _listen(process: subprocess.Popen[str], number: int, heard: Heard) -> None:
    assert process.stdout
    for line in process.stdout:
        heard.put((number, json.loads(line)))
    heard.put((number, {"ended": process.wait()}))


def _say(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def _work(dsn: str, job: Job) -> Mapping[str, Any]:
    try:
        with tables.session(dsn) as conn:
            return {
                "parked": fill(conn, leaving_out(conn, BY_NAME[job.projection]), job, lambda stage, share: _say(stage=stage, share=share))
            }
    except FoldFailed as failure:
        return {"failed": str(failure)}
    except Refused as refusal:
        return {"refused": str(refusal), "kind": refusal.kind}
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent says it in one line, without a value
        return {"failed": f"projection {job.projection} cannot be rebuilt: {explain(error)}"}


def main() -> None:
    """One job, told in a line on standard input; when that ends, so does the process. What was done is told in lines on standard output."""
    asked = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.disable()  # documents hold no cycles, and looking for some takes a fifth of the time
    _say(**_work(asked.pop("dsn"), Job(**asked)))


if __name__ == "__main__":
    main()
