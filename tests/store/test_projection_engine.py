"""The engine on a real log: four ways of running a fold agree, bad events stop one group, nobody writes what is not his, readers always read."""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import hypothesis
import psycopg
import pytest
from hypothesis import strategies as st

from o2c.kernel.refusal import Refused
from o2c.store.database import connect, prepare
from projections import incremental, tables
from projections import rebuild as rebuilding
from projections.catalogue import ALL, BY_NAME
from projections.engine import FoldFailed, as_of, catch_up, rebuild, retry, status, verify
from projections.projection import Doc, Projection
from projections.seen import Mark, Reader, Seen, last_mark
from tests.histories import Told, append, append_one, captured, histories, invoice, of_order, order_id, planned

ORDERS, ITEMS, FALLOUT = BY_NAME["orders"], BY_NAME["items"], BY_NAME["fallout"]
_salts = itertools.count()


@pytest.fixture
def log(dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty log, read in pages of seven events so that a small history has several."""
    monkeypatch.setattr(Reader, "size", 7)
    prepare(dsn)
    return dsn


def _query(dsn: str, query: str) -> list[dict[str, Any]]:
    with connect(dsn) as conn:
        return conn.execute(query.encode()).fetchall()


def _table(dsn: str, projection: Projection) -> list[dict[str, Any]]:
    """The rows of a projection as stored, in the order in which as_of gives them."""
    with tables.session(dsn) as conn, conn.transaction():
        rows = list(tables.stored_rows(conn, projection))
    return sorted(rows, key=lambda row: (row["group_key"], *(row[column] for column in projection.key)))


def _failing_on(name: str, projection: Projection) -> Projection:
    def evolve(doc: Doc, seen: Seen) -> Doc:
        if seen.type == name:
            raise ValueError("a value nobody may see")
        return projection.evolve(doc, seen)

    return replace(projection, evolve=evolve)


@hypothesis.given(data=st.data(), cuts=st.lists(st.integers(1, 25), max_size=3), batch=st.sampled_from((1, 10, 50_000)))
@hypothesis.settings(
    max_examples=12,
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
        rows = _table(log, projection)
        assert as_of(log, projection) == rows
        assert verify(log, projection).differing == ()
        rebuilt = rebuild(log, projection)
        assert rebuilt is not None
        assert (rebuilt.rows, rebuilt.differing) == (len(rows), 0)
        assert _table(log, projection) == rows


def test_catch_up_shares_pages_and_stops_where_told(log: str) -> None:
    """Projections at different places all reach the given position and none passes it; the lag counts what follows."""
    positions = append(log, [captured(number) for number in range(20)])
    catch_up(log, [ORDERS], upto=positions[4])
    catch_up(log, [ITEMS], upto=positions[9])
    catch_up(log, [ORDERS, ITEMS, FALLOUT], upto=positions[14])
    stands = status(log, [ORDERS, ITEMS, FALLOUT])

    assert [(stand.position, stand.lag_events, stand.state) for stand in stands] == [(positions[14], 5, "behind")] * 3
    assert len(_table(log, ORDERS)) == 15


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
        assert _table(log, ORDERS) == []
        slow.commit()
    catch_up(log, [ORDERS])

    assert len(_table(log, ORDERS)) == 2


@pytest.mark.parametrize("batch_events", [pytest.param(1, id="batch by batch"), pytest.param(50_000, id="in one batch")])
def test_later_events_wait_behind_a_bad_one(log: str, monkeypatch: pytest.MonkeyPatch, batch_events: int) -> None:
    """However far behind they come in the same run, events of a parked group are parked too."""
    monkeypatch.setattr(incremental, "BATCH_EVENTS", batch_events)
    broken = _failing_on("order.planned", ORDERS)
    append(log, [captured(0), planned(0), *(captured(number) for number in range(1, 20)), of_order(0, "order.cancelled")])
    catch_up(log, [broken])

    assert len(_query(log, "SELECT FROM projection.parked")) == 2
    assert verify(log, broken).differing == ()


def test_a_bad_event_parks_its_group(log: str) -> None:
    """The order stands still, later events of it wait, others go on; a retry with a repaired fold takes them in order."""
    broken = _failing_on("order.planned", ORDERS)
    positions = append(log, [captured(0), captured(1), planned(0)])
    catch_up(log, [broken])
    positions += append(log, [of_order(0, "order.cancelled"), captured(2)])
    catch_up(log, [broken])
    parked = _query(log, "SELECT position, error FROM projection.parked ORDER BY position")

    assert [row["position"] for row in parked] == positions[2:4]
    assert parked[0]["error"].startswith("ValueError at test_projection_engine.py:")
    assert parked[1]["error"] == "waits for an earlier event"
    assert status(log, [broken])[0].parked == 1
    assert verify(log, broken).differing == ()
    assert len(_table(log, ORDERS)) == 3
    assert retry(log, broken) == 1
    assert retry(log, ORDERS) == 0
    assert _query(log, "SELECT * FROM projection.parked") == []
    assert _table(log, ORDERS) == as_of(log, ORDERS)
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

    assert [row["external_id"] for row in _table(log, ORDERS)] == ["WEB-1"]
    assert len(_query(log, "SELECT * FROM projection.parked")) == 2
    assert verify(log, broken).differing == ()
    assert retry(log, ORDERS) == 0
    assert verify(log, ORDERS).differing == ()


def test_a_strict_rebuild_names_the_event(log: str) -> None:
    """It stops at the first event it cannot take, says which without its values, and leaves the old table."""
    append(log, [captured(0), planned(0)])
    catch_up(log, [ORDERS])
    with pytest.raises(FoldFailed, match=r"order\.planned at position \d+ \(order-.* version 2\): ValueError at") as failure:
        rebuild(log, _failing_on("order.planned", ORDERS))

    assert "a value nobody may see" not in str(failure.value)
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
        stalled = incremental.Batch(conn, ORDERS, tables.checkpoints(conn, [ORDERS])["orders"])
        target = last_mark(conn)
        page, _ = Reader([ORDERS.types]).page(conn, 0, target.position)
        stalled.take([*page, page[0]._replace(order_id=order_id(9), stream=f"order-{order_id(9)}")])
        meanwhile(log)

        assert stalled.flush(target) is False
    assert [row["order_id"] for row in _table(log, ORDERS)] == [order_id(0)]
    assert verify(log, ORDERS).differing == ()


def test_a_rebuild_at_the_same_position_also_stops_a_stalled_worker(log: str) -> None:
    """The position alone would not tell: the swapped tables are another generation."""
    append(log, [captured(0)])
    catch_up(log, [ORDERS])
    with tables.session(log) as conn:
        stalled = incremental.Batch(conn, ORDERS, tables.checkpoints(conn, [ORDERS])["orders"])
        rebuild(log, ORDERS)

        assert stalled.flush(Mark(2**60, None)) is False


def test_a_retry_stops_a_stalled_worker(log: str) -> None:
    """A worker that still believes a group parked would park what follows the repair."""
    append(log, [captured(0), planned(0)])
    catch_up(log, [_failing_on("order.planned", ORDERS)])
    append(log, [of_order(0, "order.cancelled")])
    with tables.session(log) as conn:
        stalled = incremental.Batch(conn, ORDERS, tables.checkpoints(conn, [ORDERS])["orders"])
        retry(log, ORDERS)

        assert stalled.flush(last_mark(conn)) is False


def test_readers_never_see_an_empty_table(log: str) -> None:
    """While a projection is rebuilt over and over, its table and its view always have all their rows."""
    append(log, [captured(number) for number in range(30)])
    append(log, [of_order(number, "validation.requested") for number in range(30)])
    append(log, [of_order(number, "order.validated", 5) for number in range(30)])
    projection = BY_NAME["milestones"]
    catch_up(log, [projection])
    stop, counts, spans = threading.Event(), set[int](), set[int]()

    def read() -> None:
        with connect(log) as conn:
            while not stop.is_set():
                row = conn.execute("SELECT (SELECT count(*) FROM projection.milestones) AS n").fetchone()
                view = conn.execute(
                    "SELECT count FROM projection.cycle_time WHERE channel = '*' AND \"from\" = 'validation.requested'"
                ).fetchone()
                counts.add(row["n"] if row else 0)
                spans.add(view["count"] if view else 0)

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for _ in range(5):
                rebuild(log, projection)
        finally:
            stop.set()
        for reader in readers:
            reader.result()

    assert (counts, spans) == ({30}, {30})
    assert len(_query(log, "SELECT FROM projection.milestones_old")) == 30


def test_a_rebuild_catches_up_with_a_running_worker(log: str) -> None:
    """Events that come while the shadow is filled, and a worker that moves the old table on, are not lost by the swap."""
    append(log, [captured(number) for number in range(5)])
    catch_up(log, [ORDERS])
    added = iter(range(5, 9))

    def progress(stage: str, count: int) -> None:
        if stage == "copied":
            append(log, [captured(next(added)), planned(0)])
            catch_up(log, [ORDERS])

    rebuild(log, ORDERS, progress)

    assert status(log, [ORDERS])[0].state == "current"
    assert len(_table(log, ORDERS)) == 6
    assert verify(log, ORDERS).differing == ()


def test_a_swap_never_goes_back(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the old table moved on after the shadow had caught up, the shadow catches up again before it takes the place."""
    append(log, [captured(0)])
    catch_up(log, [ORDERS])
    follow, numbers = rebuilding._follow, iter((1, 2))

    def overtaken(*arguments: Any) -> Mark:
        mark = follow(*arguments)
        for number in itertools.islice(numbers, 1):
            append(log, [captured(number)])
            catch_up(log, [ORDERS])
        return mark

    monkeypatch.setattr(rebuilding, "_follow", overtaken)
    rebuilt = rebuild(log, ORDERS)

    assert rebuilt is not None
    assert rebuilt.rows == 3
    assert verify(log, ORDERS).differing == ()


def test_rows_that_are_no_more_are_deleted(log: str) -> None:
    """The plan takes the place of the captured lines, also when those were written before."""
    append(log, [captured(0)])
    catch_up(log, [ITEMS])
    append(log, [planned(0)])
    catch_up(log, [ITEMS])

    assert [row["item"] for row in _table(log, ITEMS)] == ["1", "2"]


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


def test_an_older_shape_is_rebuilt_and_a_newer_one_left(log: str) -> None:
    """A program with a new shape rebuilds by itself, columns and all; an old program then refuses to write, retry or verify."""
    append(log, [captured(0)])
    catch_up(log, [ORDERS])
    newer = replace(
        ORDERS,
        shape_version=2,
        columns={**ORDERS.columns, "region": "text"},
        rows=lambda group, doc: [{**row, "region": "north"} for row in ORDERS.rows(group, doc)],
    )
    assert status(log, [newer])[0].state == "needs rebuild"
    with pytest.raises(Refused, match="another shape"):
        verify(log, newer)
    with pytest.raises(Refused, match="older shape"):
        retry(log, newer)
    append(log, [captured(1)])
    catch_up(log, [newer])

    assert [row["region"] for row in _table(log, newer)] == ["north", "north"]
    assert status(log, [ORDERS])[0].state == "newer than this program"
    with pytest.raises(Refused, match="built by a newer program"):
        catch_up(log, [ORDERS])


def test_an_automatic_rebuild_parks_what_it_cannot_take(log: str) -> None:
    """Otherwise one bad event would keep a new shape from ever being used."""
    append(log, [captured(0), planned(0), captured(1)])
    catch_up(log, [ORDERS])
    newer = _failing_on("order.planned", replace(ORDERS, shape_version=2))
    catch_up(log, [newer])

    assert status(log, [newer])[0].parked == 1
    assert verify(log, newer).differing == ()
    assert len(_table(log, newer)) == 2


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


def test_a_swap_keeps_who_may_read(log: str) -> None:
    """A role that could read the table and its view still can after a rebuild."""
    catch_up(log)
    role = f"reader_{next(_salts)}_{order_id(0)[:8]}"
    with connect(log) as conn:
        conn.execute(f"CREATE ROLE {role}".encode())
        conn.execute(f"GRANT SELECT ON projection.fallout, projection.fallout_summary TO {role}".encode())
        rebuild(log, FALLOUT)
        row = conn.execute(
            "SELECT has_table_privilege(%s, 'projection.fallout', 'SELECT') AND has_table_privilege(%s, 'projection.fallout_summary', 'SELECT') AS may",
            (role, role),
        ).fetchone()
        conn.execute(f"DROP OWNED BY {role}".encode())
        conn.execute(f"DROP ROLE {role}".encode())

    assert row == {"may": True}


def test_a_foreign_view_is_not_dropped(log: str) -> None:
    """A view of somebody else on the replaced table is named as the obstacle and not destroyed."""
    catch_up(log, [ORDERS])
    with connect(log) as conn:
        conn.execute("CREATE VIEW mine AS SELECT state FROM projection.orders")
    rebuild(log, ORDERS)
    with pytest.raises(Refused, match=r"a view still reads projection\.orders_old"):
        rebuild(log, ORDERS)

    assert _query(log, "SELECT * FROM mine") == []


def test_fallout_from_opening_to_close(log: str) -> None:
    """Repeated attempts count on one row, a correction leaves it open, success closes it with its event."""
    fell = {"item": "1", "fallout": "f-1"}
    append(
        log, [captured(0), planned(0), of_order(0, "sim.fell-out", 10, **fell), of_order(0, "sim.fell-out", 12, **fell, reason="INV-STATE")]
    )
    append(log, [of_order(0, "fallout.correction-applied", 13, item="1", step="sim", fallout="f-1")])
    catch_up(log)
    [still] = _query(log, "SELECT state, attempts, reason, opened_at FROM projection.fallout")
    [summary] = _query(log, "SELECT reason, queue, open, closed FROM projection.fallout_summary")
    append(log, [of_order(0, "sim.assigned", 15, item="2"), *(of_order(0, "sim.assigned", at, item="1") for at in (20, 25))])
    catch_up(log)
    [over] = _query(log, "SELECT state, closed_by, step, item, class, (closed_at - opened_at)::text AS took FROM projection.fallout")

    assert (still["state"], still["attempts"], still["reason"]) == ("open", 2, "INV-STATE")
    assert summary == {"reason": "INV-STATE", "queue": "inventory", "open": 1, "closed": 0}
    assert over == {
        "state": "closed",
        "closed_by": "sim.assigned",
        "step": "sim",
        "item": "1",
        "class": "business",
        "took": "00:10:00.0001",
    }


def test_cycle_times_with_totals(log: str) -> None:
    """Percentiles stand by channel and offering and for all of each, in order; order milestones have no offering of their own."""
    for number, minutes in ((0, 10), (1, 20), (2, 60)):
        append(log, [captured(number), planned(number, minutes), of_order(number, "sim.requested", item="1")])
        append(log, [of_order(number, "sim.requested", minutes - 1, item="1"), of_order(number, "sim.assigned", minutes, item="1")])
    catch_up(log)
    rows = _query(log, 'SELECT "from", "to", channel, offering, count, p50_s FROM projection.cycle_time')
    told = [(row["from"], row["to"], row["channel"], row["offering"], row["count"], round(row["p50_s"])) for row in rows]

    assert told == [
        ("captured", "planned", "*", "*", 3, 1200),
        ("captured", "planned", "web", "*", 3, 1200),
        ("sim.requested", "sim.done", "*", "*", 3, 1200),
        ("sim.requested", "sim.done", "*", "offer-1", 3, 1200),
        ("sim.requested", "sim.done", "web", "*", 3, 1200),
        ("sim.requested", "sim.done", "web", "offer-1", 3, 1200),
    ]


def test_an_invoice_is_paid_when_payments_reach_the_total(log: str) -> None:
    """Part of the sum does not settle it; what comes after it fell due still does."""
    pay = Told("invoice-1", "payment.received", {"amount_minor": 1000, "method": "card"}, minutes=50)
    told = [Told("invoice-1", "invoice.issued", invoice("INV-1", 2000)), pay, Told("invoice-1", "invoice.overdue", {}), pay]
    states = []
    for event in told:
        append(log, [event])
        catch_up(log)
        [row] = _query(log, "SELECT state, paid_minor FROM projection.invoices")
        states.append((row["state"], row["paid_minor"]))

    assert states == [("issued", 0), ("issued", 1000), ("overdue", 1000), ("paid", 2000)]
