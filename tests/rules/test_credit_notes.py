"""Credit notes: by the invoice's lines and tax groups, never above it, exact to the minor unit; voids; what was billed and not served."""

from datetime import datetime
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.invoicing import notes
from o2c.invoicing.events import CreditDue, CreditNoteIssued, CreditNoteRequested, InvoiceOverdue, InvoiceVoided
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.range_state import RangesState
from o2c.invoicing.reaction import UNSERVED
from o2c.kernel.agenda import Dropped
from o2c.kernel.arrears import ArrearsChanged
from o2c.kernel.balances import CreditReceived
from o2c.kernel.charges import ChargeWithdrawn
from o2c.kernel.event import Fact
from o2c.kernel.reaction import DecideOn
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import StepCancelled
from o2c.payments.events import PaymentReceived
from tests.charges import ORDER, account, charge, run
from tests.given import BOOK, MONDAY
from tests.noted import STREAM, after, approved, credit, ended, in_notes, invoice, work


def paid(state: Any, amount_minor: int) -> Any:
    body = {**PaymentReceived.example, "amount_minor": amount_minor}
    return INVOICE.evolve(state, PaymentReceived.model_validate(body))


def test_notes_by_line_come_to_the_invoice_and_not_to_a_cent_more() -> None:
    """Three equal lines of 91.29 + 22 % come to 334.12; their tax rounded line by line would be a cent too much in all.

    Source: billing facts, section 6.2 (lago-api #2643: 334.99 against 335.00, tax rounded per line) and section 6.4.3.
    """
    state = invoice((9129, "22"), (9129, "22"), (9129, "22"))
    assert state.issued is not None
    by_line = 3 * (9129 + round(9129 * 0.22))
    assert by_line != state.issued.total_minor
    state, issued = in_notes(state, [{1: 9129}, {2: 9129}, {3: 9129}])
    assert sum(note.total_minor for note in issued) == state.issued.total_minor
    assert state.open_minor == 0


@pytest.mark.parametrize(
    ("lines", "total_minor"),
    [
        pytest.param([(6865, "22"), (6865, "22"), (6865, "22"), (6863, "22")], 33499, id="four lines at 22 %"),
        pytest.param([(13958, "20"), (13958, "20")], 33499, id="two lines at 20 %"),
    ],
)
def test_the_case_of_334_99(lines: list[tuple[int, str]], total_minor: int) -> None:
    """An invoice over 334.99 is credited with 334.99 whichever lines come first. Source: billing facts, section 6.2 (lago-api #2643)."""
    state = invoice(*lines)
    assert state.issued is not None
    assert state.issued.total_minor == total_minor
    for order in (range(1, len(lines) + 1), range(len(lines), 0, -1)):
        _, issued = in_notes(state, [{place: lines[place - 1][0]} for place in order])
        assert sum(note.total_minor for note in issued) == total_minor


@pytest.mark.parametrize(
    ("lines", "totals"),
    [
        # 279.16 with 55.83 is 334.99; a tax for each line by itself would be 13.67, 11.50, 17.00 and 13.67: a penny more.
        pytest.param([(6833, "20"), (5750, "20"), (8500, "20"), (6833, "20")], [8200, 6900, 10199, 8200], id="lago-2643-its-own-lines"),
        # 29 of 30 days at 200.00, in two: 193.33 with 48.33.
        pytest.param([(10000, "25"), (9333, "25")], [12500, 11666], id="lago-3956-part-of-a-period"),
        # 0.09 with 0.02; by line it would be 0.01 of tax three times.
        pytest.param([(3, "20"), (3, "20"), (3, "20")], [4, 3, 4], id="lago-4411-tax-of-less-than-a-penny"),
        pytest.param([(9990, "20"), (333, "5"), (1, "0")], [11988, 350, 1], id="lago-4411-three-rates"),
    ],
)
def test_a_note_for_each_line_has_that_line_and_its_share_of_the_tax(lines: list[tuple[int, str]], totals: list[int]) -> None:
    """A note says the net amounts that were asked for, never others: what rounding leaves is in the tax alone, and all notes come to the invoice.

    Source: billing facts, section 6.2 (lago-api #2643 and its fixes #3956, #4411 and #4449: only the total is adjusted, never an item).
    """
    state = invoice(*lines)
    assert state.issued is not None
    _, issued = in_notes(state, [{place: net} for place, (net, _) in enumerate(lines, 1)])
    assert [[line.net_minor for line in note.lines] for note in issued] == [[net] for net, _ in lines]
    assert [note.total_minor for note in issued] == totals
    assert sum(totals) == state.issued.total_minor


