"""Every way of filling a shadow yields the same: read in bulk, in shards, by processes of their own; who fails or comes late changes nothing."""

import itertools
import subprocess
import sys
import threading
from dataclasses import replace

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.kernel.refusal import Refused
from o2c.store.database import connect
from projections.catalogue import ALL, BY_NAME
from projections.engine import fill as filling
from projections.engine import tables
from projections.engine.bulk import BulkReader, Shard, shardable
from projections.engine.fill import Job, fill
from projections.engine.operations import FoldFailed, as_of, catch_up, rebuild, verify
from projections.engine.ownership import let_make
from projections.engine.projection import Projection, Row, reader_of
from projections.engine.seen import last_mark
from tests.depth import depth
from tests.histories import append, captured, histories, of_order, planned, query, table_of

ORDERS = BY_NAME["orders"]
_salts = itertools.count()


@pytest.fixture
def log(store_dsn: str) -> str:
    """An empty log."""
    return store_dsn


def few_examples(count: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=count,
        suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
        phases=[hypothesis.Phase.generate],
    )


@few_examples(depth(5, 40))
@hypothesis.given(data=st.data(), shards=st.integers(1, 4))
def test_shards_together_are_the_whole(log: str, data: st.DataObject, shards: int) -> None:
    """Read in bulk and in any number of shards, every projection sees each event of its groups once, as page by page, and makes the same rows."""
    append(log, data.draw(histories(f"-shards-{next(_salts)}", max_size=40)))
    with tables.session(log) as conn:
        upto = last_mark(conn)
        for projection in ALL:
            paged = reader_of([projection]).page(conn, 0, upto.position)[0] if upto.position else []
            reader = BulkReader(projection)
            parts = [[seen for block in reader.blocks(conn, 0, upto.position, Shard(n, shards)) for seen in block] for n in range(shards)]

            assert sorted(projection.restrict(seen) for part in parts for seen in part if projection.group(seen)) == [
                projection.restrict(seen) for seen in paged if projection.group(seen)
            ]
            groups = [{projection.group(seen) for seen in part} - {None} for part in parts]
            assert sum(map(len, groups)) == len(set().union(*groups))
            assert _filled(log, projection, upto.position, shards) == as_of(log, projection)


def _filled(log: str, projection: Projection, upto: int, shards: int) -> list[Row]:
    with tables.session(log) as conn:
        tables.prepare(conn, [projection])
        let_make(conn, [projection])
        tables.make_shadow(conn, projection)
        shadow = tables.shadow_id(conn, projection)
        for number in range(shards):
            fill(conn, projection, Job(projection.name, upto, number, shards, False, shadow), lambda stage, share: None)
        tables.index(conn, projection)
    return table_of(log, replace(projection, name=f"{projection.name}_new"))


def test_all_projections_of_the_catalogue_can_be_sharded() -> None:
    """One that cannot is rebuilt by one process, however long the log."""
    assert [projection.name for projection in ALL if not shardable(projection)] == []


def test_old_events_and_awkward_text_are_read_alike(log: str) -> None:
    """Quotes, backslashes and letters of any script in stream names, channels and bodies, and events of older schemas, come through COPY unharmed."""
    awkward = 'a"b\\c\tü\N{SNOWMAN}\\n'
    told = of_order(0, "order.captured", external_id=awkward, party=awkward, lines=[])
    append(log, [replace(told, customer_id=awkward), of_order(0, "payment.received", 3), of_order(0, "credit.approved", 4)])
    with tables.session(log) as conn:
        upto = last_mark(conn).position
        paged = [ORDERS.restrict(seen) for seen in reader_of([ORDERS]).page(conn, 0, upto)[0]]
        [block] = BulkReader(ORDERS).blocks(conn, 0, upto)
        [row] = conn.execute("SELECT count(*) AS n FROM o2c.event WHERE type = 'payment.received' AND schema_version = 1").fetchall()

    assert row["n"] == 1
    assert [ORDERS.restrict(seen) for seen in block] == paged
    assert block[0].body["external_id"] == awkward


