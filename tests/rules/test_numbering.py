"""Invoice numbers of several customers: the series is a legal entity's, of a kind of paper and a year. No number is left out or comes twice."""

from collections.abc import Sequence

import hypothesis
from hypothesis import strategies as st

from o2c.engine.drafts import Command
from o2c.engine.numbering import numbered, series_of
from o2c.invoicing.events import InvoiceIssued, InvoiceVoided
from o2c.invoicing.invoice import INVOICE
from o2c.kernel.carry import Happened
from o2c.kernel.charges import invoice_stream
from o2c.kernel.series import Numbered
from tests.charges import account, charge, run
from tests.given import MONDAY
from tests.noted import credit, invoice


def bill(customer: str, day: str, *, entity: str = "GB1") -> Command:
    """An invoice of a customer about to be issued on a day, without a number yet."""
    number, series = f"BA-{customer}-{day.replace('-', '')}", f"{entity}-INV-{day[:4]}"
    body = {"number": number, "account": f"BA-{customer}", "customer": customer, "issued_on": day}
    event = InvoiceIssued.model_validate({**InvoiceIssued.example, **body, "series": series, "serial": 0, "legal_number": ""})
    stream = invoice_stream(number)
    return Command(f"bill {number}", stream, (Happened(stream, event, MONDAY),), {}, "engine", "engine")


def issued(commands: Sequence[Command]) -> list[InvoiceIssued]:
    return [event for one in commands for event in (done.event for done in one.happened) if isinstance(event, InvoiceIssued)]


def names(commands: Sequence[Command]) -> list[str]:
    return [event.legal_number for event in issued(commands)]


def test_case_l14_three_customers_are_numbered_one_after_another() -> None:
    """billing.md, case L14 (lago-api, invoices/invoice_numbering_spec.rb): by legal entity, the numbers of three customers go on from one another,
    month after month, and a void keeps its number. Ours are by entity always, so that there is no way back to numbers of a customer."""
    first = numbered([bill(customer, "2026-09-08") for customer in ("C-1", "C-2", "C-3")], {})
    second = numbered([bill(customer, "2026-10-08") for customer in ("C-3", "C-1", "C-2")], {"GB1-INV-2026": 3})

    assert names(first) == [f"GB1-INV-2026-00000{n}" for n in (1, 2, 3)]
    assert names(second) == [f"GB1-INV-2026-00000{n}" for n in (4, 5, 6)]
    assert [event.customer for event in issued(second)] == ["C-3", "C-1", "C-2"]
    void = INVOICE.evolve(INVOICE.evolve(INVOICE.initial(""), issued(second)[1]), InvoiceVoided.model_validate(InvoiceVoided.example))
    assert (void.voided, void.issued.legal_number) == (True, "GB1-INV-2026-000005")
    assert names(numbered([bill("C-1", "2026-11-08")], {"GB1-INV-2026": 6})) == ["GB1-INV-2026-000007"]


def test_another_year_and_another_entity_begin_anew() -> None:
    """Each series counts by itself, within one batch as well."""
    batch = [bill("C-1", "2026-12-08"), bill("C-2", "2027-01-08"), bill("C-3", "2026-12-08", entity="NL1"), bill("C-3", "2027-01-08")]

    assert series_of(batch) == ["GB1-INV-2026", "GB1-INV-2027", "NL1-INV-2026"]
    assert names(numbered(batch, {"GB1-INV-2026": 41})) == [
        "GB1-INV-2026-000042", "GB1-INV-2027-000001", "NL1-INV-2026-000001", "GB1-INV-2027-000002",
    ]  # fmt: skip


def test_what_is_thrown_away_before_it_is_issued_leaves_no_gap() -> None:
    """A paper has no number before it is written: not one that a run decided, nor a note that waits for a second person. So the one that is written has the next
    (invoiceninja #2395: drafts in the trash keep their numbers)."""
    _, decided = run(account(charge("2026-01-05")))
    waits = credit(invoice((20_000, "20")), {1: 15_000})
    assert decided is not None
    assert (decided.series, decided.serial, decided.legal_number) == ("GB1-INV-2026", 0, "")
    assert [isinstance(event, Numbered) for event in waits.events] == [False]
    given_up = issued(numbered([bill("C-1", "2026-10-02")], {"GB1-INV-2026": 22}))
    assert [event.serial for event in given_up] == [23]
    assert names(numbered([bill("C-2", "2026-10-02")], {"GB1-INV-2026": 22})) == ["GB1-INV-2026-000023"]


def test_a_day_that_passes_skips_no_number() -> None:
    """Nor does one that was given come to another paper (odoo #11859: 10306 on 26 April, and 10309 on the 27th)."""
    days = ("2026-04-26", "2026-04-27", "2026-04-28", "2026-04-28")
    each = [names(numbered([bill("C-1", day)], {"GB1-INV-2026": 10_305 + n})) for n, day in enumerate(days)]
    assert each == [[f"GB1-INV-2026-01030{n}"] for n in (6, 7, 8, 9)]


@hypothesis.given(bills=st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from([2026, 2027])), max_size=30), cut=st.integers(0, 30))
@hypothesis.settings(max_examples=60)
def test_numbers_have_no_hole_however_the_papers_come(bills: list[tuple[str, int]], cut: int) -> None:
    """Whoever is billed, in one batch or two: each series runs from 1 without a gap, in the order in which its papers were issued."""
    commands = [bill(f"{customer}{n}", f"{year}-03-08") for n, (customer, year) in enumerate(bills)]
    first = numbered(commands[:cut], {})
    last = {name: sum(event.series == name for event in issued(first)) for name in series_of(first)}
    given = issued([*first, *numbered(commands[cut:], last)])

    for series in {event.series for event in given}:
        serials = [event.serial for event in given if event.series == series]
        assert serials == list(range(1, len(serials) + 1))
