"""An order as it was: at a time, as far as was known, and both; told by the same folds that tell how it is."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.fallout import Correct
from o2c.kernel.partner import Accepted, RefusedBy
from o2c.kernel.refusal import Refused
from o2c.simulation.launch import write_launch
from o2c.views.order_page import show_order as shown
from o2c.views.orders import list_orders
from o2c.views.reading import caught_up
from projections.engine.operations import horizon_mark
from tests.world import NINE, World, at, line, order, ported

Page = dict[str, Any]


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> Iterator[World]:
    made = World(dsn, tmp_path)
    yield made
    made.close()


def now(world: World, name: str) -> Page:
    caught_up(world.app)
    return shown(world.app, name)


def troubled(world: World) -> list[tuple[datetime, int, Page]]:
    """An order with a wrong code and a bill that is paid late, looked at again and again on its way."""
    world.stocked(pays="card")
    world.scripted.will("porting", RefusedBy("CODE-EXPIRED"))
    world.scripted.will("delivery", lambda request: Accepted("PCL-1", request.at + timedelta(days=1)))
    world.scripted.will("payment", RefusedBy("DECLINED"))
    world.run(NINE)
    world.take(order("WEB-1", ported("1"), line("2", sim="physical")))
    moments = [NINE + timedelta(minutes=minutes) for minutes in (15, 30, 60)] + [at(5, 18), at(6), at(6, 12)]
    looks = [_look(world, moment) for moment in moments]
    world.run(at(6, 13))
    world.resolve("NP-CODE", Correct({"portInCode": "XYZ987654"}))
    return looks + [_look(world, moment) for moment in (at(7), at(8, 12), at(9), at(10), at(20), at(1, month=3))]


def _look(world: World, moment: datetime) -> tuple[datetime, int, Page]:
    world.run(moment)
    return moment, horizon_mark(world.dsn).position, now(world, "WEB-1")


def test_at_a_time_it_is_what_was_shown_when_the_clock_stood_there(world: World) -> None:
    """Every look back at a time equals what was shown then, and there was something to see: gates, fallouts opened and closed, invoices."""
    looks = troubled(world)

    for moment, _, page in looks:
        assert shown(world.app, "WEB-1", at=moment) == page
    assert {page["state"] for _, _, page in looks} >= {"inProgress", "pending", "completed"}
    assert {len(page["open_fallouts"]) for _, _, page in looks} >= {0, 1}
    assert len({str(page["invoices"]) for _, _, page in looks}) >= 3


def test_as_far_as_known_it_is_what_was_shown_there(world: World) -> None:
    """Every look back at a position equals what was shown when the log ended there; both bounds together take the nearer."""
    looks = troubled(world)

    for moment, position, page in looks:
        assert shown(world.app, "WEB-1", known_at=position) == page
        assert shown(world.app, "WEB-1", at=looks[-1][0], known_at=position) == page
        assert shown(world.app, "WEB-1", at=moment, known_at=looks[-1][1]) == page
    assert shown(world.app, "WEB-1", at=looks[2][0], known_at=looks[7][1]) == looks[2][2]


def test_what_came_late_is_not_known_earlier(world: World) -> None:
    """The order of a Monday that was taken in on Tuesday: it is Monday's, but on Monday nobody knew of it, and on Sunday there was none."""
    world.stocked()
    world.run(at(6))
    before = horizon_mark(world.dsn).position
    world.take(order("WEB-1", line()))

    assert shown(world.app, "WEB-1", at=NINE)["captured_at"] == "2026-01-05T09:00:00Z"
    for moment, known_at, says in (
        (None, before, f"as far as position {before}"),
        (NINE, before, f"at 2026-01-05T09:00:00Z as far as position {before}"),
        (at(4), None, "at 2026-01-04T00:00:00Z"),
    ):
        with pytest.raises(Refused, match=f"not captured yet {says};") as caught:
            shown(world.app, "WEB-1", at=moment, known_at=known_at)
        assert caught.value.kind == "missing"


def test_what_is_to_come_is_not_shown(world: World) -> None:
    """A position that the log has not reached and a time that the clock has not: both say how far there is something to see."""
    world.stocked()
    world.take(order("WEB-1", line()))
    last = horizon_mark(world.dsn).position

    with pytest.raises(Refused, match=f"the log ends at {last}"):
        shown(world.app, "WEB-1", known_at=last + 1)
    with pytest.raises(Refused, match="the clock stands at 2026-01-01T00:00:00Z"):
        shown(world.app, "WEB-1", at=NINE)
    assert shown(world.app, "WEB-1", known_at=last) == now(world, "WEB-1")


def test_an_account_put_right_is_billed_from_then_on(world: World) -> None:
    """The account shown is the one of then, though who corrected it said so in words that no projection sees."""
    world.stocked()
    world.take({**order("WEB-1", line(), party="C-9"), "billingAccount": {"id": ""}})
    world.run(at(5, 12))
    before, position = now(world, "WEB-1"), horizon_mark(world.dsn).position
    world.run(at(5, 13))
    world.resolve("DQ-PARTY", Correct({"party": "C-1", "account": "BA-C-1"}))
    world.run(at(9))

    assert before["account"] != now(world, "WEB-1")["account"] == "BA-C-1"
    assert shown(world.app, "WEB-1", known_at=position) == shown(world.app, "WEB-1", at=at(5, 12)) == before
    assert now(world, "WEB-1")["invoices"]


def test_up_to_the_last_position_is_now(world: World, tmp_path: Path) -> None:
    """Of every order of an invented launch, flaws and fallouts among them, the folds over its own events tell what the tables tell."""
    files = write_launch(tmp_path / "launch", count=40, seed=3)
    world.launched(files).take_file(files.orders)
    world.run(at(10, month=2))
    caught_up(world.app)
    last = horizon_mark(world.dsn).position
    names = [row["order"] for row in list_orders(world.app)]

    assert len(names) >= 30
    for name in names:
        assert shown(world.app, name, known_at=last) == shown(world.app, name)
    assert world.app.reads.rows("SELECT FROM projection.fallout LIMIT 1")
    assert any(shown(world.app, name)["invoices"] for name in names)
