"""Projections that have folded what this log does not have: a restore took it back, or the tables came from elsewhere."""

import uuid
from collections.abc import Iterator

import pytest

from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from projections.catalogue import BY_NAME
from projections.engine.operations import catch_up, rebuild, status, verify
from tests.world import World

STOCK, ORDERS = BY_NAME["stock"], BY_NAME["orders"]


@pytest.fixture
def lived(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A store with stock, and projections that have seen all of it."""
    world = World(dsn, tmp_path_factory.mktemp("papers")).stocked()
    catch_up(dsn)
    yield world
    world.close()


def remember(dsn: str, position: str, event_id: str = "event_id") -> None:
    """Let the projection of stock stand where it never was."""
    with connect(dsn) as conn:
        conn.execute(f"UPDATE projection.checkpoint SET position = {position}, event_id = {event_id} WHERE name = 'stock'".encode())


def test_one_that_stands_in_this_log_goes_on(lived: World) -> None:
    """A control: what is known is folded on, however often."""
    lived.sims(esim=1)
    assert catch_up(lived.dsn) == catch_up(lived.dsn)


@pytest.mark.parametrize(
    ("position", "event_id", "told"),
    [
        pytest.param("position + 2::bigint ^ 40", "event_id", "lies ahead of this log", id="ahead"),
        pytest.param("position", f"'{uuid.uuid4()}'", "another event stands there", id="another event"),
        pytest.param("position + 1", f"'{uuid.uuid4()}'", "no event stands there", id="between events"),
    ],
)
def test_one_that_does_not_stops_until_it_is_rebuilt(lived: World, position: str, event_id: str, told: str) -> None:
    """It refuses and says what to do, others go on, nothing is folded onto its rows; a rebuild starts it anew."""
    remember(lived.dsn, position, event_id)
    lived.sims(esim=1)
    with pytest.raises(Refused, match=f"projection stock was folded from another log.*{told}.*o2c projections rebuild stock") as refused:
        catch_up(lived.dsn)
    assert refused.value.kind == "conflict"
    [strange, fine] = status(lived.dsn, [STOCK, ORDERS])
    assert (strange.state, told in (strange.other_log or ""), fine.other_log) == ("of another log", True, None)
    catch_up(lived.dsn, [ORDERS])
    rebuild(lived.dsn, STOCK)
    catch_up(lived.dsn)
    assert verify(lived.dsn, STOCK).differing == ()
    assert status(lived.dsn, [STOCK])[0].state == "current"
