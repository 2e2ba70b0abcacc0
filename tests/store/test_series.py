"""Series without a gap: the next number, taken in the append, whoever else appends and whatever is rolled back."""

import random
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg
import pytest

from o2c import plan
from o2c.checks.diagnose import run_checks
from o2c.engine.app import Engine
from o2c.engine.drafts import Command
from o2c.invoicing.events import InvoiceIssued
from o2c.kernel.carry import Happened
from o2c.kernel.charges import invoice_stream
from o2c.store.commands import Outcome
from o2c.store.database import connect
from o2c.store.recorder import LogRecorder
from tests.store.writing import NOON, command, number, rows, send, take, verdicts

SERIES = "GB1-INV-2026"
WRITERS, EACH = 8, 125
_GIVEN = "SELECT (body->>'serial')::int AS serial FROM o2c.event WHERE type = 'invoice.issued' ORDER BY position"
_LAST = "SELECT last FROM o2c.series WHERE series = 'GB1-INV-2026'"


def issue(*, command_id: str = "") -> Command:
    """An invoice about to be issued, which has no number yet."""
    key = uuid.uuid4().hex
    event = InvoiceIssued.model_validate({**InvoiceIssued.example, "number": key, "series": SERIES, "serial": 0, "legal_number": ""})
    stream = invoice_stream(key)
    return Command(command_id or str(uuid.uuid4()), stream, (Happened(stream, event, NOON),), {}, "test", "web")


def given(app: Engine) -> list[int]:
    return [row["serial"] for row in app.reads.rows(_GIVEN)]


def the_check(app: Engine) -> str:
    [check] = [check for check in run_checks(app) if check.name == "series have no gap"]
    return f"{check.state}: {check.detail}"


def test_papers_are_numbered_in_their_order(taking: Engine) -> None:
    """Three invoices of one batch and one of the next bear 1 to 4, as number, as text, and in the folded state that is remembered."""
    batch = [issue(), issue(), issue()]
    assert verdicts(taking.write(batch)) == ["appended"] * 3
    last = issue()
    assert verdicts(taking.write([last])) == ["appended"]
    assert given(taking) == [1, 2, 3, 4]
    for remembered in (True, False):
        state = taking.load([last.stream], remembered=remembered)[last.stream].state
        assert (state.issued.serial, state.issued.legal_number) == (4, "GB1-INV-2026-000004")
        taking.forget()
    assert the_check(taking) == "ok: 4 numbers"


def test_a_repeated_command_takes_no_second_number(taking: Engine) -> None:
    """A command that was written already keeps its number; those beside it get the next ones."""
    first = issue()
    taking.write([first])
    assert verdicts(taking.write([issue(), first, issue()])) == ["appended", "repeated", "appended"]
    assert given(taking) == [1, 2, 3]


