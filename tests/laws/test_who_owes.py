"""The table of who owes past a due day says what the collections of an account say, whatever the account goes through."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
from hypothesis import strategies as st

from o2c.collections.events import HoldPlaced
from o2c.collections.state import CollectionState
from o2c.kernel.refusal import Refused
from projections.collections import COLLECTIONS, late_of
from projections.engine.fold import Fold
from projections.engine.projection import Row, derive
from projections.engine.seen import names_of
from tests.histories import Told, seen
from tests.owing import Owing

INVOICES = {"INV-1": "GBP", "INV-2": "GBP", "INV-3": "EUR"}
Act = Callable[[Owing, int], Any]
"""Something that happens to an account on a day after its first due day."""


@st.composite
def acts(draw: st.DrawFn) -> Act:
    """What invoices tell, of businesses or not, and what people agree on; some of it is refused."""
    kind = draw(
        st.sampled_from(("owes", "owes", "pays", "credits", "disputes", "settles", "holds", "releases", "promises", "plans", "bills"))
    )
    invoice, minor = draw(st.sampled_from(tuple(INVOICES))), draw(st.integers(0, 3)) * 1_000
    of = {
        "due": -draw(st.integers(0, 40)),
        "currency": INVOICES[invoice],
        "business": draw(st.booleans()),
        "claims_minor": draw(st.sampled_from((0, 200))),
    }
    hold, until = draw(st.sampled_from(("vulnerable", "payment-pending", "key-account"))), draw(st.sampled_from((None, 20)))
    return {
        "owes": lambda owing, day: owing.owes(minor + 500, invoice, **of, disputed_minor=in_dispute(minor)),
        "pays": lambda owing, day: owing.pays(minor, invoice, **of),
        "credits": lambda owing, day: owing.owes(minor, invoice, cause="credit", credited_minor=300, **of),
        "disputes": lambda owing, day: owing.disputes(minor or 100, invoice),
        "settles": lambda owing, day: owing.settles("customer" if minor else "operator", invoice),
        "holds": lambda owing, day: owing.holds(hold, days=until),
        "releases": lambda owing, day: owing.releases(hold),
        "promises": lambda owing, day: owing.promises(500, days=minor // 200, currency=INVOICES[invoice]),
        "plans": lambda owing, day: owing.plans(*_halves(owing, INVOICES[invoice], day + minor // 100), currency=INVOICES[invoice]),
        "bills": lambda owing, day: owing.bills(day),
    }[kind]


def in_dispute(minor: int) -> int:
    """How much of an amount is in dispute as the invoice says: mostly nothing, for invoices know of no dispute."""
    return minor // 2 if minor == 3_000 else 0


def _halves(owing: Owing, currency: str, day: int) -> tuple[tuple[int, int], ...]:
    owed = sum(arrear.open_minor for arrear in owing.state.collected(currency))
    return (day, owed // 2), (day + 10, owed - owed // 2)


def lived(history: list[tuple[int, Act]]) -> Owing:
    """An account after a history; what a rule refuses did not happen."""
    owing, day = Owing(), 0
    for days, act in history:
        day += days
        owing.until(day)
        try:
            act(owing, day)
        except Refused:
            continue
    return owing.until(day + 40)


def folded(owing: Owing) -> list[Row]:
    """The rows of the table after the events of the account."""
    told = [Told(owing.carried.stream, each.event.type_name, _body(each.event)) for each in owing.happened]
    fold = Fold(COLLECTIONS, names_of(COLLECTIONS.types), strict=True)
    fold.take(fold.assign_groups(seen(told)))
    return [row for group, doc in fold.docs.items() for row in derive(COLLECTIONS, group, doc).values()]


def _body(event: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(event.model_dump_json(exclude=set(type(event).personal)))
    return body


def said(state: CollectionState) -> Iterator[Row]:
    """The rows that the collections' own state amounts to."""
    currencies = {arrear.currency for arrear in state.arrears.values()} | set(state.stages)
    for currency in sorted(currencies or ({""} if state.holds else ())):
        arrears = [arrear for arrear in state.arrears.values() if arrear.currency == currency]
        promise = state.promise if state.promise and state.promise.currency == currency else None
        plan = state.plan if state.plan and state.plan.currency == currency else None
        yield {
            "account": state.account,
            "customer_id": state.customer,
            "market": state.market,
            "currency": currency,
            "stage": state.stages.get(currency, ""),
            "open_minor": sum(arrear.open_minor for arrear in arrears),
            "disputed_minor": sum(min(arrear.disputed_minor, arrear.open_minor) for arrear in arrears),
            "due_on": min((arrear.due_on for arrear in arrears), default=None),
            "invoices": sorted(arrear.invoice for arrear in arrears),
            "bar": state.bar,
            "notices": sum(notice.currency == currency for notice in state.notices),
            "holds": state.holds,
            "promised_on": promise.by_on if promise else None,
            "promised_minor": promise.amount_minor if promise else 0,
            "plan": [
                {"due_on": due_on, "amount_minor": minor, "kept": number < plan.kept} for number, (due_on, minor) in enumerate(plan.parts)
            ]
            if plan
            else [],
            "late": [late for _, late in sorted(state.late.items()) if late.currency == currency],
        }


def told(owing: Owing) -> list[Row]:
    """The rows of the table without the name of the stream, and what was late as the state has it."""
    return [
        {**{name: value for name, value in row.items() if name != "group_key"}, "late": list(map(late_of, row["late"]))}
        for row in folded(owing)
    ]


@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(st.lists(st.tuples(st.integers(0, 20), acts()), max_size=14))
def test_the_table_says_what_collections_say(history: list[tuple[int, Act]]) -> None:
    """Row by row, amounts, stages, bars, holds, promises, plans and what was late."""
    owing = lived(history)
    assert told(owing) == list(said(owing.state))


def test_the_law_sees_a_table_that_missed_an_event() -> None:
    """A control: without the hold that was placed, the rows are others."""
    owing = Owing().owes(5_000).holds("vulnerable")
    rows = list(said(owing.state))
    assert told(owing) == rows
    owing.carried.happened = [each for each in owing.happened if not isinstance(each.event, HoldPlaced)]
    assert told(owing) != rows