def test_what_is_left_to_credit_is_net_and_tax_as_they_stand_on_the_invoice() -> None:
    """68.33 less a discount of 2.37, at 20 %: 65.96 and 13.19 are 79.15, and no sum of unrounded parts is 79.16. Source: billing facts, section 6.2 (lago-api #4373)."""
    state = invoice((6833, "20"), (-237, "20"))
    _, [note] = in_notes(state, [None])
    assert (note.net_minor, note.tax_minor, note.total_minor) == (6596, 1319, 7915)


@pytest.mark.parametrize("before", [0, 1, 2643, 9128])
def test_a_penny_above_what_is_left_is_refused(before: int) -> None:
    """No rounding makes it possible: not over a line, nor after a part of it was credited. Source: billing facts, section 6.2 (lago-api #4553 lets a cent pass)."""
    state = invoice((9129, "22"), (9129, "22"))
    state = in_notes(state, [{1: before}])[0] if before else state
    with pytest.raises(Refused, match="is left to credit of line 1"):
        credit(state, {1: 9129 - before + 1})
    state, [note] = in_notes(state, [{1: 9129 - before}])
    assert note.net_minor == 9129 - before
    with pytest.raises(Refused, match="is left to credit of line 1"):
        credit(state, {1: 1})


@hypothesis.given(data=st.data())
@hypothesis.settings(deadline=None)
def test_notes_never_exceed_their_invoice_and_the_last_takes_the_residue(data: st.DataObject) -> None:
    """However an invoice is credited, in parts or lines, no group's net or tax is exceeded, and a last note leaves exactly nothing."""
    lines = data.draw(st.lists(st.tuples(st.integers(1, 40_000), st.sampled_from(["20", "5", "0", "17.5", "22"])), min_size=1, max_size=5))
    paid_minor = data.draw(st.integers(0, 30_000))
    state = invoice(*lines)
    assert state.issued is not None
    state = paid(state, paid_minor) if paid_minor else state
    open_minor, issued = state.open_minor, []
    for _ in range(data.draw(st.integers(0, 4))):
        left = {place: net - state.noted.lines.get(str(place), 0) for place, (net, _) in enumerate(lines, 1)}
        part = {place: data.draw(st.integers(1, net)) for place, net in left.items() if net and data.draw(st.booleans())}
        if part:
            state, made = in_notes(state, [part])
            issued += made
        for group in state.issued.taxes:  # type: ignore[union-attr] # it was issued
            assert 0 <= state.noted.taxes.get(group.group, 0) <= group.tax_minor
    if any(net != state.noted.lines.get(str(place), 0) for place, (net, _) in enumerate(lines, 1)):
        state, made = in_notes(state, [None])
        issued += made
    assert sum(note.total_minor for note in issued) == state.issued.total_minor  # type: ignore[union-attr] # it was issued
    for note in issued:
        assert note.total_minor == note.of_open_minor + note.credit_minor == note.net_minor + note.tax_minor
    assert sum(note.of_open_minor for note in issued) == max(open_minor, 0)
    with pytest.raises(Refused, match="credited in full already"):
        credit(state)


