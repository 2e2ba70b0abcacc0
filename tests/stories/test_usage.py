"""Usage from a file to a line of an invoice: each record once, late ones on the next bill, nobody's in suspense until they are somebody's."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from o2c import plan
from o2c.catalogue.state import KIND, STREAM
from o2c.engine.app import Engine
from o2c.files.usage import take_usage
from o2c.kernel.records import RecordsWanted, digest_of
from o2c.kernel.refusal import Refused
from o2c.store.usage import of_account
from o2c.views.timeline import order_timeline
from o2c.views.usage import list_usage, show_allowances, usage_gaps
from tests.agreeing import disagreements
from tests.metered import BY, account_of, load, metered, number_of, rated, record, usage_lines
from tests.world import World

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def world(dsn: str, tmp_path: Path) -> World:
    return metered(dsn, tmp_path)


def test_records_come_on_the_next_bill(world: World) -> None:
    """A call of 61 seconds is two minutes; one to a mobile has its own price; of eighty messages fifty are included and twenty were carried over from the days before the first bill; each price is a line, rounded once."""
    me = number_of(world)
    told = load(
        world,
        record("1", me, quantity=61, destination="+442079460000"),
        record("2", me, quantity=30, destination="+447700900999"),
        record("3", me, "sms", quantity=80, destination="+447700900999"),
    )
    assert (told["lines"], told["records"], told["duplicates"], told["suspense"]) == (3, 3, 0, {})
    world.run(MARCH)
    assert usage_lines(world) == [("2026-02-08", 20), ("2026-02-08", 20), ("2026-02-08", 50)]
    lines = {line["price"]: line for body in rated(world) for line in body["lines"] if line["records"]}
    assert (lines["Calls"]["quantity"], lines["Calls to mobiles"]["quantity"]) == ("2", "1")
    assert (lines["Messages"]["quantity"], lines["Messages"]["included"], lines["Messages"]["net_minor"]) == ("80", "70", 50)


def test_a_line_of_an_invoice_is_proved_by_its_records(world: World) -> None:
    """The range and the hash in the log agree with the table."""
    me = number_of(world)
    load(world, *(record(str(n), me, quantity=n) for n in range(1, 8)))
    world.run(MARCH)
    [line] = [line for body in rated(world) for line in body["lines"] if line["records"]]
    records = of_account(world.app.reads, RecordsWanted(account_of(world), MARCH))
    kept = [one for one in records if line["first_record"] <= one.id <= line["last_record"]]
    assert (len(kept), digest_of(kept)) == (line["records"], line["digest"])


def test_the_oracle_of_invoices_agrees(world: World) -> None:
    """It works the lines out again from the timeline, rounding each price's exact amount once."""
    me = number_of(world)
    load(world, record("1", me, quantity=61), record("2", me, "sms", quantity=90), record("3", me, "roaming", quantity="1.005", unit="MB"))
    world.run(MARCH)
    assert usage_lines(world) == [("2026-02-08", 20), ("2026-02-08", 100), ("2026-02-08", 101)]
    assert disagreements(dict(event) for event in order_timeline(world.app, "ONE")) == []


def test_a_file_sent_again_doubles_nothing(world: World) -> None:
    """The same file, and its records in another file, are known by their keys."""
    me = number_of(world)
    records = [record("1", me), record("2", me)]
    first, again = load(world, *records), load(world, *records)
    assert (first["repeated"], again["repeated"], again["records"]) == (False, True, 2)
    other = load(world, *records, record("3", me), record("3", me))
    assert (other["records"], other["duplicates"]) == (1, 3)
    world.run(MARCH)
    assert usage_lines(world) == [("2026-02-08", 30)]
    late_copy = load(world, record("1", me), name="again.jsonl")
    assert (late_copy["records"], late_copy["duplicates"]) == (0, 1)
    assert usage_lines(world) == [("2026-02-08", 30)]


def test_a_late_record_comes_on_the_next_bill_and_is_said(world: World) -> None:
    """It was used before a day that is billed already; both the file and the bill say so."""
    me = number_of(world)
    world.run(datetime(2026, 2, 9, tzinfo=UTC))
    told = load(world, record("late", me, start="2026-02-01T10:00:00Z"), record("new", me, start="2026-02-08T10:00:00Z"))
    assert told["late"] == 1
    world.run(datetime(2026, 3, 9, tzinfo=UTC))
    assert usage_lines(world) == [("2026-03-08", 20)]
    [line] = [line for body in rated(world) for line in body["lines"] if line["records"]]
    assert (line["records"], line["late"]) == (2, 1)


@pytest.mark.parametrize(
    ("party", "start", "why"),
    [
        pytest.param("+447700999111", "2026-01-20T12:00:00Z", "no-such-number", id="unknown-number"),
        pytest.param("BA-nobody", "2026-01-20T12:00:00Z", "no-such-account", id="unknown-account"),
        pytest.param("", "2026-01-01T00:00:00Z", "held-by-nobody", id="before-the-line"),
    ],
)
def test_what_is_nobodys_waits_in_suspense(world: World, party: str, start: str, why: str) -> None:
    """With its reason, and on no bill."""
    told = load(world, record("1", party or number_of(world), start=start))
    assert (told["records"], told["suspense"]) == (1, {why: 1})
    [shown] = list_usage(world.app, suspense=True)
    assert (shown["waits_for"], shown["account"]) == (why, "")
    world.run(MARCH)
    assert usage_lines(world) == []


