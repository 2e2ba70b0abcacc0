"""What an invoice or a credit note says, ready to be set: everything from its own event and the agreements made with it, nothing looked
up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from o2c.invoicing.parts import InvoicePart, parts_of, parts_of_note, purchase_order_of_note
from o2c.kernel.balances import CreditPart
from o2c.kernel.money import from_minor, minor_units

if TYPE_CHECKING:
    from o2c.instalments.state import Agreement
    from o2c.invoicing.events import CreditNoteIssued, InvoiceIssued
    from o2c.invoicing.papers import InvoiceLine, NoteLine, Seller, TaxSum

ON_PLAN = "They go on when the service ends, and what is left may be paid at once on any day."
AT_ONCE = "When the service ends, all that is left is due with the bill that follows; it may be paid at once on any day before."
"""What is agreed for the end of the service, as papers say it."""
UNIT_WORDS = {"C62": "", "DAY": "days", "WEE": "week", "MON": "month", "ANN": "year"}


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A line: `quantity` of a `unit` (UN/ECE Recommendation 20) at `unit_price_minor` for each `price_per`; net, minor units."""

    description: str
    quantity: int
    unit: str
    unit_price_minor: int
    price_per: int
    percent: str
    category: str
    net_minor: int
    from_day: str
    to_day: str
    cost_centre: str = ""
    purchase_order: str = ""

    @property
    def rate(self) -> str:
        """The rate of its tax as people read it; none for what is outside the scope of it."""
        return f"{self.percent} %" if self.percent and self.category != "O" else ""


@dataclass(frozen=True, slots=True)
class Spread:
    """What of an invoice is paid in instalments, with later bills: for which goods, each `shares_minor`, in order, and what was agreed for
    the end of the service: that they go on, or that all is due `at_once`."""

    offering: str
    shares_minor: tuple[int, ...]
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """An invoice, or a credit note that names its invoice (`of_invoice`, empty for an invoice). Amounts are minor units, days ISO dates.

    `settled_minor` is what a credit of the account covers of it, and `credits_used` what that is made of, the oldest first; `payable_minor`
    is the rest, less what is `spread` over instalments, as it was at issue. `notices` are sentences for the customer. `purchase_order` is
    the customer's own, where all of the paper is of one.
    """

    kind: str
    number: str
    name: str
    currency: str
    issued_on: str
    tax_point: str
    due_on: str
    method: str
    seller: Seller
    customer: str
    account: str
    buyer_name: str
    buyer_address: str
    lines: tuple[PaperLine, ...]
    taxes: Sequence[TaxSum]
    net_minor: int
    tax_minor: int
    total_minor: int
    settled_minor: int = 0
    credits_used: Sequence[CreditPart] = ()
    of_invoice: str = ""
    reason: str = ""
    void: bool = False
    final: bool = False
    notices: tuple[str, ...] = ()
    spread: tuple[Spread, ...] = ()
    purchase_order: str = ""

    @property
    def title(self) -> str:
        """What a paper is called above its number: the last bill of an account says that it is."""
        return f"Final {self.kind.lower()}" if self.final else self.kind

    @property
    def payable_minor(self) -> int:
        """What was to be paid, or given back, at issue."""
        return self.total_minor - self.settled_minor - self.spread_minor

    @property
    def spread_minor(self) -> int:
        """What is not to be paid for this paper but with later bills, which have it as instalments."""
        return sum(sum(each.shares_minor) for each in self.spread)

    @property
    def terms(self) -> tuple[str, ...]:
        """How each of the goods in instalments is paid, as a sentence."""
        return tuple(self._terms(each) for each in self.spread)

    def _terms(self, spread: Spread) -> str:
        runs = [(minor, sum(1 for _ in equal)) for minor, equal in groupby(spread.shares_minor)]
        parts = ", then ".join(f"{count} of {self.money(minor)}" for minor, count in runs)
        whole = f"{self.money(sum(spread.shares_minor))} {self.currency}"
        return f"{spread.offering}: {whole} is paid in {len(spread.shares_minor)} instalments, one with each later bill ({parts}), without tax of their own. {AT_ONCE if spread.at_once else ON_PLAN}"

    def money(self, amount_minor: int) -> str:
        """An amount as decimal text in the currency of the paper."""
        return from_minor(amount_minor, self.currency)

    def unit_price(self, line: PaperLine) -> str:
        """A unit price as people read it: 19.99 per 31 days."""
        price = self.money(line.unit_price_minor)
        return f"{price} per {line.price_per} {UNIT_WORDS.get(line.unit, line.unit)}" if line.price_per != 1 else price

    def exact_price(self, line: PaperLine) -> Decimal:
        """A unit price as a decimal number of the currency."""
        return Decimal(line.unit_price_minor).scaleb(-minor_units(self.currency))


