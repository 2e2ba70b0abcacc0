"""Ranges of invoice numbers that were approved beforehand: taken in order, never beyond the last one, and waited for where none is left.

Source: billing facts, section 6.4.8 (a series may be a pre-approved range with an end); Kill Bill #1958, #2014.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.engine.drafts import Command
from o2c.engine.numbering import beyond, numbered
from o2c.invoicing import notes, ranges
from o2c.invoicing.events import CreditNoteIssued, InvoiceIssued
from o2c.invoicing.invoice import note_work
from o2c.invoicing.issuing import left_of
from o2c.invoicing.noted import InvoiceState
from o2c.invoicing.papers import NumberRange
from o2c.invoicing.range_events import RANGES, RangeLowNoticed, RangeUsedUp
from o2c.invoicing.range_state import KIND, RangesState
from o2c.invoicing.rules import bill
from o2c.invoicing.state import ACCOUNT
from o2c.invoicing.step import NOTE
from o2c.kernel.agenda import Entry, by_shape
from o2c.kernel.attend import attend
from o2c.kernel.carry import Happened
from o2c.kernel.charges import invoice_stream
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Event
from o2c.kernel.reaction import Wake
from o2c.kernel.refusal import Refused
from o2c.kernel.work import Work
from o2c.plan import BILL_RUN
from o2c.stock.reaction import STOCK_CAME, supply_of
from o2c.views.number_ranges import shown
from tests.charges import STREAM, account, charge
from tests.given import BOOK, CUSTOMER, MONDAY
from tests.noted import STREAM as INVOICE_STREAM
from tests.noted import after, invoice

EIGHTH = datetime(2026, 1, 8, 6, tzinfo=UTC)
ENTRY = Entry(STREAM, "", "bill-run", "submit", EIGHTH, 0, EIGHTH)


def numbers(first: int = 1, last: int = 3, **more: Any) -> NumberRange:
    """A range of GB1's invoices, valid this year."""
    told = {"entity": "GB1", "prefix": "SETP-", "valid_from": "2026-01-01", "valid_to": "2026-12-31", "approval": "DEC-1"}
    return NumberRange.model_validate({**told, "first": first, "last": last, **more})


def approved(*wanted: NumberRange, over: dict[str, str] | None = None) -> RangesState:
    state = RangesState()
    for one in wanted:
        for event in ranges.approve(state, one, low_days=30).events:
            state = KIND.evolve(state, event)
    return replace(state, over=over or {})


def due(state: RangesState | None, *, at: datetime = EIGHTH, charged: bool = True) -> Work:
    """A bill run of 8 January, with ranges as they stand."""
    billed = account(charge("2026-01-05"))
    work = ACCOUNT.work(billed if charged else replace(billed, charges={}), STREAM, "", "bill-run", BOOK)
    return replace(work, read={"customer-C-1001": CUSTOMER, RANGES: state})


def issued(state: RangesState | None, *, at: datetime = EIGHTH) -> InvoiceIssued:
    [invoice] = [event for _, event in bill(due(state, at=at), {}, at).elsewhere if isinstance(event, InvoiceIssued)]
    return invoice


def test_an_invoice_takes_its_number_from_the_range_that_was_approved_first() -> None:
    """Without any it is of the year; with one it is of that; once that is used up, closed or over, of the next."""
    first, second = numbers(), numbers(4, 9)
    cases = {
        "GB1-INV-2026": None,
        "SETP-1": approved(first, second),
        "SETP-4": approved(first, second, over={"SETP-1": "used-up"}),
    }
    assert {series: issued(state).series for series, state in cases.items()} == {series: series for series in cases}
    assert issued(approved(numbers(valid_to="2026-01-07"), second)).series == "SETP-4"
    assert issued(approved(numbers(valid_from="2026-01-09"), second)).series == "SETP-4"
    assert issued(approved(numbers(entity="NL1"))).series == "GB1-INV-2026"