def test_an_event_nobody_knows_stops_a_rebuild(log: str) -> None:
    """Read in bulk too, an event of a newer program is not passed over."""
    append(log, [captured(0)])
    with connect(log) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("UPDATE o2c.event SET type = 'satellite.aligned'")
    with pytest.raises(Refused, match=r"satellite\.aligned at position .* is unknown"):
        rebuild(log, ORDERS)


def test_processes_yield_what_one_does(log: str) -> None:
    """Two processes fill one shadow; rows, documents and counts are those of the log."""
    append(log, [told for number in range(12) for told in (captured(number), planned(number))])
    catch_up(log, [ORDERS])
    messages: list[tuple[str, float]] = []
    rebuilt = rebuild(log, ORDERS, lambda stage, share: messages.append((stage, share)), processes=2)

    assert rebuilt is not None
    assert (rebuilt.groups, rebuilt.rows, rebuilt.differing) == (12, 12, 0)
    assert verify(log, ORDERS).differing == ()
    assert messages[-1] == ("swapped", 1)


def test_a_process_that_cannot_fold_ends_the_rebuild(log: str) -> None:
    """The event is named in one line and without its values; the other process is ended too; the tables stay."""
    bad = captured(1)
    append(log, [captured(0), captured(2)])
    catch_up(log, [ORDERS])
    bad.body.pop("lines")
    append(log, [bad])
    with connect(log) as conn:
        conn.execute("DELETE FROM projection.checkpoint")
        conn.execute(
            "INSERT INTO projection.checkpoint SELECT 'orders', position, event_id, 2, 1 FROM o2c.event ORDER BY position DESC LIMIT 1"
        )
    with pytest.raises(FoldFailed, match=r"order\.captured at position \d+ .*: KeyError at") as failure:
        rebuild(log, ORDERS, processes=2)

    assert "\n" not in str(failure.value)
    assert len(table_of(log, ORDERS)) == 2


def test_a_process_that_dies_ends_the_rebuild(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said in one line, and nothing is changed."""
    append(log, [captured(0)])
    catch_up(log, [ORDERS])
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(FoldFailed, match=r"a process that folded projection orders died \(exit 1\); nothing is changed"):
        rebuild(log, ORDERS, processes=2)

    assert verify(log, ORDERS).differing == ()


def test_who_outlives_his_rebuild_writes_nothing(log: str) -> None:
    """A process of an earlier rebuild finds the shadow of a later one, and leaves it alone; control: into its own it writes."""
    append(log, [captured(0)])
    with tables.session(log) as conn:
        tables.prepare(conn, [ORDERS])
        let_make(conn, [ORDERS])
        upto = last_mark(conn).position
        tables.make_shadow(conn, ORDERS)
        job = Job("orders", upto, 0, 1, True, tables.shadow_id(conn, ORDERS))
        fill(conn, ORDERS, job, lambda stage, share: None)
        written = query(log, "SELECT FROM projection.orders_new")
        tables.make_shadow(conn, ORDERS)
        with pytest.raises(Refused, match="another rebuild of projection orders has taken over"):
            fill(conn, ORDERS, job, lambda stage, share: None)
        tables.drop(conn, ORDERS, "_new")
        with pytest.raises(Refused, match="another rebuild"):
            fill(conn, ORDERS, job, lambda stage, share: None)

    assert len(written) == 1


def test_one_process_may_end_long_before_another(log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a process that has done its job is no death, however long the others still work."""
    append(log, [told for number in range(12) for told in (captured(number), planned(number))])
    ended, listen = threading.Event(), filling._listen

    def late(process: subprocess.Popen[str], number: int, messages: filling.Messages) -> None:
        if number:
            ended.wait(30)
        listen(process, number, messages)
        ended.set()

    monkeypatch.setattr(filling, "_listen", late)
    rebuilt = rebuild(log, ORDERS, processes=2)

    assert rebuilt is not None
    assert rebuilt.rows == 12
