"""kill -9 of the whole PostgreSQL while orders are taken: what was acknowledged is there, and everything derived agrees with it."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

import psycopg

from o2c import Context, OrderToCash, Refused
from o2c.engine.app import Written
from o2c.store.database import connect
from projections.engine.operations import ALL, catch_up, verify
from tests.attacks.harness import Connection, Mortal, column, one, until
from tests.depth import depth
from tests.world import World, line, order

SHOP = Context("shop")
TAKERS = 4


def _take(o2c: OrderToCash, taker: str, acknowledged: list[tuple[str, int]], over: threading.Event) -> None:
    """Take one order after the other until the server is gone, and remember what it said it has."""
    with suppress(Refused):
        for n in count():
            if over.is_set():
                return
            captured = o2c.capture(order(f"{taker}-{n}", line()), SHOP)
            acknowledged.append((captured.stream, captured.position))


def _follow(dsn: str, over: threading.Event) -> None:
    """Keep the projections up to date until the server is gone."""
    with suppress(Refused, psycopg.Error):
        while not over.is_set():
            catch_up(dsn)


def _killed_while_orders_come(mortal: Mortal, cycle: int) -> list[tuple[str, int]]:
    """What was acknowledged until the server was killed; it runs again."""
    acknowledged: list[tuple[str, int]] = []
    over = threading.Event()
    with OrderToCash(mortal.dsn) as o2c, ThreadPoolExecutor(TAKERS + 1) as pool:
        going = [pool.submit(_take, o2c, f"K-{cycle}-{n}", acknowledged, over) for n in range(TAKERS)]
        going.append(pool.submit(_follow, mortal.dsn, over))
        until(lambda: len(acknowledged) > 10)
        time.sleep(random.Random(cycle).random() / 2)
        mortal.kill()
        over.set()
        mortal.start()  # at once: who waits for a connection would wait half a minute for a server that is away
        for each in going:
            each.result()
    return acknowledged


def _gaps(conn: Connection) -> list[str]:
    """Streams whose versions are not 1, 2, 3, ... up to their head's."""
    told = """SELECT stream FROM (SELECT stream, count(*) AS events, min(version) AS first, max(version) AS last, max(position) AS top
            FROM o2c.event GROUP BY stream) AS e FULL JOIN o2c.head AS h USING (stream)
        WHERE (events, first, last, top) IS DISTINCT FROM (h.version, 1, h.version, h.last_position)"""
    return column(conn, told)


def test_what_was_acknowledged_is_there(mortal: Mortal, tmp_path: Path) -> None:
    """After each kill: no acknowledged order is lost, no stream has a gap, and the projections are what a fold of the log gives."""
    World(mortal.dsn, tmp_path).stocked().close()
    acknowledged: set[tuple[str, int]] = set()
    for cycle in range(depth(2, 20)):
        acknowledged |= set(_killed_while_orders_come(mortal, cycle))
        with connect(mortal.dsn) as conn:
            stand = {(row["stream"], row["position"]) for row in conn.execute("SELECT stream, position FROM o2c.event").fetchall()}
            assert acknowledged - stand == set()
            assert _gaps(conn) == []
        catch_up(mortal.dsn)
        assert [verify(mortal.dsn, projection).differing for projection in ALL] == [()] * len(ALL)


def test_a_command_across_a_crash_has_one_effect(mortal: Mortal, tmp_path: Path) -> None:
    """The same command before and after a kill is told the same; with another body it is refused before and after."""
    World(mortal.dsn, tmp_path).stocked().close()
    own = Context("shop", command_id="0c1f3f52-6b0e-4d6e-9a53-6d0d2c6f2b11")

    def ask(note: str) -> Written:
        with OrderToCash(mortal.dsn) as o2c:
            return o2c.record_contact("C-1", own, medium="call", topic="other", note=note)

    def refused() -> str:
        try:
            ask("another")
        except Refused as refusal:
            return refusal.kind
        return "taken"

    first, before = ask("one"), refused()
    mortal.kill()
    mortal.start()
    again, after = ask("one"), refused()
    assert (first.repeated, again.repeated, again.position) == (False, True, first.position)
    assert (before, after) == ("conflict", "conflict")
    with connect(mortal.dsn) as conn:
        assert one(conn, "SELECT count(*) FROM o2c.event WHERE type = 'customer.contacted'") == 1


def test_control_asynchronous_commits_are_lost(mortal: Mortal) -> None:
    """Rows written to a plain table with synchronous_commit off were acknowledged, and are gone."""
    with connect(mortal.dsn) as conn:
        conn.execute("CREATE TABLE plain (n bigint PRIMARY KEY)")
        mortal.hold_wal()
        conn.execute("SET synchronous_commit = off")
        acknowledged = [one(conn, "INSERT INTO plain VALUES (%s) RETURNING n", n) for n in range(200)]
        assert len(acknowledged) == 200
        mortal.kill()
    mortal.start()
    with connect(mortal.dsn) as conn:
        assert column(conn, "SELECT n FROM plain") == []