def test_an_invoice_is_dated_no_day_before_its_range() -> None:
    """A run of the 8th that waited until the 10th for a range of that day bears the 10th; its tax point stays, and so does its own name."""
    late = issued(approved(numbers(valid_from="2026-01-10")), at=datetime(2026, 1, 10, 9, tzinfo=UTC))
    assert (late.issued_on, late.tax_point, late.number) == ("2026-01-10", "2026-01-08", "BA-1001-20260108")


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(approved(numbers(), over={"SETP-1": "used-up"}), id="used up"),
        pytest.param(approved(numbers(), over={"SETP-1": "closed"}), id="closed"),
        pytest.param(approved(numbers(valid_to="2026-01-07")), id="over"),
        pytest.param(approved(numbers(valid_from="2026-01-09")), id="not yet valid"),
    ],
)
def test_without_a_number_the_run_falls_out(state: RangesState) -> None:
    """The check gives the reason, and nothing but an exception comes of a run that is made all the same: no invoice has a number that is not approved."""
    flaw = BILL_RUN.check(due(state), EIGHTH)
    assert flaw == "BIL-SERIES: no range approved for GB1 has a number left on 2026-01-08"
    with pytest.raises(ranges.NoNumberLeft):
        bill(due(state), {}, EIGHTH)
    assert BILL_RUN.check(due(approved(numbers())), EIGHTH) == ""


def test_what_waits_goes_on_with_the_range_that_is_approved() -> None:
    """It waits in the pool of its supplier's invoices, for no retry and nobody; a range brings as many numbers as it has to those that wait there."""
    fallen = attend(BILL_RUN, due(approved(numbers(), over={"SETP-1": "used-up"})), ENTRY, None, EIGHTH, seed=0)
    assert isinstance(fallen, Decision)
    [fell] = fallen.events
    assert (fell.type_name, getattr(fell, "awaits", "")) == ("account.bill-run-fell-out", "numbers/GB1-INV")
    assert [(row.kind, row.pool) for row in by_shape(STREAM, fell, priority=0, since=EIGHTH) if isinstance(row, Entry)] == [
        ("stock", "numbers/GB1-INV")
    ]

    [told] = ranges.approve(RangesState(), numbers(1, 5), low_days=30).events
    assert STOCK_CAME.concerns(type(told))
    assert supply_of(told) == (Wake("numbers/GB1-INV", 5),)


def test_a_run_waits_for_the_first_day_of_the_next_range() -> None:
    """Where one is approved for a day to come it is put off to that day, and not before; a run with nothing to bill is not."""
    later = approved(numbers(), numbers(4, 9, valid_from="2026-02-01"), over={"SETP-1": "used-up"})
    assert BILL_RUN.open_from(due(later), EIGHTH) == datetime(2026, 2, 1, tzinfo=UTC)
    for state in (approved(numbers()), approved(numbers(), over={"SETP-1": "closed"})):
        assert BILL_RUN.open_from(due(state), EIGHTH) == EIGHTH
    assert BILL_RUN.open_from(due(later, charged=False), EIGHTH) == EIGHTH


def test_a_run_with_nothing_to_bill_needs_no_number() -> None:
    """It is done as ever, used up or not."""
    used_up = approved(numbers(), over={"SETP-1": "used-up"})
    assert BILL_RUN.check(due(used_up, charged=False), EIGHTH) == ""


def test_a_market_whose_law_asks_for_it_has_no_series_of_the_year() -> None:
    """There an invoice waits for the first range; elsewhere it needs none until somebody approves one."""
    work = due(None)
    by_law = replace(work, market=replace(work.market, invoicing=replace(work.market.invoicing, numbers_approved=True)))
    assert (BILL_RUN.check(work, EIGHTH), BILL_RUN.check(by_law, EIGHTH)[:10]) == ("", "BIL-SERIES")