def test_what_was_paid_becomes_a_credit_and_the_rest_lowers_what_is_open() -> None:
    """Of 23.99 with 10.00 paid, a note over everything lowers the open 13.99 and gives 10.00 to the account, with the note, in one decision."""
    state = paid(invoice(), 1000)
    decision = credit(state)
    [note] = [event for event in decision.events if isinstance(event, CreditNoteIssued)]
    assert (note.total_minor, note.of_open_minor, note.credit_minor) == (2399, 1399, 1000)
    [(stream, received)] = decision.elsewhere
    assert (stream, received.amount_minor if isinstance(received, CreditReceived) else 0) == ("account-BA-1001", 1000)
    assert after(state, decision).open_minor == 0


def test_a_note_says_all_that_the_law_wants() -> None:
    """It names its invoice by number, has a series of its own, and the customer and supplier as the invoice froze them."""
    [note] = credit(invoice()).events
    assert isinstance(note, CreditNoteIssued)
    assert (note.series, note.serial, note.invoice_number) == ("GB1-CRN-2026", 0, "GB1-INV-2026-000001")
    assert (note.customer_name, note.supplier.tax_id, note.author) == ("Ada Example", "GB123456782", "ann")
    assert [(tax.percent, tax.net_minor, tax.tax_minor) for tax in note.taxes] == [("20", 1999, 400)]


@pytest.mark.parametrize(
    ("market", "at", "series", "issued_on"),
    [
        pytest.param("GB@2026-01", "2026-12-31T23:59:59Z", "GB1-CRN-2026", "2026-12-31", id="GB-the-last-second"),
        pytest.param("GB@2026-01", "2027-01-01T00:00:00Z", "GB1-CRN-2027", "2027-01-01", id="GB-the-first-second"),
        pytest.param("NL@2026-01", "2026-12-31T22:59:59Z", "GB1-CRN-2026", "2026-12-31", id="NL-the-last-second"),
        pytest.param("NL@2026-01", "2026-12-31T23:00:00Z", "GB1-CRN-2027", "2027-01-01", id="NL-the-first-second"),
    ],
)
def test_a_series_turns_with_the_year_of_its_market(market: str, at: str, series: str, issued_on: str) -> None:
    """The year of a number is that of its day of issue by the market's clock, so it turns at its midnight. Source: billing facts, section 6.4.8."""
    [note] = credit(invoice(market=market), at=datetime.fromisoformat(at)).events
    assert isinstance(note, CreditNoteIssued)
    assert (note.series, note.issued_on) == (series, issued_on)


def test_above_the_limit_a_second_person_is_needed() -> None:
    """More than 100.00 with tax waits; its author may not approve it, another may, once."""
    state = invoice((20_000, "20"))
    decision = credit(state, {1: 8_334})  # 100.01 with tax
    assert [type(event) for event in decision.events] == [CreditNoteRequested]
    state = after(state, decision)
    assert state.open_minor == 24_000
    with pytest.raises(Refused, match="somebody else has to approve it"):
        approved(state, "BA-1001-20260108-C1", by="ann")
    decision = approved(state, "BA-1001-20260108-C1")
    [note] = [event for event in decision.events if isinstance(event, CreditNoteIssued)]
    assert (note.author, note.approved_by, note.total_minor) == ("ann", "bob", 10_001)
    assert not approved(after(state, decision), "BA-1001-20260108-C1")
    within = credit(invoice((20_000, "20")), {1: 8_333})  # 100.00
    assert [type(event) for event in within.events] == [CreditNoteIssued]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        pytest.param({1: 2000}, "19.99 net is left to credit of line 1", id="more than the line"),
        pytest.param({2: 1}, "has no line 2", id="a line that is not there"),
        pytest.param({0: 1}, "has no line 0", id="before the first"),
        pytest.param({1: 0}, "not less than something", id="nothing"),
        pytest.param({1: -5}, "not more and not less", id="less than nothing"),
    ],
)
def test_what_is_refused(lines: dict[int, int], says: str) -> None:
    with pytest.raises(Refused, match=says):
        credit(invoice(), lines)


