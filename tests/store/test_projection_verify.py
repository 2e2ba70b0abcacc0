"""Checking some groups or all against the log, and mending single ones: what was planted is found, mended, and nothing else is touched."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from o2c.kernel.event import EVENT_TYPES
from o2c.kernel.refusal import Refused
from o2c.store.connection import Connection
from o2c.store.database import connect
from projections.catalogue import ALL, BY_NAME
from projections.engine import incremental, some_groups, tables
from projections.engine.checkpoints import checkpoints
from projections.engine.operations import By, Projection, Report, Scope, catch_up, list_parked, repair, skip, verify, verify_together
from projections.engine.projection import reader_of
from projections.engine.seen import Reader, Seen, last_mark
from tests.histories import Told, append, captured, failing_on, held, invoice, of_order, order_id, planned, query, table_of

ORDERS, STOCK, CONTACTS = BY_NAME["orders"], BY_NAME["stock"], BY_NAME["contacts"]
CONTACT = {"customer": "C-0", "order": "", "medium": "phone", "topic": "order", "direction": "in"}


def sim(number: int) -> Told:
    return Told(f"sim-{number}", "sim.received", {"iccid": str(number), "kind": "esim", "imsi": "001"})


def contact(number: int) -> Told:
    return Told(f"customer-C-{number}", "customer.contacted", {**CONTACT, "customer": f"C-{number}"}, None, f"C-{number}")


HISTORY = [
    *(captured(number) for number in range(6)),
    planned(0),
    of_order(0, "sim.fell-out", item="1", fallout="f-0"),
    of_order(0, "step.given-up", item="1", step="porting"),
    sim(1),
    sim(2),
    contact(0),
    contact(0),
    contact(1),
    Told("catalogue-main", "catalogue.offering-published", dict(EVENT_TYPES["catalogue.offering-published"].example)),
    Told("fallout-f-0", "fallout.noted", {"fallout": "f-0", "fell_out_in": "order-1001"}, order_id(0)),
    of_order(0, "cutover.number-ported-in", item="1"),
    Told("invoice-1", "invoice.issued", invoice("INV-1", 1999), order_id(0)),
    Told("account-1", "account.deposit-kept", held(1, order=order_id(0))),
    Told("fallout-f-0", "fallout.claimed", {"fallout": "f-0", "fell_out_in": "order-0", "by": "ann", "until": "2026-01-06T10:30:00Z"}),
    of_order(1, "cancellation.requested", items=["1"]),
    Told("product-A:1", "product.started", dict(EVENT_TYPES["product.started"].example)),
    Told("quota-BA-1001", "prepaid.topped-up", dict(EVENT_TYPES["prepaid.topped-up"].example)),
    Told("quota-BA-1001", "prepaid.returned", dict(EVENT_TYPES["prepaid.returned"].example)),
    Told("account-BA-1001", "account.prepaid-owed", dict(EVENT_TYPES["account.prepaid-owed"].example)),
    Told("quota-BA-1001", "prepaid.usage-charged", dict(EVENT_TYPES["prepaid.usage-charged"].example)),
    Told("collection-BA-1001", "collections.arrears-changed", dict(EVENT_TYPES["collections.arrears-changed"].example)),
    Told("message-1", "message.scheduled", dict(EVENT_TYPES["message.scheduled"].example)),
    Told("ledger-main", "ledger.closed", dict(EVENT_TYPES["ledger.closed"].example)),
    Told("intake-1", "intake.closed", {"lines": 5, "captured": 3, "duplicates": 1, "resubmitted": 0, "refused": 1}),
]


@pytest.fixture
def log(log: str) -> str:
    """A log that all projections have folded, read in pages of seven events."""
    append(log, HISTORY)
    catch_up(log)
    return log


def plant(log: str, statement: str) -> None:
    with connect(log) as conn:
        conn.execute(statement.encode())


PLANTED = [
    pytest.param(ORDERS, "UPDATE projection.orders SET state = 'completed' WHERE external_id = 'WEB-5'", 1, id="wrong row"),
    pytest.param(ORDERS, "DELETE FROM projection.orders WHERE external_id = 'WEB-5'", 1, id="missing row"),
    pytest.param(ORDERS, f"INSERT INTO projection.orders SELECT '{order_id(9)}', 'x' FROM projection.orders LIMIT 1", 1, id="surplus row"),
    pytest.param(ORDERS, "INSERT INTO projection.orders SELECT 'x', 'x' FROM projection.orders LIMIT 1", 1, id="surplus row of no order"),
    pytest.param(ORDERS, f"UPDATE projection.orders_doc SET doc = doc || '{{\"priority\": 7}}' WHERE group_key = '{order_id(5)}'", 1, id="wrong document"),
    pytest.param(ORDERS, f"DELETE FROM projection.orders_doc WHERE group_key = '{order_id(5)}'", 1, id="missing document"),
    pytest.param(STOCK, "DELETE FROM projection.stock_doc; DELETE FROM projection.stock", 4, id="a whole projection gone"),
    pytest.param(STOCK, "INSERT INTO projection.stock_doc VALUES ('sim-9', '{}')", 1, id="surplus document"),
    pytest.param(CONTACTS, "UPDATE projection.contacts SET topic = 'x'", 3, id="contacts changed"),
    pytest.param(CONTACTS, "UPDATE projection.contacts_doc SET doc = doc || '{\"position\": 1}'", 3, id="contacts that lead nowhere"),
]  # fmt: skip


@pytest.mark.parametrize(("projection", "statement", "differing"), PLANTED)
@pytest.mark.parametrize(
    "scope",
    [
        pytest.param(Scope(), id="all"),
        pytest.param(Scope(sample=100), id="a sample"),
        pytest.param(Scope(recent=100, sample=100), id="both"),
    ],
)
def test_what_is_planted_is_found_and_mended(log: str, projection: Projection, statement: str, differing: int, scope: Scope) -> None:
    """Each difference is reported, mended by itself, told, and gone afterwards; a second repair finds nothing to do."""
    plant(log, statement)
    report = verify(log, projection, scope)
    assert len(report.differing) == differing
    mended = repair(log, projection, report.wrong_groups)
    assert sorted(map(str, mended)) == sorted(map(str, report.differing))
    assert verify(log, projection).differing == ()
    assert repair(log, projection, report.wrong_groups) == []


def test_only_what_was_touched_lately_is_looked_at(log: str) -> None:
    """Groups of the last events are checked, whenever else they were touched; an older group is not."""
    append(log, [of_order(5, "order.cancelled")])
    catch_up(log)
    plant(log, "UPDATE projection.orders SET state = 'completed' WHERE external_id = 'WEB-4'")
    assert verify(log, ORDERS, Scope(recent=1)).differing == ()
    plant(log, "UPDATE projection.orders SET state = 'completed' WHERE external_id = 'WEB-5'")
    report = verify(log, ORDERS, Scope(recent=1))

    assert (report.groups, report.wrong_groups) == (1, [order_id(5)])


def test_a_sample_is_no_larger_than_asked_for(log: str) -> None:
    """Of six orders two are folded; of an empty projection none."""
    assert verify(log, ORDERS, Scope(sample=2)).groups == 2
    plant(log, "DELETE FROM projection.intakes_doc; DELETE FROM projection.intakes")
    assert verify(log, BY_NAME["intakes"], Scope(sample=2)).wrong_groups == ["intake-1"]


def test_only_the_streams_of_the_groups_are_read(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check of one order sees no event of another."""
    seen, original = list[Seen](), Reader.record

    def noting(reader: Reader, row: tuple[object, ...]) -> Seen:
        seen.append(original(reader, row))
        return seen[-1]

    monkeypatch.setattr(Reader, "record", noting)
    assert repair(log, ORDERS, [order_id(3)]) == []
    assert {event.order_id for event in seen} == {order_id(3)}