def quantity_text(line: PaperLine) -> str:
    """How much of what: 3 days, 1 month, 1."""
    word = UNIT_WORDS.get(line.unit, line.unit)
    return f"{line.quantity} {word}".rstrip()


def paper_of_invoice(issued: InvoiceIssued, *, agreements: Iterable[Agreement] = (), void: bool = False, personal: bool = True) -> Paper:
    """Give an invoice as a paper, with those of the account's `agreements` that were made with it. One of before invoices said all this
    says what it has. Without `personal`, the customer is named by the id alone."""
    lines = tuple(
        PaperLine(
            line.description or f"{line.offering}, {line.kind}", line.quantity, line.unit or "C62", line.unit_price_minor if line.unit else line.net_minor,
            line.price_per, line.tax_percent, line.tax_category, line.net_minor, line.from_day, line.to_day,
            line.cost_centre, "" if issued.purchase_order else line.purchase_order,
        )
        for line in issued.lines
    )  # fmt: skip
    agreements = tuple(agreements)
    return Paper(
        kind="Invoice",
        final=issued.final,
        number=issued.legal_number or issued.number,
        name=issued.number,
        currency=issued.currency,
        issued_on=issued.issued_on,
        tax_point=issued.tax_point or issued.issued_on,
        due_on=issued.due_on,
        method=issued.method,
        seller=issued.supplier,
        customer=issued.customer,
        account=issued.account,
        buyer_name=issued.customer_name if personal else "",
        buyer_address=issued.customer_address if personal else "",
        lines=lines,
        taxes=issued.taxes,
        net_minor=issued.net_minor,
        tax_minor=issued.tax_minor,
        total_minor=issued.total_minor,
        settled_minor=issued.credit_used_minor,
        credits_used=issued.credits_used,
        void=void,
        notices=(
            *_approved(issued),
            *_debited(issued, agreements),
            *(one.words for one in issued.endings),
            *(_going_on(issued, agreements) if issued.final else ()),
            *_whose(issued),
        ),
        purchase_order=issued.purchase_order,
        spread=tuple(
            Spread(each.offering, each.shares, at_once=each.at_end == "at-once") for each in agreements if each.invoice == issued.number
        ),
    )


def _approved(issued: InvoiceIssued | CreditNoteIssued) -> Iterator[str]:
    """Of which approved range the number is, as authorities that approve them want it said."""
    if (numbers := issued.number_range).prefix:
        until = f", valid until {numbers.valid_to}" if numbers.valid_to else ""
        yield f"Numbers {numbers.name} to {numbers.number_at(numbers.count)} approved by {numbers.approval} from {numbers.valid_from} on{until}."


def _debited(issued: InvoiceIssued, agreements: Iterable[Agreement]) -> Iterator[str]:
    """The advance notice of a direct debit: how much is collected on which day, as it was at issue. An invoice is that notice, and its due
    day leaves the time that the scheme wants (Direct Debit Guarantee; SEPA Direct Debit Core Scheme Rulebook, pre-notification)."""
    spread_minor = sum(sum(each.shares) for each in agreements if each.invoice == issued.number)
    amount_minor = issued.total_minor - issued.credit_used_minor - spread_minor
    if issued.method == "direct-debit" and amount_minor > 0:
        yield f"{from_minor(amount_minor, issued.currency)} {issued.currency} will be collected by direct debit on {issued.due_on}."