def test_a_discount_goes_back_with_what_it_lowered() -> None:
    """Of 100.00 less 20.00 no more than 80.00 net can be credited: the line alone is refused, with its discount it is credited whole."""
    state = invoice((10_000, "20"), (-2_000, "20"))
    with pytest.raises(Refused, match="more than the tax group"):
        credit(state, {1: 10_000})
    _, [note] = in_notes(state, [{1: 10_000, 2: -2_000}])
    assert (note.net_minor, note.tax_minor) == (8_000, 1_600)


def test_nothing_left_to_pay_ends_collecting() -> None:
    """A note over the whole calls the payment off that is to come, and the look at the due day is dropped."""
    state = invoice()
    for event in INVOICE.advance(state, frozenset({""}), MONDAY, BOOK).events:
        state = INVOICE.evolve(state, event)
    decision = credit(state)
    assert StepCancelled(step="payment") in decision.events
    [note, *_] = decision.events
    assert Dropped(STREAM, "", "overdue") in INVOICE.agenda(INVOICE.evolve(state, note), note, STREAM)


def test_a_void_invoice_keeps_its_number_and_nothing_is_open() -> None:
    """What the account's credit had covered is given back; a void is for an invoice that nobody paid, and final."""
    state = invoice(credit_used_minor=399)
    decision = notes.void(work(state), reason="billed-in-error", comment="", begun_by=MONDAY)
    [voided] = decision.events
    assert isinstance(voided, InvoiceVoided)
    assert (voided.total_minor, voided.of_open_minor, voided.credit_minor) == (2399, 2000, 399)
    assert [event.amount_minor for _, event in decision.elsewhere if isinstance(event, CreditReceived)] == [399]
    left = after(state, decision)
    assert left.issued is not None
    assert (left.open_minor, left.issued.legal_number) == (0, "GB1-INV-2026-000001")
    with pytest.raises(Refused, match="is void"):
        credit(left)
    for taken in (paid(invoice(), 1), after(invoice(), credit(invoice(), {1: 5}))):
        with pytest.raises(Refused, match="issue a credit note"):
            notes.void(work(taken), reason="billed-in-error", comment="", begun_by=MONDAY)


def test_a_void_is_no_way_round_the_second_person() -> None:
    """What one person may credit, one may declare void: 100.00 with tax, and a penny more is credited by a note that another approves."""
    whole, more = (invoice((net, "0")) for net in (10_000, 10_001))
    with pytest.raises(Refused, match=r"more than one person may give up \(100\.00 GBP\)"):
        notes.void(work(more), reason="billed-in-error", comment="", begun_by=MONDAY)

    assert after(whole, notes.void(work(whole), reason="billed-in-error", comment="", begun_by=MONDAY)).voided
    assert in_notes(more, [None])[0].open_minor == 0


@pytest.mark.parametrize(
    ("ended_on", "kept_minor", "from_day"),
    [
        # 8 January to 8 February is 31 days at 19.99.
        pytest.param("2026-01-20", 774, "2026-01-20", id="12 of 31 days kept"),  # 773.81
        pytest.param("2026-01-08", 0, "2026-01-08", id="on its first day"),
        pytest.param("2026-01-01", 0, "2026-01-08", id="before it began"),
        pytest.param("2026-02-07", 1935, "2026-02-07", id="on its last day"),  # 1934.52
    ],
)
def test_what_was_billed_and_not_served_is_credited_by_days(ended_on: str, kept_minor: int, from_day: str) -> None:
    """What stays of the line is what a part period costs; the note is of the rest, for the days from the end on."""
    [note] = ended(invoice(), ended_on).events
    assert isinstance(note, CreditNoteIssued)
    [line] = note.lines
    assert (1999 - line.net_minor, line.from_day, line.to_day, note.reason) == (kept_minor, from_day, "2026-02-08", "not-served")


@pytest.mark.parametrize(
    ("ended_on", "item"), [pytest.param("2026-02-08", "1", id="served to its end"), pytest.param("2026-01-20", "9", id="another's line")]
)
def test_nothing_is_credited_where_all_was_served(ended_on: str, item: str) -> None:
    assert not ended(invoice(), ended_on, item)


