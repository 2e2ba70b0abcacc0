"""Fifty at once want the same uses of a voucher: as many get one as there are, and the guard of a use decides, which the control shows."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from o2c import plan
from o2c.desk.vouchers import issue_vouchers
from o2c.engine.app import Context, Engine
from o2c.engine.drafts import Command, guards_of
from o2c.kernel.carry import happened
from o2c.kernel.decision import Decision, Guard
from o2c.vouchers.events import VoucherReserved, voucher_stream
from o2c.vouchers.rules import reserve, why_not
from tests.world import World, at

REDEEMERS, WINDOWS = 50, 10
CODE, STREAM, BUDGET_MINOR = "SPRING", voucher_stream("SPRING"), 3000


@pytest.fixture
def windows(dsn: str, tmp_path: Path) -> Iterator[Sequence[Engine]]:
    """Ten connections to a store with a voucher that may be used seven times, within 30.00."""
    world = World(dsn, tmp_path).stocked()
    issue_vouchers(world.app, Context("ann"), CODE, amount="5.00", months=1, uses_max=7, budget="30.00")
    opened = [Engine(dsn, plan.KINDS) for _ in range(WINDOWS)]
    yield opened
    for each in opened:
        each.close()
    world.close()


def written(app: Engine, order: str, event: VoucherReserved, stream: str, *, guarded: bool = True) -> str:
    """The verdict on a use that an order takes: its event on a stream, with the guard of the use or without."""
    holder = f"order-{order}/"
    decision = Decision((event,), takes=(Guard(*event.use, holder),) if guarded else ())
    loaded = {stream: app.load_one(stream)}
    command = Command(str(uuid4()), stream, happened(stream, decision, at(5, 10)), loaded, "test", "test", guards_of(decision, {}))
    [outcome] = app.write([command])
    return str(outcome.verdict)


def at_once(redeem: Callable[[Engine, str], str], windows: Sequence[Engine]) -> Counter[str]:
    """What fifty redeemers are told who begin together."""
    together = threading.Barrier(REDEEMERS)

    def begin(number: int) -> str:
        together.wait(60)
        return redeem(windows[number % WINDOWS], f"order{number}")

    with ThreadPoolExecutor(REDEEMERS) as redeemers:
        return Counter(redeemers.map(begin, range(REDEEMERS)))


def test_as_many_get_a_use_as_the_budget_covers(windows: Sequence[Engine]) -> None:
    """5.00 each of 30.00: six of fifty, though seven uses are allowed; the others are told why, and nothing is above the budget."""

    def redeem(app: Engine, order: str) -> str:
        while True:
            state = app.load_one(STREAM).state
            asked = {"order": order, "at": at(5, 10), "market": "GB", "tier": "standard", "fits": ("1",), "amount_minor": 500}
            if why := why_not(state, CODE, **asked):
                return why
            if written(app, order, reserve(state, CODE, order=order, amount_minor=500), STREAM) == "appended":
                return "reserved"

    assert at_once(redeem, windows) == {"reserved": 6, "can come to 5.00 GBP, and its budget has 0.00 GBP left": REDEEMERS - 6}
    state = windows[0].load_one(STREAM).state
    assert (state.reserved_minor, state.left_minor) == (BUDGET_MINOR, 0)
    held = windows[0].reads.rows("SELECT key, holder FROM o2c.guard WHERE kind = 'voucher' ORDER BY key")
    assert [row["key"] for row in held] == [f"{CODE}#{turn}" for turn in range(1, 7)]
    assert len({row["holder"] for row in held}) == 6


@pytest.mark.parametrize(("guarded", "told"), [(True, {"appended": 1, "guarded": REDEEMERS - 1}), (False, {"appended": REDEEMERS})])
def test_the_guard_of_a_use_decides(windows: Sequence[Engine], guarded: bool, told: dict[str, int]) -> None:
    """Given fifty who all believe that the first use is free, and no stream in common that would tell them otherwise, one has it; without the guard
    all fifty would."""

    def redeem(app: Engine, order: str) -> str:
        event = VoucherReserved(order=order, code=CODE, turn=1, amount_minor=500)
        return written(app, order, event, voucher_stream(order.upper()), guarded=guarded)

    assert at_once(redeem, windows) == told
