"""What a bill run charges, to the penny: joining, part periods by actual days, advance, late and withdrawn charges, tax."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.activation.rules import activated
from o2c.customers.state import CustomerState
from o2c.invoicing.events import InvoiceIssued
from o2c.invoicing.invoice import INVOICE
from o2c.invoicing.papers import InvoiceLine
from o2c.invoicing.rules import bill
from o2c.invoicing.state import ACCOUNT, AccountState
from o2c.kernel.agenda import Dropped, Entry
from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn
from o2c.kernel.periods import parse_time
from o2c.kernel.work import Work
from o2c.markets.gb import GB
from tests.charges import ORDER, STREAM, account, charge, run, told
from tests.given import BOOK, CUSTOMER, MONDAY


@pytest.mark.parametrize(
    ("starts_on", "run_on", "part_minor", "next_run"),
    [
        # 19.99 a month; the part is days from the start to the run over the days of the period that ends with the run.
        pytest.param("2026-01-05", "2026-01-08", 193, "2026-02-08", id="3-of-31-joins-the-8th"),  # 193.45
        pytest.param("2026-01-01", "2026-01-08", 451, "2026-02-08", id="activated-on-the-1st-joins-the-8th"),  # 7 of 31: 451.39
        pytest.param("2026-01-08", "2026-01-15", 451, "2026-02-15", id="activated-on-the-8th-joins-the-15th"),  # 7 of 31
        pytest.param("2026-01-15", "2026-01-22", 451, "2026-02-22", id="activated-on-the-15th-joins-the-22nd"),  # 7 of 31
        pytest.param("2026-01-22", "2026-02-01", 645, "2026-03-01", id="activated-on-the-22nd-joins-the-1st"),  # 10 of 31: 644.84
        pytest.param("2026-01-31", "2026-02-01", 64, "2026-03-01", id="1-of-31-at-the-end-of-the-month"),  # 64.48
        pytest.param("2026-02-22", "2026-03-01", 500, "2026-04-01", id="7-of-28-in-february"),  # 499.75
        pytest.param("2026-03-01", "2026-03-08", 500, "2026-04-08", id="7-of-28-across-february"),  # 499.75
        pytest.param("2028-02-22", "2028-03-01", 551, "2028-04-01", id="8-of-29-in-a-leap-year"),  # 551.45
        pytest.param("2026-04-25", "2026-05-01", 400, "2026-06-01", id="6-of-30-in-april"),  # 399.80
        pytest.param("2026-12-30", "2027-01-01", 129, "2027-02-01", id="2-of-31-across-the-year"),  # 128.97
    ],
)
def test_the_first_bill_has_the_part_period_and_the_next_in_advance(starts_on: str, run_on: str, part_minor: int, next_run: str) -> None:
    """A service joins the first cycle day strictly after its activation; the second bill is a full period."""
    billed, first = run(account(charge(starts_on)))
    assert told(first) == [("part-period", starts_on, run_on, part_minor), ("period", run_on, next_run, 1999)]
    assert (first.issued_on if first else "", billed.next_run) == (run_on, next_run)
    _, second = run(billed)
    [line] = told(second)
    assert line[:2] + line[3:] == ("period", next_run, 1999)


@pytest.mark.parametrize(
    ("recurring_minor", "part_minor"),
    [
        # Seven of February's twenty-eight days are a quarter.
        pytest.param(1996, 499, id="exactly"),
        pytest.param(1997, 499, id="a-quarter-down"),
        pytest.param(1998, 500, id="a-half-up"),
        pytest.param(2, 1, id="half-a-penny-up"),
        pytest.param(1, 0, id="a-quarter-penny-is-none"),
    ],
)
def test_a_part_is_rounded_half_up(recurring_minor: int, part_minor: int) -> None:
    """Rounding happens once, on the part."""
    _, invoice = run(account(charge("2026-02-22", recurring_minor)))
    assert told(invoice)[0] == ("part-period", "2026-02-22", "2026-03-01", part_minor)


@pytest.mark.parametrize(
    ("charges", "net_minor", "tax_minor", "total_minor"),
    [
        pytest.param([charge("2026-01-05", 1999, 1000)], 3192, 638, 3830, id="one-time-part-and-period"),  # 1000+193+1999; 638.40
        pytest.param([charge("2026-01-22", 1999, 1000)], 3644, 729, 4373, id="tax-rounded-up"),  # 1000+645+1999; 728.80
        pytest.param([charge("2026-01-05", 0, 1000)], 1000, 200, 1200, id="one-time-only"),
        pytest.param([charge("2026-01-05", 0, n, str(i)) for i, n in enumerate((333, 333, 333))], 999, 200, 1199, id="tax-once-a-group"),
        pytest.param([charge("2026-01-05", 4475, 1000), charge("2026-01-06", 700, 0, "2")], 6653, 1331, 7984, id="two-services"),
    ],
)  # fmt: skip
def test_tax_is_computed_once_over_the_group(charges: list[ChargeStarted], net_minor: int, tax_minor: int, total_minor: int) -> None:
    """UK VAT of 20 % on the sum of the lines, half-up: three lines of 3.33 bear 2.00 and not three times 0.67."""
    _, invoice = run(account(*charges))
    assert invoice is not None
    assert (invoice.net_minor, invoice.tax_minor, invoice.total_minor) == (net_minor, tax_minor, total_minor)


def test_a_one_time_charge_is_charged_once() -> None:
    """It stands on the first bill, on the day the service began, and on no later one."""
    state, first = run(account(charge("2026-01-05", 1999, 1000)))
    _, second = run(state)
    assert ("one-time", "2026-01-05", "2026-01-05", 1000) in told(first)
    assert [line[0] for line in told(second)] == ["period"]


def test_a_service_activated_on_its_own_run_day_waits_for_the_next_run() -> None:
    """The account is billed on the 8th; what is activated that day is on the bill of the next month, from its first day."""
    state = account(charge("2026-01-05"), charge("2026-01-08", 700, 0, "2"))
    state, first = run(state)
    assert first is not None
    assert {line.item for line in first.lines} == {"1"}
    _, second = run(state)
    assert second is not None
    mine = [(line.kind, line.from_day, line.to_day, line.net_minor) for line in second.lines if line.item == "2"]
    assert mine == [("period", "2026-01-08", "2026-02-08", 700), ("period", "2026-02-08", "2026-03-08", 700)]


@pytest.mark.parametrize(
    ("starts_on", "lines"),
    [
        pytest.param(
            "2026-01-05",
            [("part-period", "2026-01-05", "2026-01-08", 193), ("period", "2026-01-08", "2026-02-08", 1999)],
            id="one-run-missed",
        ),
        pytest.param(
            "2025-12-20",  # 19 of the 31 days to 8 January: 1225.19
            [("part-period", "2025-12-20", "2026-01-08", 1225), ("period", "2026-01-08", "2026-02-08", 1999)],
            id="told-late-and-a-run-missed",
        ),
        pytest.param(
            "2025-11-20",  # 18 of the 30 days to 8 December: 1199.40
            [
                ("part-period", "2025-11-20", "2025-12-08", 1199),
                ("period", "2025-12-08", "2026-01-08", 1999),
                ("period", "2026-01-08", "2026-02-08", 1999),
            ],
            id="two-runs-missed",
        ),
    ],
)
def test_a_charge_that_missed_its_run_is_billed_period_by_period(starts_on: str, lines: list[tuple[str, str, str, int]]) -> None:
    """Each missed period is charged by its own days, then the next one in advance."""
    state, _ = run(account(charge("2026-01-05", 700, 0, "0")))
    _, invoice = run(account(charge(starts_on), state=state))
    assert invoice is not None
    mine = [(line.kind, line.from_day, line.to_day, line.net_minor) for line in invoice.lines if line.item == "1"]
    assert mine == [*lines, ("period", "2026-02-08", "2026-03-08", 1999)]


def test_what_was_withdrawn_before_its_bill_is_never_billed() -> None:
    """With nothing else to charge there is no invoice, no next run and no agenda row."""
    withdrawn = ChargeWithdrawn(order=ORDER, item="1")
    state = account(charge("2026-01-05"))
    assert state.due_run == "2026-01-08"
    left = ACCOUNT.evolve(state, withdrawn)
    [called_off] = ACCOUNT.advance(left, frozenset({""}), MONDAY, BOOK).events
    assert ACCOUNT.agenda(left, called_off, STREAM) == (Dropped(STREAM, "", "bill-run"),)
    state = account(withdrawn, state=state)
    assert (state.due_run, ACCOUNT.advance(state, frozenset({""}), MONDAY, BOOK).events) == ("", ())
    _, invoice = run(account(charge("2026-01-06", 700, 0, "2"), state=state))
    assert invoice is not None
    assert {line.item for line in invoice.lines} == {"2"}


def test_an_account_that_lay_idle_is_not_billed_for_the_runs_it_slept_through() -> None:
    """A new service after months without any is billed on the account's own day of the month, next after its activation."""
    state = account(charge("2026-01-05"), ChargeWithdrawn(order=ORDER, item="1"), charge("2026-06-10", 1999, 0, "2"))
    assert state.next_run == "2026-07-08"
    _, invoice = run(state)
    assert told(invoice)[0] == ("part-period", "2026-06-10", "2026-07-08", 1866)  # 28 of 30 days: 1865.73


