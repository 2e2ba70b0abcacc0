"""Laws of the books: every event that names an amount posts or says why not, what it posts sums to zero, and what is earned sums to the line."""

import typing
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from pydantic import BaseModel

from o2c.kernel.event import types_by_name
from o2c.kernel.periods import Period
from o2c.ledger.postings import CHART, POSTS_NOTHING, TABLE, postings_of
from o2c.ledger.recognition import earned, earned_on
from projections.balances import BALANCES
from projections.engine.fold import Fold
from projections.engine.projection import Projection, derive
from projections.engine.seen import names_of
from projections.invoices import INVOICES
from projections.postings import POSTINGS
from tests.histories import Told, histories, invoice, order_id, seen


def amounts_of(annotation: Any) -> Iterator[str]:
    """The names of all fields in minor units, however deep."""
    for argument in typing.get_args(annotation):
        yield from amounts_of(argument)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield from [name] if name.endswith("_minor") else amounts_of(field.annotation)


WITH_AMOUNTS = sorted(name for name, cls in types_by_name().items() if [*amounts_of(cls)])


def test_every_event_with_an_amount_posts_or_says_why_not() -> None:
    """An event with an amount in minor units has a row in `o2c/ledger/postings.py`: what it posts, or the reason why nothing."""
    assert [name for name in WITH_AMOUNTS if (name in TABLE) == (name in POSTS_NOTHING)] == []
    assert sorted(TABLE.keys() | POSTS_NOTHING.keys()) == WITH_AMOUNTS
    assert all(len(reason.split()) > 4 for reason in POSTS_NOTHING.values())


@pytest.mark.parametrize("name", sorted(TABLE))
def test_what_an_event_posts_sums_to_zero(name: str) -> None:
    """The postings of the example of every money event sum to zero, on accounts of the chart."""
    posted = postings_of(name, types_by_name()[name].model_validate(types_by_name()[name].example).model_dump(mode="json"))

    assert posted
    assert sum(posting.amount_minor for posting in posted) == 0
    assert {posting.account for posting in posted} <= CHART.keys()


@hypothesis.given(
    lines=st.lists(st.tuples(st.integers(-5_000, 100_000), st.integers(0, 400)), max_size=6),
    tax_minor=st.integers(0, 20_000),
)
def test_an_invoice_posts_what_it_bills(lines: list[tuple[int, int]], tax_minor: int) -> None:
    """Whatever its lines are, an invoice's postings sum to zero, its total is receivable, and only lines with service days are deferred."""
    first = date(2026, 1, 8)
    told = [{"net_minor": net, "from_day": str(first), "to_day": str(first + timedelta(days))} for net, days in lines]
    net_minor = sum(net for net, _ in lines)
    posted = postings_of(
        "invoice.issued", {"lines": told, "net_minor": net_minor, "tax_minor": tax_minor, "total_minor": net_minor + tax_minor}
    )

    assert sum(posting.amount_minor for posting in posted) == 0
    assert sum(posting.amount_minor for posting in posted if posting.account == "receivable") == net_minor + tax_minor
    assert -sum(posting.amount_minor for posting in posted if posting.account == "deferred-revenue") == sum(
        net for net, days in lines if days
    )


@hypothesis.given(history=histories())
def test_all_postings_sum_to_zero_at_every_event(history: list[Any]) -> None:
    """Whatever happened, sensible or not: the rows of every event sum to zero in one currency, and every money event of a known account has rows."""
    fold = Fold(POSTINGS, names_of(POSTINGS.types), strict=True)
    fold.take(fold.assign_groups(seen(history)))
    sums: dict[tuple[str, str], int] = {}
    for group, doc in fold.docs.items():
        for row in derive(POSTINGS, group, doc).values():
            sums[row["event"], row["currency"]] = sums.get((row["event"], row["currency"]), 0) + row["amount_minor"]

    assert set(sums.values()) <= {0}
    held = [event for event in seen(history) if event.type in TABLE and event.stream.startswith("account-")]
    assert {event.event_id for event in held} <= {event for event, _ in sums}


NETS = st.integers(-1_000_000, 1_000_000)


@hypothesis.given(net_minor=NETS, days=st.integers(1, 800), posted_after=st.integers(-400, 900))
@hypothesis.settings(max_examples=50)
def test_the_days_sum_to_the_line(net_minor: int, days: int, posted_after: int) -> None:
    """Whenever a line is posted, what its days earn sums to it exactly, and what is deferred is what is not yet served."""
    start = date(2026, 1, 8)
    period, posted_on = Period(start, start + timedelta(days)), start + timedelta(posted_after)
    first, last = min(start, posted_on), max(period.end, posted_on + timedelta(1))
    by_day = [earned_on(net_minor, period, first + timedelta(n), posted_on=posted_on) for n in range((last - first).days)]

    assert sum(by_day) == net_minor
    for number in range(len(by_day)):
        day = first + timedelta(number)
        assert sum(by_day[: number + 1]) == (earned(net_minor, period, day) if day >= posted_on else 0)
        assert abs(earned(net_minor, period, day) - Fraction(net_minor * min(max((day - start).days + 1, 0), days), days)) <= Fraction(1, 2)


def test_a_month_in_advance_day_by_day() -> None:
    """19.99 GBP from 8 January to 8 February: 31 days of 64 or 65 pence, 18 of them left on the 20th."""
    period = Period(date(2026, 1, 8), date(2026, 2, 8))

    assert earned(1999, period, date(2026, 1, 7)) == 0
    assert earned(1999, period, date(2026, 1, 8)) == 64
    assert earned(1999, period, date(2026, 1, 20)) == 838
    assert earned(1999, period, date(2026, 2, 7)) == earned(1999, period, date(2026, 3, 1)) == 1999
    with pytest.raises(ValueError, match="without days"):
        earned(1999, Period(date(2026, 1, 8), date(2026, 1, 8)), date(2026, 1, 8))


