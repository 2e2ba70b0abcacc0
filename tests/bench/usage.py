"""Usage records from a file to the table, and from the table to a bill: records a second, beside a plain COPY of the same rows.

Lines have numbers of their own on one store; the records of a file name them in turn, and each file has keys of its own. What is measured is `usage load` as
a person calls it: hashing, reading, mediation, COPY, and the file's event. A plain COPY puts the same rows, ready-made, into a like table without any index.
Quota is measured on another account: a session reserves units and commits them, one session after the other.
The rating of a bill is measured on an account that has all records of a file of its own.
"""

import argparse
import cProfile
import os
import pstats
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg

from o2c.desk.quota import commit, reserve
from o2c.engine.app import Context
from o2c.files.usage import load_usage
from o2c.store.embedded import acquire
from o2c.store.usage import COLUMNS
from o2c.views.usage import rated_until, running
from tests.bench.log import database
from tests.bench.orders import tell
from tests.bench.watch import server_cpu_s
from tests.metered import account_of, metered, number_of
from tests.world import World

MEANING = "usage records from a file to the table and to a bill, beside a plain COPY"
Figures = dict[str, object]
BEGIN = datetime(2026, 1, 9, tzinfo=UTC)
UNLIKE = "CREATE TABLE plain_copy AS SELECT * FROM o2c.usage_record WITH NO DATA"
SHOWN = 12
TURNS = 3


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--records", type=int, default=200_000, help="records in a file")
    parser.add_argument("--repeat", type=int, default=3, help="files of each kind, one after the other")
    parser.add_argument("--strangers", type=int, default=0, help="of a hundred records, how many are nobody's")
    parser.add_argument(
        "--sessions", type=int, default=200, help="sessions that reserve and commit, in each of three rounds on one account"
    )
    parser.add_argument("--profile", action="store_true", help="show where the time of the last file goes")


def measure(arguments: argparse.Namespace) -> Figures:
    """Measure, print, and give the figures back."""
    loads, copies, again = list[float](), list[float](), list[float]()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="o2c-bench-")))
        folder.chmod(0o755)
        dsn = stack.enter_context(acquire(folder / "server")).dsn
        world = metered(database(dsn, "usage"), folder)
        me = number_of(world)
        for turn in range(arguments.repeat):
            path = written(folder / f"usage-{turn}.csv", me, arguments.records, arguments.strangers)
            before, own = server_cpu_s(world.app), time.process_time()
            profile = cProfile.Profile() if arguments.profile and turn == arguments.repeat - 1 else None
            loads.append(timed(world, path, profile))
            spent = f"{time.process_time() - own:.1f} s of CPU here, {server_cpu_s(world.app) - before:.1f} s in the server"
            tell(f"file {turn + 1}: {arguments.records / loads[-1]:,.0f} records/s: {loads[-1]:.1f} s, {spent}")
            again.append(timed(world, path, None))
            copies.append(copied(world, path.name))
            if profile:
                pstats.Stats(profile).sort_stats("tottime").print_stats(SHOWN)
        rated_s = rated(world)
        sessions = quota(metered(database(dsn, "quota"), folder), arguments.sessions)
    records = arguments.records
    tell(
        f"load {records / median(loads):,.0f} records/s; sent again {records / median(again):,.0f}; plain COPY {records / median(copies):,.0f}"
    )
    times = [load / copy for load, copy in zip(loads, copies, strict=True)]
    tell(
        f"a load takes {median(times):.1f} times as long as a plain COPY of its rows ({min(times):.1f} to {max(times):.1f} over {arguments.repeat} files)"
    )
    tell(f"a bill rates {records * arguments.repeat / rated_s:,.0f} records/s of one account")
    for count, seconds in sessions.items():
        tell(f"quota on one account that has {count} records: {arguments.sessions / seconds:,.0f} reservations with their commits a second")
    figures = {"records": records, "cores": os.cpu_count(), "load_s": loads, "again_s": again, "copy_s": copies, "rated_s": rated_s}
    return {**figures, "sessions": arguments.sessions, "quota_s": sessions}


def written(path: Path, me: str, records: int, strangers: int) -> Path:
    """A file of calls of a line, one every few seconds of three weeks, some of them nobody's."""
    step = timedelta(days=21) / records
    with path.open("w") as out:
        out.write("key,party,kind,start,quantity,destination,source,sequence\n")
        for n in range(records):
            party = "+447700999111" if n % 100 < strangers else me
            at = (BEGIN + n * step).isoformat(timespec="seconds")
            out.write(f"{path.stem}-{n},{party},voice,{at},{n % 600},+4420794{n % 100000:05},msc-1,{n + 1}\n")
    return path


def timed(world: World, path: Path, profile: cProfile.Profile | None) -> float:
    begun = time.perf_counter()
    if profile:
        profile.enable()
    load_usage(world.app, path, context=Context("bench", channel="intake"))
    if profile:
        profile.disable()
    return time.perf_counter() - begun


def copied(world: World, name: str) -> float:
    """The seconds in which the server takes the rows of a file as they stand in its table, ready-made."""
    listed = ", ".join(COLUMNS)
    with psycopg.connect(world.dsn, autocommit=True) as conn:
        conn.execute("DROP TABLE IF EXISTS plain_copy")
        conn.execute(UNLIKE.encode())
        with conn.cursor().copy(
            f"COPY (SELECT {listed} FROM o2c.usage_record WHERE key LIKE '{Path(name).stem}-%') TO STDOUT".encode()
        ) as out:
            rows = b"".join(bytes(part) for part in out)
        begun = time.perf_counter()
        with conn.cursor().copy(f"COPY plain_copy ({listed}) FROM STDIN".encode()) as copy:
            copy.write(rows)
        return time.perf_counter() - begun


def quota(world: World, sessions: int) -> dict[int, float]:
    """The seconds that sessions take which reserve units and commit them, one after the other, by how many records of the period there are before."""
    me, account, context, taken, count = number_of(world), account_of(world), Context("bench"), dict[int, float](), 0
    clock = world.app.clock()
    for turn in range(TURNS):
        begun = time.perf_counter()
        for n in range(sessions):
            passed = clock.now + timedelta(seconds=turn * sessions + n)
            world.app.clock = lambda now=passed: replace(clock, now=now)  # type: ignore[method-assign] # simulated time goes by quarters of an hour
            name = f"{turn}-{n}"
            reserve(world.app, context, me, session=name, kind="sms", quantity=1)
            commit(world.app, context, account, session=name, used=1, request=1)
        taken[count], count = time.perf_counter() - begun, count + sessions
    return taken


def rated(world: World) -> float:
    work, run_on = running(world.app, account_of(world))
    begun = time.perf_counter()
    rated_until(world.app, work, run_on, BEGIN + timedelta(days=30))
    return time.perf_counter() - begun