@pytest.mark.parametrize(
    ("activated_at", "starts_on", "run_on", "due_at"),
    [
        pytest.param("2026-01-31T23:30:00Z", "2026-01-31", "2026-02-01", "2026-02-01T06:00:00Z", id="winter-midnight-is-utc"),
        pytest.param("2026-03-28T23:30:00Z", "2026-03-28", "2026-04-01", "2026-04-01T05:00:00Z", id="the-night-before-the-clocks-change"),
        pytest.param("2026-03-29T23:30:00Z", "2026-03-30", "2026-04-01", "2026-04-01T05:00:00Z", id="the-night-after"),
        pytest.param("2026-03-31T23:30:00Z", "2026-04-01", "2026-04-08", "2026-04-08T05:00:00Z", id="already-april-in-london"),
        pytest.param("2026-03-31T22:59:00Z", "2026-03-31", "2026-04-01", "2026-04-01T05:00:00Z", id="still-march-in-london"),
        pytest.param("2026-10-31T23:30:00Z", "2026-10-31", "2026-11-01", "2026-11-01T06:00:00Z", id="winter-again"),
    ],
)
def test_days_are_those_of_the_market(activated_at: str, starts_on: str, run_on: str, due_at: str) -> None:
    """A service starts on London's date, and the run is due at six in the morning there."""
    work = Work("order-1001", "1", "activation", 1, None, None, market=GB)
    [event] = activated(work, {}, parse_time(activated_at)).events
    started = charge(event.starts_on)
    assert (started.starts_on, account(started).next_run) == (starts_on, run_on)
    charged = ACCOUNT.evolve(AccountState(), started)
    [asked] = ACCOUNT.advance(charged, frozenset({""}), MONDAY, BOOK).events
    [entry] = ACCOUNT.agenda(charged, asked, STREAM)
    assert isinstance(entry, Entry)
    assert entry.due_at == parse_time(due_at)