@st.composite
def money_stories(draw: st.DrawFn) -> list[Told]:
    """What an account may go through, in sense: deposits kept and freed, bills that take what credit there is, money in parts and above, paybacks."""
    events, deposits, invoices = list[Told](), dict[str, int](), dict[str, int]()
    credit, owed = 0, 0

    def tell(stream: str, name: str, **body: Any) -> None:
        named = {"account": "BA-1", "customer": "C-1", "currency": "GBP"} if stream.startswith("account") else {}
        events.append(Told(stream, name, {**named, **body}, None, None, len(events)))

    for step in range(draw(st.integers(0, 25))):
        amount = draw(st.integers(1, 5_000))
        match draw(st.sampled_from(("keep", "free", "bill", "bill", "pay", "pay", "return"))):
            case "keep":
                order = order_id(draw(st.integers(0, 2)))
                deposits[order] = deposits.get(order, 0) + amount
                tell("account-BA-1", "account.deposit-kept", amount_minor=amount, order=order)
            case "free" if deposits:
                order, kept = deposits.popitem()
                becomes = draw(st.sampled_from(("credit", "owed")))
                credit, owed = credit + kept * (becomes == "credit"), owed + kept * (becomes == "owed")
                tell("account-BA-1", "account.deposit-freed", amount_minor=kept, order=order, becomes=becomes)
            case "bill":
                number, used = f"BA-1-{step}", min(credit, amount)
                credit, invoices[number] = credit - used, amount - used
                if used:
                    tell("account-BA-1", "account.credit-used", amount_minor=used, invoice=number)
                tell(f"invoice-{number}", "invoice.issued", **{**invoice(number, amount), "credit_used_minor": used})
            case "pay" if invoices:
                number = draw(st.sampled_from(sorted(invoices)))
                above = max(amount - max(invoices[number], 0), 0)
                invoices[number], credit = invoices[number] - amount, credit + above
                name = "payment.part-received" if invoices[number] > 0 else "payment.received"
                tell(f"invoice-{number}", name, item="", amount_minor=amount, method="card", credit_minor=above)
                if above:
                    tell("account-BA-1", "account.credit-received", amount_minor=above, invoice=number)
            case "return" if credit + owed:
                back = min(amount, credit + owed)
                of_owed = min(back, owed)
                credit, owed = credit - (back - of_owed), owed - of_owed
                tell(
                    "account-BA-1",
                    "account.money-returned",
                    amount_minor=back,
                    of_owed_minor=of_owed,
                    method="card",
                    returned_on="2026-02-01",
                )
    return events


@hypothesis.given(history=money_stories())
def test_the_books_are_what_the_projections_say(history: list[Told]) -> None:
    """Whatever sensible an account goes through, no money is lost: what the chart has as open, credit, owed and deposit is what invoices and balances tell."""
    rows = {projection.name: rows_of(projection, history) for projection in (POSTINGS, BALANCES, INVOICES)}
    chart = Counter[str]()
    for row in rows["postings"]:
        chart[row["ledger_account"]] += row["amount_minor"]
    held = Counter[str]()
    for row in rows["balances"]:
        held.update({name: row[f"{name}_minor"] for name in ("credit", "owed", "deposits", "returned")})
    came = sum(event.body["amount_minor"] for event in history if event.type.startswith("payment.") or event.type == "account.deposit-kept")

    assert sum(chart.values()) == 0
    assert chart["receivable"] == sum(max(row["total_minor"] - row["credit_used_minor"] - row["paid_minor"], 0) for row in rows["invoices"])
    assert (-chart["customer-credit"], -chart["owed-to-customers"], -chart["deposit"]) == (held["credit"], held["owed"], held["deposits"])
    assert -chart["revenue"] - chart["tax"] - chart["deferred-revenue"] == sum(row["total_minor"] for row in rows["invoices"])
    assert chart["cash"] == came - held["returned"]


def test_money_from_before_accounts_held_any_is_not_lost() -> None:
    """A payment above an invoice that no account took note of is unallocated, and a deposit that an account learned of as it was freed came in cash."""
    named = {"account": "BA-1", "customer": "C-1", "currency": "GBP", "order": order_id(0)}
    history = [
        Told("invoice-BA-1-1", "invoice.issued", invoice("BA-1-1", 1000)),
        Told("invoice-BA-1-1", "payment.received", {"item": "", "attempt": 1, "amount_minor": 1250, "method": "bank-transfer"}, minutes=1),
        Told("account-BA-1", "account.deposit-freed", {**named, "amount_minor": 300, "becomes": "owed"}, minutes=2),
    ]
    chart = Counter[str]()
    for row in rows_of(POSTINGS, history):
        chart[row["ledger_account"]] += row["amount_minor"]

    assert {name: minor for name, minor in chart.items() if minor} == {
        "revenue": -1000,
        "cash": 1550,
        "unallocated": -250,
        "owed-to-customers": -300,
    }


def rows_of(projection: Projection, history: list[Told]) -> list[dict[str, Any]]:
    """The rows of a projection of a history."""
    fold = Fold(projection, names_of(projection.types), strict=True)
    fold.take(fold.assign_groups(seen(history)))
    return [row for group, doc in fold.docs.items() for row in derive(projection, group, doc).values()]
