"""The queue of what hooks are to be told: how it is looked through, and what an operator sees of it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.checks.diagnose import run_checks
from o2c.running.telemetry import figures
from o2c.store import outbox
from o2c.store.database import connect
from tests.hooked import FAILED, Hooked, Post
from tests.world import World, line, order

ORDERS = 40


@pytest.fixture
def hooked(world: World, tmp_path: Path) -> Iterator[tuple[Hooked, Post]]:
    """A subscriber, and orders enough that many streams wait at once."""
    world.take(*(order(f"WEB-{n}", line()) for n in range(ORDERS)))
    post = Post()
    made = Hooked(world.app, tmp_path, post=post)
    yield made, post
    made.deliverer.close()


def test_a_look_at_the_queue_serves_many_streams(hooked: tuple[Hooked, Post], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only the messages that are under way together; each is sent once, the first of its stream first."""
    teller, post = hooked
    looks: list[int] = []
    due = outbox.due

    def counting(*arguments: Any) -> Any:
        found = due(*arguments)
        looks.append(len(found))
        return found

    monkeypatch.setattr(outbox, "due", counting)
    hook = teller.subscribe(after="0", types=["order.captured"]).hook
    teller.tell(hook)

    assert looks == [ORDERS, 0]
    assert len(set(post.ids)) == len(post.ids) == ORDERS


def test_what_is_due_is_the_first_of_each_stream_however_much_waits_behind_it(hooked: tuple[Hooked, Post]) -> None:
    """The server enters its index once for each stream: what waits behind the first of a stream is not read."""
    teller, _ = hooked
    rows = 4_000
    with connect(teller.app.dsn) as conn:
        conn.execute(
            """INSERT INTO o2c.outbox (hook, position, part, event_id, stream, kind, made_at, next_at)
            SELECT 'h', n, 0, gen_random_uuid(), 'order-' || (n %% 3), 'k', now(), now() FROM generate_series(1, %s) n""",
            (rows,),
        )
        conn.execute("ANALYZE o2c.outbox")
        found = outbox.due(conn, "h", teller.now + timedelta(hours=1), 8)
        explained = conn.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + outbox._DUE, {"hook": "h", "at": teller.now, "most": 8}).fetchone()

    assert [(each.stream, each.position) for each in found] == [("order-1", 1), ("order-2", 2), ("order-0", 3)]
    assert explained is not None
    assert 0 < max(read_by(explained["QUERY PLAN"][0]["Plan"])) < 20


def read_by(plan: dict[str, Any]) -> Iterator[float]:
    """How many rows each part of a plan read, over all its rounds."""
    yield plan["Actual Rows"] * plan["Actual Loops"]
    for part in plan.get("Plans", ()):
        yield from read_by(part)


def told(teller: Hooked) -> tuple[str, str]:
    [check] = [check for check in run_checks(teller.app, quick=True) if check.name == "hooks are told"]
    return check.state, check.detail


def gauges(teller: Hooked) -> dict[str, float]:
    pairs = (row.split() for row in figures(teller.app).splitlines() if row.startswith("o2c_hooks_"))
    return {name: float(value) for name, value in pairs}


def test_what_waits_and_what_was_given_up_is_seen_by_whoever_watches_the_store(hooked: tuple[Hooked, Post]) -> None:
    """In the figures for Prometheus and in the checks: nothing at first, then what waits, then for how long, and what was given up."""
    teller, post = hooked
    assert gauges(teller) == {"o2c_hooks_pending": 0, "o2c_hooks_dead": 0, "o2c_hooks_oldest_seconds": 0}
    assert told(teller)[0] == "ok"
    hook = teller.subscribe(after="0", types=["order.captured"]).hook
    post.answer = lambda name, attempt: FAILED
    teller.tell(hook)

    waiting = gauges(teller)
    assert (waiting["o2c_hooks_pending"], waiting["o2c_hooks_dead"], waiting["o2c_hooks_oldest_seconds"] < 600) == (ORDERS, 0, True)
    assert told(teller)[0] == "ok"
    with connect(teller.app.dsn) as conn:
        conn.execute("UPDATE o2c.outbox SET made_at = made_at - interval '2 hours'")
    assert gauges(teller)["o2c_hooks_oldest_seconds"] > 7_000
    assert (told(teller)[0], "is `o2c serve` running" in told(teller)[1]) == ("failed", True)
    with connect(teller.app.dsn) as conn:
        conn.execute("UPDATE o2c.outbox SET state = 'dead'")
    assert gauges(teller) == {"o2c_hooks_pending": 0, "o2c_hooks_dead": ORDERS, "o2c_hooks_oldest_seconds": 0}
    assert (told(teller)[0], f"{ORDERS} given up" in told(teller)[1]) == ("failed", True)