def test_an_invoice_says_who_owes_what_by_when() -> None:
    """Fourteen days, the customer's method, a number of account and day that a guard keeps unique."""
    state = account(charge("2026-01-05"))
    work = replace(ACCOUNT.work(state, STREAM, "", "bill-run", BOOK), read={"customer-C-1001": CUSTOMER})
    decision = bill(work, {}, MONDAY)
    [(stream, issued)] = decision.elsewhere
    assert isinstance(issued, InvoiceIssued)
    assert (stream, issued.number, issued.due_on, issued.method) == (
        "invoice-BA-1001-20260108", "BA-1001-20260108", "2026-01-22", "card",
    )  # fmt: skip
    assert [(guard.kind, guard.key) for guard in decision.takes] == [("invoice", "BA-1001-20260108")]


@pytest.mark.parametrize(
    ("orders", "named"),
    [
        pytest.param([ORDER], ORDER, id="one-order"),
        pytest.param([ORDER, ORDER], ORDER, id="two-items-of-one"),
        pytest.param([ORDER, "order-1002"], "", id="two-orders"),
    ],
)
def test_an_invoice_of_several_orders_names_them_on_its_lines_alone(orders: list[str], named: str) -> None:
    """The head of an invoice, and its envelope, name an order only where all of its money is that order's."""
    _, invoice = run(account(*(charge("2026-01-05", item=str(n), order=of) for n, of in enumerate(orders, 1))))
    assert invoice is not None
    assert {line.order for line in invoice.lines} == set(orders)
    assert (invoice.order, INVOICE.owner(INVOICE.evolve(INVOICE.initial(""), invoice))) == (named, (named or None, invoice.customer))


