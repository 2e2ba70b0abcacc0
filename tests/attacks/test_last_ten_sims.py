"""Fifty workers take the last ten SIMs at the same moment."""

import threading
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

from o2c.store.database import connect
from tests.attacks.harness import PATIENCE_S, Mortal, at_once, column, one
from tests.world import World, at, line, order

TAKERS, LEFT = 50, 10


def test_ten_are_assigned_and_forty_are_told_so(mortal: Mortal, tmp_path: Path) -> None:
    """Ten orders have a SIM of their own, forty fell out for want of one, and the guard of each SIM names its order."""
    # This server is the one with room for the connections of fifty.
    world = World(mortal.dsn, tmp_path).stocked(esims=LEFT, physical=0, numbers=TAKERS, customers=TAKERS)
    world.take(*(order(f"WEB-{n}", line(), party=f"C-{n}") for n in range(1, TAKERS + 1)))
    world.run(at(5, 9, 1))
    rows = [row for row in world.app.reads.lease(at(5, 9, 2), 10**6, 0) if row.entry.step == "sim"]
    assert len(rows) == TAKERS
    with ExitStack() as opened:
        takers = [opened.enter_context(closing(World(mortal.dsn, tmp_path))) for _ in rows]
        at_once(TAKERS, lambda n: takers[n].runner.attend([rows[n]], round_=0))
    given = [iccid for n in range(1, TAKERS + 1) if (iccid := world.outcome(f"WEB-{n}", "1", "sim").get("iccid"))]
    assert (len(given), len(set(given))) == (LEFT, LEFT)
    assert Counter(found["reason"] for found in world.fallouts()) == {"INV-SIM": TAKERS - LEFT}
    assert [world.types(f"sim-{iccid}") for iccid in given] == [["sim.received", "sim.taken"]] * LEFT
    world.close()


def test_control_a_look_before_an_insert_gives_one_sim_to_many(dsn: str) -> None:
    """Fifty that look for a free SIM and then write down that they have it, without a guard, all have the same."""
    with connect(dsn) as conn:
        conn.execute("CREATE TABLE stock AS SELECT n AS sim FROM generate_series(1, 10) AS n")
        conn.execute("CREATE TABLE given (sim int, holder int)")
        looked = threading.Barrier(TAKERS)

        def take(taker: int) -> None:
            with connect(dsn) as own:
                sim = one(own, "SELECT min(sim) FROM stock WHERE NOT EXISTS (SELECT FROM given g WHERE g.sim = stock.sim)")
                looked.wait(PATIENCE_S)
                own.execute("INSERT INTO given VALUES (%s, %s)", [sim, taker])

        at_once(TAKERS, take)
        assert max(column(conn, "SELECT count(*) FROM given GROUP BY sim")) > 1