def test_approving_and_closing_again_does_nothing() -> None:
    """A range that stands so, or gives none any more."""
    state = approved(numbers())
    assert ranges.approve(state, numbers(), low_days=30) == NOTHING
    [closed] = ranges.close(state, "SETP-1").events
    assert ranges.close(KIND.evolve(state, closed), "SETP-1") == NOTHING
    assert ranges.close(approved(numbers(), over={"SETP-1": "used-up"}), "SETP-1") == NOTHING


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        pytest.param({"prefix": "SETP2"}, "ends in no digit", id="a prefix that ends in a digit"),
        pytest.param({"prefix": "setp-"}, "a prefix is", id="small letters"),
        pytest.param({"prefix": "GB1-INV-2026-"}, "series of the year", id="a series of ours"),
        pytest.param({"first": 4}, "before its first", id="the last before the first"),
        pytest.param({"first": 0}, "before its first", id="no number"),
        pytest.param({"valid_to": "2025-12-31"}, "ends before it begins", id="days"),
        pytest.param({"approval": " "}, "name the authority's decision", id="by nobody"),
        pytest.param({"low_at": 3}, "a warning is due", id="low from the first one on"),
        pytest.param({"first": 3, "last": 9}, "has some of its numbers", id="a number of another range"),
        pytest.param({"last": 4}, "has some of its numbers", id="approved otherwise"),
        pytest.param({"entity": "NL1"}, "has some of its numbers", id="a number of another entity"),
    ],
)  # fmt: skip
def test_what_is_no_range(wanted: dict[str, Any], says: str) -> None:
    """Each is refused with the reason; a range beside the one that stands is none of them."""
    state = approved(numbers())
    with pytest.raises(Refused, match=says):
        ranges.approve(state, numbers(**wanted), low_days=30)
    assert ranges.approve(state, numbers(4, 9), low_days=30) != NOTHING
    assert ranges.approve(state, numbers(1, 3, prefix="SETQ-"), low_days=30) != NOTHING


def test_which_numbers_a_range_has() -> None:
    """All have the digits of the last one, so that they sort as they count."""
    one = numbers(998, 1001)
    assert [one.number_at(serial) for serial in range(1, one.count + 1)] == ["SETP-0998", "SETP-0999", "SETP-1000", "SETP-1001"]


def of_notes(first: int = 1, last: int = 3, **more: Any) -> RangesState:
    """One range for credit notes, valid this year unless said otherwise."""
    [told] = ranges.approve(RangesState(), numbers(first, last, prefix="NC-", **more), low_days=30, paper="CRN").events
    return KIND.evolve(RangesState(), told)


def crediting(state: InvoiceState, of: RangesState | None) -> Work:
    return note_work(state, INVOICE_STREAM, BOOK, of or RangesState())


def ended(state: InvoiceState, of: RangesState | None, on: str = "2026-01-20") -> Decision:
    """The line of the invoice ends, and the days from then on are credited."""
    return notes.unserved(crediting(state, of), order=InvoiceIssued.example["order"], item="1", ended_on=on, at=MONDAY)


def test_credit_notes_take_their_numbers_from_ranges_of_their_own() -> None:
    """A range of invoices is none of theirs, and one of theirs is none of an invoice's."""
    for of, series in ((None, "GB1-CRN-2026"), (approved(numbers()), "GB1-CRN-2026"), (of_notes(), "NC-1")):
        [note] = [event for event in ended(invoice(), of).events if isinstance(event, CreditNoteIssued)]
        assert (note.series, bool(note.number_range.prefix)) == (series, series == "NC-1")
    assert issued(of_notes()).series == "GB1-INV-2026"