def _whose(issued: InvoiceIssued) -> Iterator[str]:
    """What of an invoice is which cost centre's, and which lines are of which purchase order, where there are several."""
    yield from _in_words(parts_of(issued.lines, issued.taxes), issued)
    if not issued.purchase_order:
        yield from _of_orders(line.purchase_order for line in issued.lines)


def _of_orders(purchase_orders: Iterable[str]) -> Iterator[str]:
    """Which lines are of which purchase order, by that of each line."""
    of: dict[str, list[str]] = {}
    for place, name in enumerate(purchase_orders, 1):
        of.setdefault(name, []).append(str(place))
    yield from (f"Purchase order {name}: lines {', '.join(places)}." for name, places in sorted(of.items()) if name)


def _in_words(parts: Iterable[InvoicePart], paper: InvoiceIssued | CreditNoteIssued) -> Iterator[str]:
    for part in parts:
        net, tax, total = (from_minor(minor, paper.currency) for minor in (part.net_minor, part.tax_minor, part.total_minor))
        yield f"Of this, {part.cost_centre or paper.account}: net {net}, VAT {tax}, total {total} {paper.currency}."


def _going_on(issued: InvoiceIssued, agreements: Iterable[Agreement]) -> Iterator[str]:
    """What the last bill of a service says of instalments that are left after it, as it was at issue."""
    for each in agreements:
        left = each.shares[sum(billed_on <= issued.issued_on for billed_on in each.billed_on) :]
        if left and each.agreed_on < issued.issued_on < (each.settled_on or "9999"):
            told = f"{len(left)} instalments are left, {from_minor(sum(left), issued.currency)} {issued.currency} in all"
            yield f"{each.offering}: {told}; they go on with later bills, one with each, and may be paid at once on any day."


def paper_of_note(note: CreditNoteIssued, *, of_invoice: Sequence[InvoiceLine] = (), personal: bool = True) -> Paper:
    """Give a credit note as a paper, split as the lines of its invoice are, and with the purchase orders of these."""
    billed = [of_invoice[line.line - 1] if of_invoice else None for line in note.lines]
    purchase_order = purchase_order_of_note(note.lines, of_invoice) if of_invoice else ""
    return Paper(
        kind="Credit note",
        number=note.legal_number,
        name=note.note,
        currency=note.currency,
        issued_on=note.issued_on,
        tax_point=note.issued_on,
        due_on="",
        method="",
        seller=note.supplier,
        customer=note.customer,
        account=note.account,
        buyer_name=note.customer_name if personal else "",
        buyer_address=note.customer_address if personal else "",
        lines=tuple(
            _of_note(line, of, by_days=note.reason == "not-served", of_one=bool(purchase_order))
            for line, of in zip(note.lines, billed, strict=True)
        ),
        taxes=note.taxes,
        net_minor=note.net_minor,
        tax_minor=note.tax_minor,
        total_minor=note.total_minor,
        of_invoice=note.invoice_number,
        reason=note.reason,
        notices=(
            *_approved(note),
            *(_in_words(parts_of_note(note.lines, note.taxes, of_invoice), note) if of_invoice else ()),
            *_of_orders("" if of is None or purchase_order else of.purchase_order for of in billed),
        ),
        purchase_order=purchase_order,
    )


def _of_note(line: NoteLine, of: InvoiceLine | None, *, by_days: bool, of_one: bool) -> PaperLine:
    """A line of a note, which lowers one of the invoice; one that credits days says from which on, any other credits an amount. Where the
    note is of one purchase order, no line says it again."""
    amounts = (line.net_minor, 1, line.tax_percent, line.tax_category, line.net_minor)
    from_day = f", credited from {line.from_day}" if by_days and line.from_day < line.to_day else ""
    whose = (of.cost_centre, "" if of_one else of.purchase_order) if of else ()
    return PaperLine(f"{line.description}{from_day}", 1, "C62", *amounts, line.from_day, line.to_day, *whose)