@pytest.mark.parametrize("projection", [pytest.param(projection, id=projection.name) for projection in ALL])
def test_the_declared_streams_hold_every_event_of_a_group(log: str, projection: Projection) -> None:
    """Folding only the streams that a group is found by yields what folding the whole log yields, for every group there is."""
    with tables.session(log) as conn:
        reader, groups = reader_of([projection]), dict[str, set[str]]()
        for seen in [seen for after in _starts(conn, reader) for seen in reader.page(conn, after, last_mark(conn).position)[0]]:
            if (group := projection.group(seen)) is not None:
                groups.setdefault(group, set()).add(seen.stream)
        assert groups
        for group, streams in groups.items():
            assert streams <= set(some_groups.streams_of(conn, projection, [group]))


def _starts(conn: Connection, reader: Reader) -> list[int]:
    starts, upto = [0], last_mark(conn).position
    while end := reader.page(conn, starts[-1], upto)[1]:
        starts.append(end.position)
    return starts


def test_a_parked_group_is_mended_to_where_it_stood(log: str) -> None:
    """Not beyond: its parked events stay parked, and what was skipped stays out."""
    broken = failing_on("order.cancelled", ORDERS)
    append(log, [of_order(1, "order.cancelled"), of_order(2, "order.cancelled")])
    catch_up(log, [broken])
    skip(log, broken, order_id(2), By("ann", "double"))
    rows = table_of(log, broken)
    plant(log, "UPDATE projection.orders SET state = 'completed', closed_at = now()")
    report = verify(log, ORDERS, Scope(sample=100))
    repair(log, ORDERS, report.wrong_groups)

    assert table_of(log, broken) == rows
    assert [one.group for one in list_parked(log, [broken])] == [order_id(1)]