def test_a_note_without_a_number_waits_and_is_issued_as_it_was_to_be() -> None:
    """The days that it credits are kept for it, so that another end of the same, or a note on all that is left, takes what it leaves. Once there is a number it
    is issued with the lines, days and tax that it would have had; who approved it is asked no more."""
    at_once = [event for event in ended(invoice(), None).events if isinstance(event, CreditNoteIssued)]
    none_left = of_notes(valid_from="2026-09-01")
    waiting = after(invoice(), ended(invoice(), none_left))
    [wanted] = waiting.noted.awaiting
    assert (wanted.author, wanted.ended_on, waiting.records["credit-note"].attempt) == ("engine", "2026-01-20", 1)
    assert ended(waiting, none_left) == NOTHING
    [before] = waiting.issued.lines if waiting.issued else ()
    assert left_of(crediting(waiting, None)) == {1: before.net_minor - sum(wanted.lines.values())}
    with pytest.raises(Refused, match="waits for a number, and for nobody"):
        notes.approve(crediting(waiting, none_left), wanted.note, approved_by="bob", at=MONDAY, begun_by=MONDAY)
    with pytest.raises(Refused, match="was paid or credited"):
        notes.void(crediting(waiting, none_left), reason="price", comment="", begun_by=MONDAY)

    assert NOTE.check(crediting(waiting, none_left), MONDAY).startswith("BIL-SERIES: no range approved for credit notes of GB1")
    assert NOTE.awaits(crediting(waiting, none_left)) == "numbers/GB1-CRN"
    work = replace(crediting(waiting, of_notes()), step="credit-note")
    assert NOTE.check(work, MONDAY) == ""
    decision = NOTE.complete(work, {}, MONDAY)
    [note] = [event for event in decision.events if isinstance(event, CreditNoteIssued)]
    assert (note.series, note.lines, note.taxes, note.total_minor) == ("NC-1", at_once[0].lines, at_once[0].taxes, at_once[0].total_minor)
    done = after(waiting, decision)
    assert (done.noted.kept, done.noted.wanted, done.noted.count) == ({}, {}, 1)
    assert done.noted == after(invoice(), ended(invoice(), None)).noted


def test_notes_that_wait_are_issued_one_after_another() -> None:
    """Each in an append of its own, so that the last number of a range is one note's and the next is decided by what is left then; the tax of both is the
    invoice's share."""
    none_left = of_notes(valid_from="2026-09-01")
    state = after(invoice((1_001, "20"), (1_001, "20")), credit_of(none_left, {1: 333}, invoice((1_001, "20"), (1_001, "20"))))
    state = after(state, credit_of(none_left, {1: 334, 2: 1_001}, state))
    assert len(state.noted.awaiting) == 2
    issued_: list[CreditNoteIssued] = []
    for _ in range(2):
        decision = NOTE.complete(replace(crediting(state, of_notes()), step="credit-note"), {}, MONDAY)
        issued_ += [event for event in decision.events if isinstance(event, CreditNoteIssued)]
        state = after(state, decision)
    assert decision.events[-1].type_name == "invoice.notes-numbered"
    assert [note.note[-2:] for note in issued_] == ["C1", "C2"]
    plain = invoice((1_001, "20"), (1_001, "20"))
    for lines in ({1: 333}, {1: 334, 2: 1_001}):
        plain = after(plain, credit_of(None, lines, plain))
    assert state.noted == plain.noted


def credit_of(of: RangesState | None, lines: dict[int, int], state: InvoiceState) -> Decision:
    how: Any = {"reason": "goodwill", "comment": "", "author": "ann", "at": MONDAY, "begun_by": MONDAY}
    return notes.request(crediting(state, of), lines=lines, **how)


def papers(count: int, of: NumberRange, *, since: int = 0) -> list[Command]:
    """So many invoices about to be issued, decided by one range."""
    made = []
    for n in range(since, since + count):
        body = {**InvoiceIssued.example, "number": f"BA-{n}", "series": of.name, "serial": 0, "legal_number": "", "number_range": of}
        stream = invoice_stream(f"BA-{n}")
        event = InvoiceIssued.model_validate(body)
        made.append(Command(f"bill {n}", stream, (Happened(stream, event, EIGHTH),), {}, "engine", "engine"))
    return made


