"""The engine on a real log: four ways of running a fold agree, bad events stop one group, nobody writes what is not his, readers always read."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import hypothesis
import psycopg
import pytest
from hypothesis import strategies as st

from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from projections.catalogue import ALL, BY_NAME
from projections.engine import incremental, tables
from projections.engine.checkpoints import checkpoints
from projections.engine.operations import as_of, catch_up, rebuild, retry, status, verify
from projections.engine.projection import Doc
from projections.engine.seen import Mark, Reader, last_mark
from tests.depth import depth
from tests.histories import Told, append, append_one, captured, failing_on, histories, of_order, order_id, planned, query, table_of

ORDERS, ITEMS, FALLOUT = BY_NAME["orders"], BY_NAME["items"], BY_NAME["fallout"]
_salts = itertools.count()


@hypothesis.given(data=st.data(), cuts=st.lists(st.integers(1, 25), max_size=3), batch=st.sampled_from((1, 10, 50_000)))
@hypothesis.settings(
    max_examples=depth(6, 48),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
    phases=[hypothesis.Phase.generate],
)
def test_four_ways_agree(log: str, monkeypatch: pytest.MonkeyPatch, data: st.DataObject, cuts: list[int], batch: int) -> None:
    """Catching up piece by piece, looking back, verifying and rebuilding all yield the same rows of a random history."""
    monkeypatch.setattr(incremental, "BATCH_EVENTS", batch)
    history = data.draw(histories(f"-{next(_salts)}", max_size=40))
    start = 0
    for cut in [*sorted(cuts), len(history)]:
        append(log, history[start:cut])
        start = max(start, cut)
        catch_up(log)
    for projection in ALL:
        rows = table_of(log, projection)
        assert as_of(log, projection) == rows
        assert verify(log, projection).differing == ()
        rebuilt = rebuild(log, projection)
        assert rebuilt is not None
        assert (rebuilt.rows, rebuilt.differing) == (len(rows), 0)
        assert table_of(log, projection) == rows


def test_catch_up_shares_pages_and_stops_where_told(log: str) -> None:
    """Projections at different places all reach the given position and none passes it; the lag counts what follows."""
    positions = append(log, [captured(number) for number in range(20)])
    catch_up(log, [ORDERS], upto=positions[4])
    catch_up(log, [ITEMS], upto=positions[9])
    catch_up(log, [ORDERS, ITEMS, FALLOUT], upto=positions[14])
    stands = status(log, [ORDERS, ITEMS, FALLOUT])

    assert [(stand.position, stand.lag_events, stand.state) for stand in stands] == [(positions[14], 5, "behind")] * 3
    assert len(table_of(log, ORDERS)) == 15


def test_looking_back(log: str) -> None:
    """By position the log is cut exactly; by time what had not happened yet is left out, wherever it stands in the log."""
    positions = append(log, [captured(0, 50), captured(1, 10), planned(0, 60)])

    assert [row["order_id"] for row in as_of(log, ORDERS, position=positions[0])] == [order_id(0)]
    assert [row["order_id"] for row in as_of(log, ORDERS, at=captured(1, 10).occurred_at)] == [order_id(1)]
    assert {row["state"] for row in as_of(log, ITEMS, position=positions[1])} == {"acknowledged"}


def test_an_unfinished_append_is_not_passed(log: str) -> None:
    """A projection waits at the horizon for a slow transaction, though a later one has committed; nothing is lost."""
    with psycopg.connect(log, row_factory=psycopg.rows.dict_row) as slow:
        first = append_one(slow, captured(0))
        append(log, [captured(1)])
        reached = catch_up(log, [ORDERS])
        assert reached < first
        assert table_of(log, ORDERS) == []
        slow.commit()
    catch_up(log, [ORDERS])

    assert len(table_of(log, ORDERS)) == 2


@pytest.mark.parametrize("batch_events", [pytest.param(1, id="batch by batch"), pytest.param(50_000, id="in one batch")])
def test_later_events_wait_behind_a_bad_one(log: str, monkeypatch: pytest.MonkeyPatch, batch_events: int) -> None:
    """However far behind they come in the same run, events of a parked group are parked too."""
    monkeypatch.setattr(incremental, "BATCH_EVENTS", batch_events)
    broken = failing_on("order.planned", ORDERS)
    append(log, [captured(0), planned(0), *(captured(number) for number in range(1, 20)), of_order(0, "order.cancelled")])
    catch_up(log, [broken])

    assert len(query(log, "SELECT FROM projection.parked")) == 2
    assert verify(log, broken).differing == ()


def test_a_bad_event_parks_its_group(log: str) -> None:
    """The order stands still, later events of it wait, others go on; a retry with a repaired fold takes them in order."""
    broken = failing_on("order.planned", ORDERS)
    positions = append(log, [captured(0), captured(1), planned(0)])
    catch_up(log, [broken])
    positions += append(log, [of_order(0, "order.cancelled"), captured(2)])
    catch_up(log, [broken])
    parked = query(log, "SELECT position, error FROM projection.parked ORDER BY position")

    assert [row["position"] for row in parked] == positions[2:4]
    assert parked[0]["error"].startswith("ValueError at histories.py:")
    assert parked[1]["error"] == "waits for an earlier event"
    assert status(log, [broken])[0].parked == 1
    assert verify(log, broken).differing == ()
    assert len(table_of(log, ORDERS)) == 3
    assert retry(log, broken) == 1
    assert retry(log, ORDERS) == 0
    assert query(log, "SELECT * FROM projection.parked") == []
    assert table_of(log, ORDERS) == as_of(log, ORDERS)
    append(log, [of_order(1, "order.cancelled")])
    catch_up(log, [ORDERS])
    assert verify(log, ORDERS).differing == ()


def test_rows_that_do_not_fit_park_their_group(log: str) -> None:
    """What the server would refuse for a whole batch is found before and stops one group."""

    def rows(group: str, doc: Doc) -> Iterator[Doc]:
        for row in ORDERS.rows(group, doc):
            yield {**row, "items": 2**40} if row["external_id"] == "WEB-0" else row

    broken = replace(ORDERS, rows=rows)
    append(log, [captured(0), captured(1), planned(0)])
    catch_up(log, [broken])

    assert [row["external_id"] for row in table_of(log, ORDERS)] == ["WEB-1"]
    assert len(query(log, "SELECT * FROM projection.parked")) == 2
    assert verify(log, broken).differing == ()
    assert retry(log, ORDERS) == 0
    assert verify(log, ORDERS).differing == ()


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda log: catch_up(log, [ORDERS]), id="another worker was faster"),
        pytest.param(lambda log: rebuild(log, ORDERS), id="a rebuild swapped the tables"),
        pytest.param(lambda log: (catch_up(log, [ORDERS]), append(log, [planned(0)]), rebuild(log, ORDERS)), id="both, and more"),
    ],
)
def test_a_stalled_worker_cannot_write(log: str, meanwhile: Callable[[str], object]) -> None:
    """A batch folded before others moved the checkpoint is refused whole."""
    append(log, [captured(0)])
    with tables.session(log) as conn:
        tables.prepare(conn, [ORDERS])
        stalled = incremental.Batch(conn, ORDERS, checkpoints(conn, [ORDERS])["orders"], ())
        target = last_mark(conn)
        page, _ = Reader([ORDERS.types]).page(conn, 0, target.position)
        stalled.take([*page, page[0]._replace(order_id=order_id(9), stream=f"order-{order_id(9)}")])
        meanwhile(log)

        assert stalled.flush(target) is False
    assert [row["order_id"] for row in table_of(log, ORDERS)] == [order_id(0)]
    assert verify(log, ORDERS).differing == ()


def test_a_rebuild_at_the_same_position_also_stops_a_stalled_worker(log: str) -> None:
    """The position alone would not tell: the swapped tables are another generation."""
    append(log, [captured(0)])
    catch_up(log, [ORDERS])
    with tables.session(log) as conn:
        stalled = incremental.Batch(conn, ORDERS, checkpoints(conn, [ORDERS])["orders"], ())
        rebuild(log, ORDERS)

        assert stalled.flush(Mark(2**60, None)) is False


def test_a_retry_stops_a_stalled_worker(log: str) -> None:
    """A worker that still believes a group parked would park what follows the repair."""
    append(log, [captured(0), planned(0)])
    catch_up(log, [failing_on("order.planned", ORDERS)])
    append(log, [of_order(0, "order.cancelled")])
    with tables.session(log) as conn:
        stalled = incremental.Batch(conn, ORDERS, checkpoints(conn, [ORDERS])["orders"], ())
        retry(log, ORDERS)

        assert stalled.flush(last_mark(conn)) is False


def test_rows_that_are_no_more_are_deleted(log: str) -> None:
    """The plan takes the place of the captured lines, also when those were written before."""
    append(log, [captured(0)])
    catch_up(log, [ITEMS])
    append(log, [planned(0)])
    catch_up(log, [ITEMS])

    assert [row["item"] for row in table_of(log, ITEMS)] == ["1", "2"]


@pytest.mark.parametrize(
    ("by_hand", "differing"),
    [
        pytest.param("SELECT 1", 0, id="nothing"),
        pytest.param("UPDATE projection.orders SET state = 'completed' WHERE external_id = 'WEB-1'", 1, id="a row changed"),
        pytest.param("DELETE FROM projection.orders WHERE external_id = 'WEB-1'", 1, id="a row deleted"),
        pytest.param("INSERT INTO projection.orders SELECT 'x', 'x' FROM projection.orders LIMIT 1", 1, id="a row added"),
        pytest.param("UPDATE projection.orders_doc SET doc = doc || '{\"priority\": 1}'", 2, id="documents changed"),
    ],
)
def test_verify_finds_what_was_changed_by_hand(log: str, by_hand: str, differing: int) -> None:
    """Every change is found, and only changes are; a rebuild counts the same rows and heals them."""
    append(log, [captured(0), captured(1)])
    catch_up(log, [ORDERS])
    with connect(log) as conn:
        conn.execute(by_hand.encode())

    assert len(verify(log, ORDERS).differing) == differing
    rebuilt = rebuild(log, ORDERS)
    assert rebuilt is not None
    assert rebuilt.differing == (0 if "_doc" in by_hand else differing)
    assert verify(log, ORDERS).differing == ()


def test_many_may_start_at_once(log: str) -> None:
    """Tables are made once and every event is folded once, however many catch up together."""
    append(log, [told for number in range(20) for told in (captured(number), planned(number))])
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(catch_up, log) for _ in range(4)]:
            done.result()

    assert [verify(log, projection).differing for projection in ALL] == [()] * len(ALL)
    assert {stand.state for stand in status(log)} == {"current"}


def test_an_event_nobody_knows_stops_loudly(log: str) -> None:
    """A fold by shape cannot judge an event of a newer program, so it does not pass it; one by names is not concerned."""
    position = append(log, [captured(0), Told("order-x", "satellite.aligned", {}, order_id(0))])[1]
    with pytest.raises(Refused, match=rf"satellite\.aligned at position {position} is unknown"):
        catch_up(log, [ORDERS])
    catch_up(log, [BY_NAME["stock"]])

    assert status(log, [ORDERS])[0].position < position
    assert status(log, [BY_NAME["stock"]])[0].position == position
