"""Rebuilding and swapping on a real log, and the answers of single projections as they stand in the tables."""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from projections.catalogue import BY_NAME
from projections.engine import incremental
from projections.engine.operations import FoldFailed, catch_up, rebuild, retry, status, verify
from projections.engine.rebuild import Shadow
from tests.histories import Told, append, captured, failing_on, invoice, of_order, order_id, planned, query, table_of

ORDERS, ITEMS, FALLOUT = BY_NAME["orders"], BY_NAME["items"], BY_NAME["fallout"]
_salts = itertools.count()


def test_a_strict_rebuild_names_the_event(log: str) -> None:
    """It stops at the first event it cannot take, says which without its values, and leaves the old table."""
    append(log, [captured(0), planned(0)])
    catch_up(log, [ORDERS])
    with pytest.raises(FoldFailed, match=r"order\.planned at position \d+ \(order-.* version 2\): ValueError at") as failure:
        rebuild(log, failing_on("order.planned", ORDERS))

    assert "a value nobody may see" not in str(failure.value)
    assert verify(log, ORDERS).differing == ()


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
    assert len(query(log, "SELECT FROM projection.milestones_old")) == 30


def test_a_rebuild_catches_up_with_a_running_worker(log: str) -> None:
    """Events that come while the shadow is filled, and a worker that moves the old table on, are not lost by the swap."""
    append(log, [captured(number) for number in range(5)])
    catch_up(log, [ORDERS])
    added = iter(range(5, 9))

    def progress(stage: str, share: float) -> None:
        if stage == "copied":
            append(log, [captured(next(added)), planned(0)])
            catch_up(log, [ORDERS])

    rebuild(log, ORDERS, progress)

    assert status(log, [ORDERS])[0].state == "current"
    assert len(table_of(log, ORDERS)) == 6
    assert verify(log, ORDERS).differing == ()


def test_a_swap_never_goes_back(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the old table moved on after the shadow had caught up, the shadow catches up with it before it takes the place."""
    append(log, [captured(0)])
    catch_up(log, [ORDERS])
    swap = Shadow.swap

    def overtaken(shadow: Shadow) -> float | None:
        append(log, [captured(1), captured(2)])
        catch_up(log, [ORDERS])
        return swap(shadow)

    monkeypatch.setattr(Shadow, "swap", overtaken)
    rebuilt = rebuild(log, ORDERS)

    assert rebuilt is not None
    assert rebuilt.rows == 3
    assert verify(log, ORDERS).differing == ()


def test_an_older_shape_is_rebuilt_and_a_newer_one_left(log: str) -> None:
    """A program with a new shape rebuilds by itself, columns and all; an old program then refuses to write, retry or verify."""
    append(log, [captured(0)])
    catch_up(log, [ORDERS])
    newer = replace(
        ORDERS,
        shape_version=ORDERS.shape_version + 1,
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

    assert [row["region"] for row in table_of(log, newer)] == ["north", "north"]
    assert status(log, [ORDERS])[0].state == "newer than this program"
    with pytest.raises(Refused, match="built by a newer program"):
        catch_up(log, [ORDERS])


@pytest.mark.parametrize(
    "writes", [pytest.param(catch_up, id="catch up"), pytest.param(lambda log, known: retry(log, known[0]), id="retry")]
)
def test_a_worker_that_missed_a_new_shape_does_not_write(log: str, monkeypatch: pytest.MonkeyPatch, writes: Callable[..., object]) -> None:
    """The shape may change after a worker has looked at it; it must not write old documents into new tables."""
    append(log, [captured(0), planned(0)])
    newer = replace(ORDERS, shape_version=ORDERS.shape_version + 1)
    catch_up(log, [failing_on("order.planned", newer)])
    rebuild(log, failing_on("order.planned", newer), strict=False)
    append(log, [captured(1)])
    monkeypatch.setattr(incremental, "_is_older", lambda stored, projection: False)
    with pytest.raises(Refused, match="another shape meanwhile"):
        writes(log, [ORDERS])

    assert len(table_of(log, ORDERS)) == 1


def test_an_automatic_rebuild_parks_what_it_cannot_take(log: str) -> None:
    """Otherwise one bad event would keep a new shape from ever being used."""
    append(log, [captured(0), planned(0), captured(1)])
    catch_up(log, [ORDERS])
    newer = failing_on("order.planned", replace(ORDERS, shape_version=ORDERS.shape_version + 1))
    catch_up(log, [newer])

    assert status(log, [newer])[0].parked == 1
    assert verify(log, newer).differing == ()
    assert len(table_of(log, newer)) == 2


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

    assert query(log, "SELECT * FROM mine") == []


def test_fallout_from_opening_to_close(log: str) -> None:
    """Repeated attempts count on one row, a correction leaves it open, success closes it with its event."""
    fell = {"item": "1", "fallout": "f-1"}
    append(
        log, [captured(0), planned(0), of_order(0, "sim.fell-out", 10, **fell), of_order(0, "sim.fell-out", 12, **fell, reason="INV-STATE")]
    )
    append(log, [of_order(0, "fallout.correction-applied", 13, item="1", step="sim", fallout="f-1")])
    catch_up(log)
    [still] = query(log, "SELECT state, attempts, reason, opened_at FROM projection.fallout")
    [summary] = query(log, "SELECT reason, queue, open, closed FROM projection.fallout_summary")
    append(log, [of_order(0, "sim.assigned", 15, item="2"), *(of_order(0, "sim.assigned", at, item="1") for at in (20, 25))])
    catch_up(log)
    [over] = query(log, "SELECT state, closed_by, step, item, class, (closed_at - opened_at)::text AS took FROM projection.fallout")

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
    rows = query(log, 'SELECT "from", "to", channel, offering, count, p50_s FROM projection.cycle_time')
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
        [row] = query(log, "SELECT state, paid_minor FROM projection.invoices")
        states.append((row["state"], row["paid_minor"]))

    assert states == [("issued", 0), ("issued", 1000), ("overdue", 1000), ("paid", 2000)]
