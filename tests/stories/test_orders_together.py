"""Orders that share an account and a customer are written together: what happens is what happens one by one, whatever is in the way."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from o2c.desk.bulk import Query, bulk
from o2c.desk.bulk_changes import change_products
from o2c.desk.customers import record_contact
from o2c.desk.fallout import Fail
from o2c.engine.app import Context, Engine
from o2c.engine.attending import Attending
from o2c.engine.drafts import Command
from o2c.kernel.partner import Answered, Failed, RefusedBy
from o2c.simulation.launch_data import SECOND_LINE
from o2c.views.products import list_products
from o2c.views.reading import caught_up
from tests.conftest import database
from tests.histories import differing
from tests.world import World, at, line, order, ported

ANN = Context("ann", command_id="0d9f4f0e-3c52-5a8b-9b1f-0a1b2c3d4e5f")
Log = dict[str, list[tuple[Any, ...]]]
Meddling = Callable[[Engine, Sequence[Command]], None]


def lived(world: World, meddle: Meddling = lambda app, commands: None) -> tuple[Log, Counter[str]]:
    """A day of a customer's eight orders, of which two bring the same number, and faults of partners; then a list that changes what they
    came to. Gives the log, and how many appends wrote how many commands; `meddle` is called before each of them."""
    world.stocked(esims=12, numbers=12, pays="invoice")
    counted, write = Counter[str](), world.app.write

    def counting(commands: Sequence[Command], **more: Any) -> Any:
        meddle(world.app, commands)
        outcomes = write(commands, **more)
        counted.update(appends=1, commands=len(commands), follow=sum(command.follows for command in commands))
        return outcomes

    world.app.write = counting  # type: ignore[method-assign] # what is written is counted, and written as ever
    world.scripted.will("activation", Answered(), RefusedBy("never seen before"), Failed("timeout"))
    lines = [line(str(n)) for n in range(1, 7)] + [ported("7"), ported("8")]
    world.take(*(order(f"WEB-{n}", each) for n, each in enumerate(lines)))
    world.run(at(8, 12))
    caught_up(world.app)
    products = sorted(row["product"] for row in list_products(world.app, customers=["C-1"]))
    change_products(world.app, ANN, "BA-C-1", [{"product": product, "offering": SECOND_LINE.id} for product in products])
    world.run(at(10, 12))
    caught_up(world.app)
    assert differing(world.dsn) == []
    return world.log(), counted


@contextmanager
def another(server_dsn: str, opened_once: str, folder: Path) -> Iterator[World]:
    folder.mkdir()
    with database(server_dsn, opened_once) as dsn:
        made = World(dsn, folder)
        yield made
        made.close()


def test_what_happens_is_the_same_as_one_by_one(server_dsn: str, opened_once: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every event of every stream, with its id, its cause, its time and its body; in two thirds of the appends and less."""
    with another(server_dsn, opened_once, tmp_path / "together") as world:
        together, counted = lived(world)
    monkeypatch.setattr(Attending, "_following", lambda self, ready, chain, batch: None)
    with another(server_dsn, opened_once, tmp_path / "alone") as world:
        alone, one_by_one = lived(world)

    assert together.keys() == alone.keys()
    assert {stream: (events, alone[stream]) for stream, events in together.items() if events != alone[stream]} == {}
    assert counted["follow"] > 20
    assert one_by_one["follow"] == 0
    assert 3 * counted["appends"] < 2 * one_by_one["appends"]


def test_who_is_in_the_way_takes_nothing_from_them(server_dsn: str, opened_once: str, tmp_path: Path) -> None:
    """Somebody notes a contact with the customer down in the moment before orders are written together: they are decided anew, and come to
    the same."""
    meddled: list[str] = []

    def meddle(app: Engine, commands: Sequence[Command]) -> None:
        shared = {happened.stream for command in commands if command.follows for happened in command.happened}
        if "customer-C-1" in shared and len(meddled) < 3:
            meddled.append("C-1")
            with Engine(app.dsn) as other:
                record_contact(other, Context("otto"), "C-1", medium="call", topic="other", note=f"call {len(meddled)}")

    with another(server_dsn, opened_once, tmp_path / "quiet") as world:
        quiet, _ = lived(world)
    with another(server_dsn, opened_once, tmp_path / "meddled") as world:
        busy, counted = lived(world, meddle)

    assert meddled
    orders = [{stream: events for stream, events in log.items() if stream.startswith("order-")} for log in (quiet, busy)]
    assert orders[0] == orders[1]
    assert counted["follow"] > 0


def test_a_job_over_many_orders_of_one_customer_does_all_of_them(server_dsn: str, opened_once: str, tmp_path: Path) -> None:
    """Forty-five orders of one customer are given up at once: each gives what it used of his credit back, in a few appends, and none is
    told that somebody else was faster."""
    with another(server_dsn, opened_once, tmp_path / "job") as world:
        world.stocked(esims=1, numbers=1)
        world.take(*(order(f"WEB-{n}", ported(msisdn=f"+44770092{n:04d}", code="")) for n in range(45)))
        world.run(at(5, 11))
        caught_up(world.app)
        done = bulk(world.app, Context("sue"), Query(reason="NP-CODE"), Fail(), note="nobody has the codes")
        world.run(at(6, 11))
        after = world.app.load(["customer-C-1"])["customer-C-1"]
        assert (done.matched, done.done, done.failed) == (45, 45, 0)
        assert after.state.credit.used_minor("GBP", "2026-01-05") == 0
        assert world.app.replay("customer-C-1") == after.state