@pytest.mark.parametrize(
    ("run_on", "billed_at", "due_on"),
    [
        pytest.param("2026-02-08", "2026-02-08T06:00:00Z", "2026-02-23", id="due-on-a-sunday"),
        pytest.param("2026-03-22", "2026-03-22T06:00:00Z", "2026-04-07", id="due-at-easter"),
        pytest.param("2026-12-22", "2026-12-22T06:00:00Z", "2027-01-08", id="ten-working-days-around-christmas"),
        pytest.param("2026-02-08", "2026-02-12T06:00:00Z", "2026-02-26", id="billed-late-so-told-late"),
    ],
)
def test_a_debit_is_due_on_the_day_on_which_it_is_collected(run_on: str, billed_at: str, due_on: str) -> None:
    """A bank's day, after the payer was told for as long as the scheme says; an invoice that is paid otherwise is due fourteen days after its customer was told:
    one that comes four days late takes none of them from him."""
    state = replace(account(charge("2026-02-01")), due_run=run_on)
    papers = CUSTOMER.papers
    assert papers is not None
    for method, expected in (("direct-debit", due_on), ("card", str(parse_time(billed_at).date() + timedelta(days=14)))):
        customer = CustomerState(papers.model_copy(update={"payment_method": method}))
        work = replace(ACCOUNT.work(state, STREAM, "", "bill-run", BOOK), read={"customer-C-1001": customer})
        [(_, issued)] = bill(work, {}, parse_time(billed_at)).elsewhere
        assert isinstance(issued, InvoiceIssued)
        assert issued.due_on == expected


days = st.dates(date(2024, 1, 1), date(2029, 12, 31))
prices = st.integers(0, 10_000_000)
charges = st.lists(st.tuples(days, prices, st.integers(0, 100_000)), min_size=1, max_size=4)


@hypothesis.given(days, prices)
def test_a_part_and_its_complement_are_the_whole_within_a_penny(day: date, minor: int) -> None:
    """What was charged for the days up to the run and what the days before would have cost make up one period."""
    _, invoice = run(account(charge(day.isoformat(), minor)))
    if not invoice or invoice.lines[0].kind != "part-period":
        assert minor == 0
        return
    part, period = invoice.lines[:2]
    whole_days = (date.fromisoformat(part.to_day) - _month_before(date.fromisoformat(part.to_day))).days
    part_days = _days(part)
    complement_minor = (2 * minor * (whole_days - part_days) + whole_days) // (2 * whole_days)
    assert abs(part.net_minor + complement_minor - period.net_minor) <= 1


def _month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=day.day)


def _days(line: InvoiceLine) -> int:
    return (date.fromisoformat(line.to_day) - date.fromisoformat(line.from_day)).days


@hypothesis.given(charges)
def test_an_invoice_adds_up(told_charges: list[tuple[date, int, int]]) -> None:
    """Lines make the net, net and tax make the total, tax is within half a penny of a fifth of the net."""
    state = account(*(charge(day.isoformat(), recurring, once, str(n)) for n, (day, recurring, once) in enumerate(told_charges)))
    for _ in range(3):
        state, invoice = run(state)
        if invoice:
            assert sum(line.net_minor for line in invoice.lines) == invoice.net_minor
            assert invoice.net_minor + invoice.tax_minor == invoice.total_minor
            assert abs(10 * invoice.tax_minor - 2 * invoice.net_minor) <= 5


@hypothesis.given(charges, st.integers(1, 14))
def test_every_day_is_billed_once_however_many_runs(told_charges: list[tuple[date, int, int]], runs: int) -> None:
    """From a service's first day to the end of the last period its days are covered without gap or overlap, and it is charged once at once."""
    first, *later = [charge(day.isoformat(), recurring + 1, once, str(n)) for n, (day, recurring, once) in enumerate(told_charges)]
    state, lines = account(first), []
    for turn in range(runs):
        state = account(*later[turn : turn + 1], state=state)
        state, invoice = run(state)
        lines += invoice.lines if invoice else []
    for known in state.charges.values():
        mine = [line for line in lines if line.item == known.item]
        covered = [(line.from_day, line.to_day) for line in mine if line.kind != "one-time"]
        assert all(one[1] == two[0] for one, two in pairwise(covered))
        if covered:
            assert (covered[0][0], covered[-1][1]) == (known.starts_on, state.next_run)
            assert sum(line.kind == "one-time" for line in mine) == (known.one_time_minor > 0)
        else:
            assert known.starts_on >= str(_month_before(date.fromisoformat(state.next_run)))