def test_another_process_that_was_faster(log_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two engines that read the same last number, the second numbers its papers anew: no gap, none twice."""
    with closing(Engine(log_dsn, plan.KINDS)) as one, closing(Engine(log_dsn, plan.KINDS)) as other:
        read = one.reads.last_numbers

        def slowly(series: Sequence[str]) -> dict[str, int]:
            found = read(series)
            monkeypatch.undo()
            other.write([issue(), issue()])
            return found

        monkeypatch.setattr(one.reads, "last_numbers", slowly)
        assert verdicts(one.write([issue(), issue()])) == ["appended"] * 2
        assert given(one) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param([1, 2, 3], ["appended"] * 3, id="one after another"),
        pytest.param([2, 1], ["appended"] * 2, id="in any order"),
        pytest.param([2], ["guarded"], id="the first one left out"),
        pytest.param([1, 3], ["appended", "guarded"], id="one left out"),
        pytest.param([1, 1, 2], ["appended", "guarded", "guarded"], id="one twice"),
        pytest.param([0], ["guarded"], id="none"),
    ],
)
def test_what_the_append_takes(recorder: LogRecorder, wanted: list[int], expected: list[str]) -> None:
    """Whoever sends numbers, only those that follow the last one are taken; what was refused leaves nothing, and no gap (invoiceninja #2395, odoo #11859)."""
    sent = [command((f"a-{place}", 0), guards=(number(SERIES, serial),)) for place, serial in enumerate(wanted)]
    assert sorted(verdicts(recorder.append(sent))) == sorted(expected)
    [row] = rows(recorder, _LAST)
    assert row["last"] == expected.count("appended") == len(rows(recorder, "SELECT FROM o2c.event"))


def test_a_command_that_meets_a_guard_gives_its_number_to_the_next(recorder: LogRecorder) -> None:
    """What comes after it in the series was decided with a number too high, and is numbered again; its guards are free again."""
    recorder.append([command(("held-1", 0), guards=(take("89-1", "o-1"),))])
    first = command(("a-1", 0), guards=(number(SERIES, 1),))
    meets = command(("a-2", 0), guards=(take("89-1", "o-2"), number(SERIES, 2)))
    after = command(("a-3", 0), guards=(take("89-3", "o-3"), number(SERIES, 3)))
    outcomes = recorder.append([first, meets, after])
    assert [(outcome.verdict, outcome.detail) for outcome in outcomes] == [("appended", ""), ("guarded", "sim 89-1"), ("guarded", "series")]
    assert rows(recorder, "SELECT key FROM o2c.guard") == [{"key": "89-1"}]
    again = command(("a-3", 0), command_id=after.command_id, guards=(take("89-3", "o-3"), number(SERIES, 2)))
    assert verdicts(recorder.append([again])) == ["appended"]


def test_two_series_of_one_command(recorder: LogRecorder) -> None:
    """A command that cannot have one of its numbers has neither, and who came after it in the other series is numbered again."""
    both = command(("a-1", 0), guards=(number(SERIES, 2), number("GB1-CRN-2026", 1)))
    other = command(("a-2", 0), guards=(number("GB1-CRN-2026", 2),))
    assert verdicts(recorder.append([both, other])) == ["guarded", "guarded"]
    assert {row["last"] for row in rows(recorder, "SELECT last FROM o2c.series")} == {0}


def test_who_issues_nothing_waits_for_no_number(log_dsn: str) -> None:
    """While a number is being taken, only the papers of its series wait: money that comes, and papers of another series, do not
    (odoo #91873: drafts, payments and reconciling wait for the row of the last invoice; OCA/server-tools #2040)."""
    with connect(log_dsn) as slow, connect(log_dsn) as other:
        other.execute("SET lock_timeout = '300ms'")
        with slow.transaction(force_rollback=True):
            assert verdicts(send(slow, command(("invoice-1", 0), guards=(number(SERIES, 1),)))) == ["appended"]
            beside = send(other, command(("payment-1", 0)), command(("note-1", 0), guards=(number("GB1-CRN-2026", 1),)))
            assert verdicts(beside) == ["appended"] * 2
            with pytest.raises(psycopg.errors.LockNotAvailable):
                send(other, command(("invoice-2", 0), guards=(number(SERIES, 1),)))
        assert verdicts(send(other, command(("invoice-2", 0), guards=(number(SERIES, 1),)))) == ["appended"]


def _issues(dsn: str, seed: int, *, each: int) -> None:
    """Issue so many invoices, a few at a time."""
    luck = random.Random(seed)
    with closing(Engine(dsn, plan.KINDS)) as app:
        left = each
        while left:
            batch = [issue() for _ in range(min(left, luck.randint(1, 5)))]
            assert verdicts(app.write(batch)) == ["appended"] * len(batch)
            left -= len(batch)


def _disturb(dsn: str, over: threading.Event, take_number: Callable[[psycopg.Connection[Any]], object]) -> int:
    """Take numbers again and again and never commit: roll back, or have the connection killed in the transaction."""
    luck, rolled_back = random.Random(7), 0
    while not over.is_set():
        with connect(dsn) as conn, connect(dsn) as killer:
            try:
                with conn.transaction(force_rollback=True):
                    take_number(conn)
                    if luck.random() < 0.5:
                        killer.execute("SELECT pg_terminate_backend(%s)", (conn.info.backend_pid,))
                        conn.execute("SELECT 1")
            except psycopg.OperationalError:
                pass
            rolled_back += 1
            over.wait(0.02)
    return rolled_back


def _under_disturbance(dsn: str, take_number: Callable[[Any], object], issues: Callable[[int], object]) -> int:
    over = threading.Event()
    with ThreadPoolExecutor(WRITERS + 1) as pool:
        disturbing = pool.submit(_disturb, dsn, over, take_number)
        try:
            list(pool.map(issues, range(WRITERS)))
        finally:
            over.set()
        return disturbing.result()


def test_a_thousand_at_once_with_rollbacks_and_kills(log_dsn: str) -> None:
    """Eight writers issue 1,000 invoices while others take numbers and are rolled back or killed: 1 to 1,000, each once.

    Source: billing facts, section 6.4.8; Directive 2006/112/EC, art. 226(2); VAT Regulations 1995, reg. 14(1)(a).
    """

    def takes(conn: Any) -> list[Outcome]:
        row = conn.execute(_LAST).fetchone()
        return send(conn, command((f"a-{uuid.uuid4()}", 0), guards=(number(SERIES, (row["last"] if row else 0) + 1),)))

    disturbed = _under_disturbance(log_dsn, takes, lambda seed: _issues(log_dsn, seed, each=EACH))
    with closing(Engine(log_dsn, plan.KINDS)) as app:
        assert disturbed > 5
        assert sorted(given(app)) == list(range(1, WRITERS * EACH + 1))
        assert the_check(app) == "ok: 1,000 numbers"


def test_a_counter_outside_of_the_transaction_leaves_holes(log_dsn: str) -> None:
    """The control: a sequence, which no rollback takes back, leaves holes under the same disturbance."""
    with connect(log_dsn) as conn:
        conn.execute("CREATE SEQUENCE IF NOT EXISTS public.counter")
        conn.execute("CREATE TABLE IF NOT EXISTS public.paper (serial bigint)")
        conn.execute("TRUNCATE public.paper")
    insert = "INSERT INTO public.paper SELECT nextval('public.counter')"

    def issues(seed: int) -> None:
        with connect(log_dsn) as conn:
            for _ in range(EACH):
                conn.execute(insert)

    _under_disturbance(log_dsn, lambda conn: conn.execute(insert), issues)
    with connect(log_dsn) as conn:
        [row] = conn.execute("SELECT count(*) AS n, max(serial) - min(serial) + 1 AS span FROM public.paper").fetchall()
        conn.execute("DROP TABLE public.paper")
        conn.execute("DROP SEQUENCE public.counter")
    assert row["n"] == WRITERS * EACH < row["span"]


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        pytest.param("UPDATE o2c.series SET last = 9", "GB1-INV-2026 is at 9, its last paper at 3", id="the row was moved"),
        pytest.param("DELETE FROM o2c.series", "GB1-INV-2026 has papers, and no row of its last number", id="the row is gone"),
        pytest.param(
            "DELETE FROM o2c.event WHERE body->>'serial' = '2'", "GB1-INV-2026 has 2 papers numbered from 1 to 3", id="a paper is gone"
        ),
    ],
)
def test_diagnose_sees_it(taking: Engine, sql: str, says: str) -> None:
    """Who removes a paper, or moves a series by hand, is found."""
    taking.write([issue(), issue(), issue()])
    with connect(taking.dsn) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute(sql.encode())
    assert the_check(taking) == f"failed: {says}"
