"""The same command from everywhere at once: one effect and one answer. Sent with another body it is refused, whoever is first."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from o2c import Context, OrderToCash, Refused
from o2c.store.database import connect
from tests.attacks.harness import at_once, one
from tests.world import World

CALLERS, PROCESSES = 100, 4
COMMAND_ID = "7f0b0c5e-2d3b-4a55-8f0e-50a1c6de41b7"


def _ask(o2c: OrderToCash, note: str, command_id: str = "") -> tuple[str, int]:
    """What the caller is told: done with its position, or the kind of the refusal."""
    try:
        written = o2c.record_contact("C-1", Context("shop", command_id=command_id), medium="call", topic="other", note=note)
    except Refused as refused:
        return refused.kind, 0
    return "done", written.position


def _contacts(dsn: str) -> int:
    with connect(dsn) as conn:
        return int(one(conn, "SELECT count(*) FROM o2c.event WHERE type = 'customer.contacted'"))


def test_a_hundred_callers_are_told_the_same(dsn: str, tmp_path: Path) -> None:
    """All are told that it is done, and where; it is done once."""
    World(dsn, tmp_path).stocked().close()
    with ExitStack() as opened:
        shops = [opened.enter_context(OrderToCash(dsn)) for _ in range(PROCESSES)]
        told = at_once(CALLERS, lambda n: _ask(shops[n % PROCESSES], "one", COMMAND_ID))
    assert {answer for answer, _ in told} == {"done"}
    assert len({position for _, position in told}) == 1
    assert _contacts(dsn) == 1


def test_one_body_wins_and_every_other_is_refused(dsn: str, tmp_path: Path) -> None:
    """Half of them ask for something else under the same id: one half is told that it is done, the other that it is refused."""
    World(dsn, tmp_path).stocked().close()
    with ExitStack() as opened:
        shops = [opened.enter_context(OrderToCash(dsn)) for _ in range(PROCESSES)]
        told = at_once(CALLERS, lambda n: (n % 2, *_ask(shops[n % PROCESSES], f"note {n % 2}", COMMAND_ID)))
    assert Counter(answer for _, answer, _ in told) == {"done": CALLERS // 2, "conflict": CALLERS // 2}
    assert len({(body, position) for body, answer, position in told if answer == "done"}) == 1
    assert _contacts(dsn) == 1


def test_control_without_an_id_of_its_own_it_is_done_as_often_as_it_is_asked(dsn: str, tmp_path: Path) -> None:
    """A contact is an occurrence: it is the command id alone that makes the hundred one."""
    World(dsn, tmp_path).stocked().close()
    with OrderToCash(dsn) as o2c:
        told = [_ask(o2c, "one") for _ in range(3)]
    assert len({position for _, position in told}) == _contacts(dsn) == 3