def told(commands: list[Command]) -> list[Event]:
    """What the stream of ranges is told by commands that were numbered."""
    return [happened.event for command in commands for happened in command.happened if happened.stream == RANGES]


def test_the_last_number_says_that_the_range_is_used_up() -> None:
    """And before, the one after which few are left says that: each once, in the command of the invoice that took it."""
    of = numbers(1, 5, low_at=2)
    commands = numbered(papers(5, of), {})
    assert told(commands) == [RangeLowNoticed(range="SETP-1", left=2), RangeUsedUp(range="SETP-1")]
    assert [bool(told([command])) for command in commands] == [False, False, True, False, True]
    assert told(numbered(papers(2, of), {"SETP-1": 3})) == [RangeUsedUp(range="SETP-1")]


def test_beyond_the_last_number_nothing_is_written() -> None:
    """Of four papers that were decided by a range with one number left, one has it; a series of the year has no end."""
    commands = numbered(papers(4, numbers()), {"SETP-1": 2})
    assert [beyond(command) for command in commands] == [False, True, True, True]
    assert [beyond(command) for command in numbered(papers(4, NumberRange()), {})] == [False] * 4


@hypothesis.given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4), batches=st.lists(st.integers(1, 5), max_size=8))
@hypothesis.settings(max_examples=80)
def test_no_gap_across_the_change_of_a_range(sizes: list[int], batches: list[int]) -> None:
    """Whatever the sizes of ranges and batches: numbers are those of the ranges, one after another, none beyond them, and who gets none has none left."""
    state = approved(*(numbers(1, size, prefix=f"R{n}-") for n, size in enumerate(sizes)))
    last: dict[str, int] = {}
    given: list[str] = []
    for batch in batches:
        left = batch
        while left and (usable := state.of("GB1")):
            commands = [command for command in numbered(papers(left, usable[0]), last) if not beyond(command)]
            taken = [command.happened[0].event for command in commands]
            given += [event.legal_number for event in taken if isinstance(event, InvoiceIssued)]
            last[usable[0].name] = last.get(usable[0].name, 0) + len(taken)
            for event in told(commands):
                state = KIND.evolve(state, event)
            left -= len(commands)
    every = [f"R{n}-{number}" for n, size in enumerate(sizes) for number in range(1, size + 1)]
    assert given == every[: sum(batches)]


@pytest.mark.parametrize(
    ("taken", "lately", "more", "expected"),
    [
        pytest.param(0, 0, {}, ("in-use", 100, None, False), id="untouched"),
        pytest.param(90, 0, {}, ("in-use", 10, None, True), id="few left"),
        pytest.param(89, 0, {}, ("in-use", 11, None, False), id="one more than few"),
        pytest.param(50, 31, {}, ("in-use", 50, 50, False), id="fifty days at one a day"),
        pytest.param(50, 62, {}, ("in-use", 50, 25, True), id="twenty-five days at two a day"),
        pytest.param(50, 0, {"valid_to": "2026-07-01"}, ("in-use", 50, None, True), id="its last day is near"),
        pytest.param(50, 31, {"valid_to": "2026-06-09"}, ("expired", 50, None, False), id="expired"),
        pytest.param(50, 31, {"valid_from": "2026-06-11"}, ("waiting", 50, None, False), id="not yet valid"),
    ],
)  # fmt: skip
def test_when_a_range_runs_low(taken: int, lately: int, more: dict[str, str], expected: tuple[object, ...]) -> None:
    """By how many numbers are left, by how many days they last at the pace of the last 31, and by its own last day; not where another waits."""
    one = numbers(1, 100, low_at=10, **more)
    today = date(2026, 6, 10)
    [row] = shown(approved(one), "GB1", {one.name: taken}, lately=lately, today=today)
    assert (row["state"], row["left"], row["days_left"], row["low"]) == expected
    followed = shown(approved(one, numbers(101, 200)), "GB1", {one.name: taken}, lately=lately, today=today)
    assert not followed[0]["low"]