def test_an_account_may_stand_for_its_line(world: World) -> None:
    """Where a record names no number."""
    load(world, record("1", account_of(world)))
    world.run(MARCH)
    assert usage_lines(world) == [("2026-02-08", 10)]


def test_a_gap_in_a_sequence_is_told_until_it_is_filled(world: World) -> None:
    """By the numbers that a source gives its records."""
    me = number_of(world)
    told = load(world, *(record(str(n), me, sequence=n) for n in (1, 2, 5, 6, 9)))
    assert told["gaps"] == {"msc-1": ["3-4", "7-8"]}
    assert [(one["missing_from"], one["missing_to"], one["missing"]) for one in usage_gaps(world.app)] == [(3, 4, 2), (7, 8, 2)]
    assert load(world, record("3", me, sequence=3), record("4", me, sequence=4))["gaps"] == {"msc-1": ["7-8"]}
    assert [one["missing_from"] for one in usage_gaps(world.app, source="msc-1")] == [7]
    assert usage_gaps(world.app, source="msc-2") == []


def test_a_refused_line_is_counted_and_nothing_else_is_lost(world: World) -> None:
    """With the number of the line and a reason that says no value."""
    me = number_of(world)
    told = load(world, record("1", me), record("2", me, quantity="-1"), record("3", me, kind="pigeon"), {"party": me})
    assert (told["records"], told["refused"]) == (1, 3)
    assert told["reasons"][0] == "line 2: quantity is no number from 0 on"
    assert not any(me in reason for reason in told["reasons"])


def test_text_is_taken_as_a_file_is(world: World) -> None:
    """As CSV, too; what is no record file is refused whole."""
    me = number_of(world)
    text = f"party,kind,start,quantity,destination\n{me},voice,2026-01-20T12:00:00Z,60,+442079460000\n".encode()
    assert take_usage(world.app, BY, text)["records"] == 1
    assert take_usage(world.app, BY, text)["repeated"]
    for bad in (b"", b"a,b\n1,2\n", b"party,kind\nx,voice\n"):
        with pytest.raises(Refused):
            take_usage(world.app, BY, bad)


def test_who_called_whom_is_masked(world: World) -> None:
    """In the list; the log holds no number of either at all."""
    me, other = number_of(world), "+447700900999"
    load(world, record("1", me, destination=other))
    [shown] = list_usage(world.app, account=account_of(world))
    assert (shown["party"], shown["other"]) == (f"{me[:4]}***{me[-3:]}", "+447***999")
    rows = world.app.reads.rows("SELECT body::text || coalesce(personal::text, '') AS t FROM o2c.event WHERE type ~ '^(usage|account)'")
    assert not any(other in row["t"] or me in row["t"] for row in rows)


def test_what_is_left_is_told_at_any_instant(world: World) -> None:
    """Twenty were carried over and are used first; what remains of them and of the fifty rolls over, up to twenty."""
    me = number_of(world)
    load(world, record("1", me, "sms", "2026-01-20T09:00:00Z", 20), record("2", me, "sms", "2026-01-20T15:00:00Z", 10))
    world.run(datetime(2026, 1, 25, tzinfo=UTC))

    def left(at: str) -> list[str]:
        return [
            f"{row['left']} of {row['granted']}" for row in show_allowances(world.app, account_of(world), at=datetime.fromisoformat(at))
        ]

    assert [left(f"2026-01-20T{hour}:00:00+00:00") for hour in ("08", "12", "20")] == [
        ["20 of 20", "50 of 50"],
        ["0 of 20", "50 of 50"],
        ["0 of 20", "40 of 50"],
    ]
    world.run(datetime(2026, 2, 9, tzinfo=UTC))
    assert left("2026-02-09T00:00:00+00:00") == ["20 of 20", "50 of 50"]


def test_records_are_deleted_after_their_time(world: World) -> None:
    """A year, in the United Kingdom; what no bill has stays."""
    from o2c.files.usage import purge_usage

    me = number_of(world)
    load(world, record("1", me), record("2", "+447700999111"))
    assert purge_usage(world.app, BY)["records"] == 0
    world.run(datetime(2027, 2, 9, tzinfo=UTC))
    assert purge_usage(world.app, BY) == {"before": "2026-02-09T00:00:00Z", "records": 2, "kept": 0}
    assert list_usage(world.app) == []


@pytest.mark.parametrize(("shape", "read"), [(KIND.shape_version - 1, True), (KIND.shape_version, False)])
def test_a_price_list_that_was_kept_without_kinds_of_models_is_folded_anew(world: World, dsn: str, shape: int, read: bool) -> None:
    """The state of an older shape is not read but made again from the events; the control: as one of this shape it could not be read."""
    written = world.app.reads.rows(
        """UPDATE o2c.head SET shape = %s, state = regexp_replace(state::text, '"kind": ?"per-unit", ?', '', 'g')::json"""
        " WHERE stream = %s AND state::text LIKE '%%per-unit%%' RETURNING state::text AS kept",
        shape,
        STREAM,
    )
    assert ["per-unit" in row["kept"] for row in written] == [False]
    with Engine(dsn, plan.KINDS) as fresh, nullcontext() if read else pytest.raises(ValueError, match="kind"):
        assert fresh.load_one(STREAM).state == fresh.replay(STREAM)
