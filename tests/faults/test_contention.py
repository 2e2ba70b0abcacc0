"""Many at once: stock is given out once, a command has one effect, simulated time has one driver."""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from o2c.desk.fallout import Correct
from o2c.engine.app import Engine
from o2c.engine.drafts import Command
from o2c.kernel.partner import Answer, Answered, RefusedBy, Request
from o2c.kernel.refusal import Refused
from o2c.store.commands import Outcome
from o2c.store.database import connect
from o2c.store.reads import DueRow
from tests.world import ScriptedPartner, World, at, line, order, ported

TAKERS = 12
LEFT = 5


def test_twelve_orders_take_the_last_five_sims(dsn: str, tmp_path: Path) -> None:
    """Five get one each, seven wait for the supplier, no SIM is given twice."""
    world = World(dsn, tmp_path).stocked(esims=LEFT, physical=0, numbers=TAKERS, customers=TAKERS)
    world.take(*(order(f"WEB-{n}", line(), party=f"C-{n}") for n in range(1, TAKERS + 1)))
    world.run(at(5, 9, 1))
    rows = [row for row in world.app.reads.lease(at(5, 9, 2), 10**6, 0) if row.entry.step == "sim"]
    together = threading.Barrier(TAKERS)

    def take(row: DueRow) -> None:
        taker = World(dsn, tmp_path)
        together.wait()
        taker.runner.attend([row], round_=0)
        taker.close()

    with ThreadPoolExecutor(TAKERS) as takers:
        list(takers.map(take, rows))
    outcomes = [world.outcome(f"WEB-{n}", "1", "sim").get("iccid") for n in range(1, TAKERS + 1)]
    assert len(rows) == TAKERS
    assert len(set(outcomes) - {None}) == LEFT
    assert Counter(found["reason"] for found in world.fallouts()) == {"INV-SIM": TAKERS - LEFT}
    assert [world.types(f"sim-{iccid}") for iccid in outcomes if iccid] == [["sim.received", "sim.taken"]] * LEFT
    world.close()


def test_a_person_who_clicks_twice_at_once_is_heard_once(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same command from four windows that saw the same: one correction, one new attempt."""
    world = World(dsn, tmp_path).stocked()
    world.scripted.will("porting", RefusedBy("CODE-EXPIRED"))
    world.take(order("WEB-1", ported()))
    world.run(at(5, 10)).fallouts()
    together = threading.Barrier(4)
    write = Engine.write

    def at_once(app: Engine, commands: Sequence[Command]) -> list[Outcome]:
        together.wait()
        return write(app, commands)

    def click(_: int) -> str:
        window = World(dsn, tmp_path)
        stream = window.resolve("NP-CODE", Correct({"portInCode": "DEF654321"})).stream
        window.close()
        return stream

    monkeypatch.setattr(Engine, "write", at_once)
    with ThreadPoolExecutor(4) as windows:
        heard = set(windows.map(click, range(4)))
    told = Counter(world.told("WEB-1"))
    assert len(heard) == 1
    assert (told["fallout.correction-applied"], told["porting.requested"]) == (1, 2)
    world.close()


class Held:
    """A partner that answers when it is let go."""

    def __init__(self) -> None:
        self.called, self.let_go = threading.Event(), threading.Event()

    def submit(self, request: Request) -> Answer:
        self.called.set()
        assert self.let_go.wait(30)
        return Answered()

    query = submit


def test_a_second_driver_of_simulated_time_is_refused(dsn: str, tmp_path: Path) -> None:
    """While one process lets time pass another cannot; afterwards it can."""
    outside = Held()
    first = World(dsn, tmp_path, outside).stocked()
    second = World(dsn, tmp_path)
    first.take(order("WEB-1", line()))
    with ThreadPoolExecutor(1) as drivers:
        driving = drivers.submit(first.run, at(5, 10))
        assert outside.called.wait(30)
        try:
            with pytest.raises(Refused, match="another process already does this"):
                second.run(at(5, 10))
        finally:
            outside.let_go.set()
        driving.result()
    assert second.run(at(6)).state("WEB-1") == "completed"
    first.close()
    second.close()


class Interrupting(ScriptedPartner):
    """Activates the service while somebody else writes to the order."""

    def __init__(self, dsn: str, folder: Path) -> None:
        super().__init__()
        self.dsn, self.folder = dsn, folder

    def submit(self, request: Request) -> Answer:
        if request.step == "activation" and not self.asked("activation"):
            other = World(self.dsn, self.folder)
            other.take(order("WEB-1", line(), priority=0), name="again.jsonl")
            other.close()
        return super().submit(request)


@pytest.mark.parametrize("clock", ["simulated", "real"])
def test_an_order_that_changed_under_the_answer_is_decided_again_with_it(dsn: str, tmp_path: Path, clock: str) -> None:
    """The answer in hand is not asked for a second time: the partner hears one request."""
    outside = Interrupting(dsn, tmp_path)
    world = World(dsn, tmp_path, outside, clock=clock).stocked()
    world.take(order("WEB-1", line()))
    world.attend(7)
    told = world.told("WEB-1")
    assert len(outside.asked("activation")) == 1
    assert told.index("order.resubmitted") < told.index("service.activated")
    assert Counter(told)["service.activated"] == 1
    world.close()


def test_a_transaction_left_open_elsewhere_lets_nobody_be_passed_over(dsn: str, tmp_path: Path) -> None:
    """Events are readable only once all older transactions of the server have ended; a delivery wakes who waits in simulated time all the same."""
    world = World(dsn, tmp_path).stocked(esims=0, physical=0)
    world.sims(on=at(6, 8), esim=1)
    world.take(order("WEB-1", line()))
    world.run(at(6))
    with connect(dsn) as elsewhere, ThreadPoolExecutor(1) as drivers:
        elsewhere.execute("BEGIN")
        elsewhere.execute("SELECT pg_current_xact_id()")
        driving = drivers.submit(world.run, at(6, 9))
        with pytest.raises(TimeoutError):
            driving.result(1)
        elsewhere.execute("COMMIT")
        driving.result()
    assert world.state("WEB-1") == "completed"
    assert world.when("WEB-1", "order.completed") < at(6, 9)
    world.close()