def test_a_courtesy_before_does_not_lower_what_was_not_served_below_the_line() -> None:
    """With 15.00 of 19.99 credited as goodwill, no more than the 4.99 that are left are credited as not served."""
    state = invoice()
    state = after(state, credit(state, {1: 1500}))
    [note] = ended(state).events
    assert isinstance(note, CreditNoteIssued)
    assert note.net_minor == 499


def test_an_account_says_once_that_a_credit_is_due() -> None:
    """A service that ends within what was billed in advance: the account names the invoice and the day, and its next bill run makes the final bill."""
    state, issued = run(account(charge("2026-01-05")))
    assert issued is not None
    withdrawn = account(ChargeWithdrawn(order=ORDER, item="1", ended_on="2026-01-20"), state=state)
    [kept] = withdrawn.charges.values()
    assert (kept.credited, kept.invoice, withdrawn.due_run) == (True, issued.number, "2026-02-08")


@pytest.mark.parametrize("ended_on", ["", "2026-02-08", "2026-03-01"])
def test_no_credit_is_due_for_what_was_served(ended_on: str) -> None:
    """Nor for an end of which no day is known: it was before ends had one."""
    state, _ = run(account(charge("2026-01-05")))
    [kept] = account(ChargeWithdrawn(order=ORDER, item="1", ended_on=ended_on), state=state).charges.values()
    assert not kept.credited


def test_the_reaction_credits_the_invoice_that_the_account_names() -> None:
    due = CreditDue.model_validate(CreditDue.example)
    fact = Fact("account-BA-1001", 4, due, "e", MONDAY, "engine", "engine", "c")
    [effect] = UNSERVED.effects(fact)
    assert isinstance(effect, DecideOn)
    assert effect.stream == STREAM
    [note] = effect.rule(invoice(), MONDAY, BOOK, RangesState()).events
    assert isinstance(note, CreditNoteIssued)
    assert (note.net_minor, note.author) == (1225, "engine")


def test_collections_are_told_of_what_an_overdue_invoice_lost() -> None:
    """A note of an overdue invoice says what is still open, one of an invoice that is not yet due tells them nothing."""
    overdue = INVOICE.evolve(invoice(), InvoiceOverdue.model_validate(InvoiceOverdue.example))
    [(stream, arrears)] = credit(overdue, {1: 500}).elsewhere
    assert isinstance(arrears, ArrearsChanged)
    assert (stream, arrears.open_minor, arrears.cause) == ("collection-BA-1001", 1799, "credit")
    assert credit(invoice(), {1: 500}).elsewhere == ()


@hypothesis.given(
    nets=st.lists(st.integers(1, 9_000), min_size=1, max_size=5), amounts=st.lists(st.integers(1, 9_000), min_size=1, max_size=4)
)
@hypothesis.settings(max_examples=60)
def test_what_is_conceded_comes_to_the_amount_in_dispute(nets: list[int], amounts: list[int]) -> None:
    """A note for the amount, or for a penny more where no net with its tax comes to it; never above what is left, and the dispute is named."""
    state = invoice(*((net, "20") for net in nets))
    assert state.issued is not None
    for amount_minor in amounts:
        left = state.issued.total_minor - state.noted.total_minor
        decision = notes.conceded(work(state), amount_minor=amount_minor, dispute="d-1", author="ann", comment="", at=MONDAY)
        told = [event for event in decision.events if isinstance(event, CreditNoteIssued | CreditNoteRequested)]
        assert len(told) == (left > 0)
        for event in told:
            assert (event.reason, event.dispute, event.author) == ("disputed", "d-1", "ann")
            assert event.total_minor - min(amount_minor, left) in (0, 1)
            assert event.total_minor <= left
            state = after(state, decision)
            state = after(state, approved(state, event.note)) if isinstance(event, CreditNoteRequested) else state