def test_a_group_that_the_fold_cannot_take_is_left(log: str) -> None:
    """What a repair cannot derive it does not touch."""
    broken = failing_on("order.planned", ORDERS)
    rows = table_of(log, ORDERS)
    assert verify(log, broken).wrong_groups == [order_id(0)]
    assert repair(log, broken, [order_id(0)]) == []
    assert table_of(log, ORDERS) == rows


def test_a_worker_does_not_write_over_what_was_mended(log: str) -> None:
    """It had read the wrong document before: its batch is refused, and folded again from the mended one."""
    plant(log, f"UPDATE projection.orders_doc SET doc = doc || '{{\"priority\": 7}}' WHERE group_key = '{order_id(5)}'")
    start = last_position(log)
    append(log, [of_order(5, "order.cancelled")])
    with tables.session(log) as conn:
        worker = incremental.Batch(conn, ORDERS, checkpoints(conn, [ORDERS])["orders"], ())
        target = last_mark(conn)
        worker.take(reader_of([ORDERS]).page(conn, start, target.position)[0])
        assert len(repair(log, ORDERS, [order_id(5)])) == 1
        assert worker.flush(target) is False
    catch_up(log, [ORDERS])
    assert verify(log, ORDERS).differing == ()


def last_position(log: str) -> int:
    return int(query(log, "SELECT max(position) AS at FROM o2c.event")[0]["at"])


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda log, known: verify(log, known, Scope(sample=1)), id="a sample"),
        pytest.param(lambda log, known: repair(log, known, [order_id(0)]), id="a repair"),
    ],
)
def test_a_projection_whose_events_no_index_finds(log: str, ask: Callable[[str, Projection], object]) -> None:
    """It is checked whole and rebuilt; a part of it is refused, for it would be found empty."""
    with pytest.raises(Refused, match="does not say where"):
        ask(log, replace(ORDERS, found_by=None))


def found(reports: Iterable[Report]) -> dict[str, tuple[int, int, int, list[str]]]:
    """What reports say, by projection: position, groups, rows and what differs."""
    return {one.name: (one.position, one.groups, one.rows, sorted(map(str, one.differing))) for one in reports}


@pytest.mark.parametrize(("projection", "statement", "differing"), PLANTED)
def test_all_together_find_what_each_finds_alone(log: str, projection: Projection, statement: str, differing: int) -> None:
    """By one reading of the log: with what is planted in one of them, with one that is behind, parked events and skipped ones."""
    broken = failing_on("order.cancelled", ORDERS)
    append(log, [of_order(1, "order.cancelled"), of_order(2, "order.cancelled")])
    catch_up(log, [*(one for one in ALL if one.name not in ("orders", "intakes")), broken])
    skip(log, broken, order_id(2), By("ann", "double"))
    plant(log, statement)
    together = verify_together(log, ALL)

    assert found(together) == found(verify(log, one) for one in ALL)
    assert {one.name: len(one.differing) for one in together if one.differing} == {projection.name: differing}
    assert len({one.position for one in together}) == 2
