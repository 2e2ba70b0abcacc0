"""What a fold could not take is listed, tried again one by one, or set aside for good; all ways of folding then leave it out alike."""

import itertools

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from projections.catalogue import BY_NAME
from projections.engine.operations import By, FoldFailed, as_of, catch_up, list_parked, list_skipped, rebuild, retry, skip, verify
from projections.engine.projection import Projection
from tests.histories import append, captured, failing_on, histories, of_order, order_id, planned, query, table_of

ORDERS, FALLOUT = BY_NAME["orders"], BY_NAME["fallout"]
BROKEN = failing_on("order.planned", ORDERS)
WHO = By("ann", "double of a plan")
_salts = itertools.count()


@pytest.fixture
def stuck(log: str) -> list[int]:
    """Two orders that stand before their plan, one of them with a cancellation behind it; the positions of all events."""
    history = [captured(0), captured(1), planned(0), planned(1), of_order(0, "order.cancelled")]
    positions = append(log, history)
    catch_up(log, [BROKEN])
    return positions


def test_parked_groups_are_listed_without_a_value(log: str, stuck: list[int]) -> None:
    """Each with its first event, where the fold failed and how many wait behind; nothing that the event holds."""
    found = list_parked(log, [BROKEN, FALLOUT])

    assert [(one.projection, one.group, one.position, one.type, one.behind) for one in found] == [
        ("orders", order_id(0), stuck[2], "order.planned", 1),
        ("orders", order_id(1), stuck[3], "order.planned", 0),
    ]
    assert all(one.error.startswith("ValueError at histories.py:") for one in found)


def test_one_group_is_tried_again(log: str, stuck: list[int]) -> None:
    """The others go on waiting; a group that is not parked is refused."""
    assert retry(log, ORDERS, order_id(0)) == 1
    assert [one.group for one in list_parked(log, [ORDERS])] == [order_id(1)]
    with pytest.raises(Refused, match="is not parked"):
        retry(log, ORDERS, order_id(0))


def test_a_skipped_event_is_left_out_for_good(log: str, stuck: list[int]) -> None:
    """What waited behind it is folded on; it stays visible with who decided, and a fold that could take it leaves it out as well."""
    assert skip(log, BROKEN, order_id(0), WHO) is True
    assert [one.group for one in list_parked(log, [BROKEN])] == [order_id(1)]
    [seen] = list_skipped(log, [BROKEN])
    assert (seen.group, seen.position, seen.type, seen.actor, seen.reason) == (order_id(0), stuck[2], "order.planned", "ann", WHO.reason)
    closed = {row["order_id"]: row["closed_at"] is not None for row in table_of(log, BROKEN)}
    assert closed == {order_id(0): True, order_id(1): False}
    assert retry(log, ORDERS) == 0
    rebuild(log, ORDERS)
    rows = table_of(log, ORDERS)
    unplanned = query(log, "SELECT group_key FROM projection.orders_doc WHERE doc -> 'items' = '{}'")
    assert unplanned == [{"group_key": order_id(0)}]
    assert as_of(log, ORDERS) == rows
    assert verify(log, ORDERS).differing == ()


def test_a_rebuild_is_strict_until_the_event_is_skipped(log: str, stuck: list[int]) -> None:
    """A parked event stops a rebuild; one that was set aside does not."""
    skip(log, BROKEN, order_id(0), WHO)
    with pytest.raises(FoldFailed, match=rf"order\.planned at position {stuck[3]}"):
        rebuild(log, BROKEN)
    skip(log, BROKEN, order_id(1), WHO)
    rebuild(log, BROKEN)

    assert len(table_of(log, BROKEN)) == 2


def test_another_bad_event_behind_parks_the_group_again(log: str) -> None:
    """One event is skipped at a time, by decision."""
    positions = append(log, [captured(0), planned(0), planned(0), of_order(0, "order.cancelled")])
    catch_up(log, [BROKEN])

    assert skip(log, BROKEN, order_id(0), WHO, position=positions[1]) is False
    assert [(one.position, one.behind) for one in list_parked(log, [BROKEN])] == [(positions[2], 1)]
    with pytest.raises(Refused, match=f"before position {positions[2]}, not {positions[1]}"):
        skip(log, BROKEN, order_id(0), WHO, position=positions[1])
    assert len(list_skipped(log, [BROKEN])) == 1
    assert skip(log, BROKEN, order_id(0), WHO, position=positions[2]) is True


@pytest.mark.parametrize(
    ("group", "who", "says"),
    [
        pytest.param("nobody", WHO, "is not parked", id="not parked"),
        pytest.param(order_id(0), By(" ", "twice"), "say who decides", id="nobody decides"),
        pytest.param(order_id(0), By("ann"), "and why", id="no reason"),
    ],
)
def test_what_cannot_be_skipped(log: str, stuck: list[int], group: str, who: By, says: str) -> None:
    """The refusal says why, and nothing is set aside."""
    with pytest.raises(Refused, match=says):
        skip(log, BROKEN, group, who)
    assert list_skipped(log, [BROKEN]) == []


def test_nothing_is_skipped_while_a_rebuild_is_at_work(log: str, stuck: list[int]) -> None:
    """A rebuild that began before would put the event back in."""
    with connect(log) as conn:
        conn.execute("SELECT pg_advisory_lock(hashtextextended('rebuild of projection orders', 0))")
        with pytest.raises(Refused, match="is being rebuilt"):
            skip(log, BROKEN, order_id(0), WHO)


def _skip_all(log: str, projection: Projection) -> None:
    while waiting := list_parked(log, [projection]):
        for one in waiting:
            skip(log, projection, one.group, WHO, position=one.position)


@pytest.mark.parametrize("bad", ["order.captured", "order.planned", "sim.fell-out"])
@hypothesis.given(data=st.data(), cut=st.integers(0, 40))
@hypothesis.settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
    phases=[hypothesis.Phase.generate],
)
def test_four_ways_agree_on_what_was_skipped(log: str, data: st.DataObject, bad: str, cut: int) -> None:
    """Of a random history with events that were set aside, in the middle and at the end, all four executors make the same rows."""
    history = data.draw(histories(f"-{next(_salts)}", max_size=40))
    for known in (failing_on(bad, ORDERS), failing_on(bad, FALLOUT)):
        catch_up(log, [known])
    for piece in (history[:cut], history[cut:]):
        append(log, piece)
        for known in (failing_on(bad, ORDERS), failing_on(bad, FALLOUT)):
            catch_up(log, [known])
            _skip_all(log, known)
    for known in (failing_on(bad, ORDERS), failing_on(bad, FALLOUT)):
        rows = table_of(log, known)
        assert as_of(log, known) == rows
        assert verify(log, known).differing == ()
        rebuilt = rebuild(log, known)
        assert rebuilt is not None
        assert table_of(log, known) == rows


def test_the_table_of_skips_is_made_in_a_store_that_has_projections(log: str, stuck: list[int]) -> None:
    """A store whose other tables are older keeps them and its rows."""
    rows = table_of(log, BROKEN)
    with connect(log) as conn:
        conn.execute("DROP TABLE projection.skipped, projection.kept, projection.history")
    assert list_skipped(log, [BROKEN]) == []
    assert table_of(log, BROKEN) == rows
    assert len(query(log, "SELECT FROM projection.parked")) == 3
