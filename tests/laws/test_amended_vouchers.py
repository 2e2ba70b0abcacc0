"""Vouchers of orders that are changed in flight: reserved for what they can come to by now, for what they are for, and never beyond the budget."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import hypothesis
import pytest
from hypothesis import strategies as st

from o2c.orders import revising
from o2c.orders.vouchers import held_by
from o2c.vouchers.state import KIND, CampaignState
from tests.campaigns import at_most
from tests.changing import Changing
from tests.given import MONDAY, Document, item
from tests.rules.test_vouchers import campaign

POOL = {"codes": ["SPRING", "SPRING-B"], "uses_max": 3, "budget_minor": 3_000, "offerings": ["line", "fibre"], "reserved_days": 30}
"""A fifth off three months, for lines and accesses: 12.00 of a line, 26.85 of an access, within 30.00."""
STREAM = "voucher-SPRING"


class Vouched(Changing):
    """An order of a campaign that others draw on as well."""

    def __init__(self, shared: dict[str, CampaignState], *items: Document, **more: Any) -> None:
        self.campaigns = self.shared = shared
        super().__init__(*items, **more)

    def take(self, *decisions: Any, at: Any = MONDAY) -> None:
        """Carry decisions through, and fold what the campaign learns of them."""
        told = len(self.elsewhere)
        super().take(*decisions, at=at)
        for stream, event in self.elsewhere[told:]:
            if stream == STREAM:
                self.shared[stream] = KIND.evolve(self.shared[stream], event)


def line(name: str, sold: str, code: str, quantity: int = 1) -> Document:
    return item(name, sold, quantity=quantity, characteristics={"voucher": code} if code else {})


LINES = st.tuples(
    st.sampled_from(("line", "fibre", "roaming", "care-quarter")), st.sampled_from(("", "SPRING", "SPRING", "SPRING-B")), st.integers(1, 2)
)
PAPERS = st.lists(LINES, min_size=1, max_size=2).map(lambda told: tuple(line(str(n), *one) for n, one in enumerate(told, 1)))


class Deed(NamedTuple):
    """What happens to one of the orders: it goes on for so many rows, and then its paper is changed, or it is cancelled, or let go on to its end."""

    order: int
    rows: int
    how: str
    paper: tuple[Document, ...]


DEEDS = st.builds(Deed, st.integers(0, 2), st.integers(0, 6), st.sampled_from(("change", "change", "change", "cancel", "end")), PAPERS)


def wrong(shared: Mapping[str, CampaignState], orders: list[Vouched]) -> list[str]:
    """What a campaign reserves otherwise than its orders can use it, worked out from the prices that these pinned."""
    state = shared[STREAM]
    assert state.issued is not None
    found = [] if state.left_minor >= 0 else [f"beyond the budget by {-state.left_minor}"]
    open_uses = {(order, code): amount for code, uses in state.uses.items() for order, (_, amount) in uses.open.items()}
    for order in (one for one in orders if one.state.planned and not one.state.closed):
        lowered = [(planned, discount) for planned in order.state.items.values() for discount in planned.terms.discounts]
        over = order.state.progress.removed
        must: dict[str, int] = {one.code: 0 for one in held_by(order.state)}
        for planned, discount in lowered:
            if planned.offering not in state.issued.offerings:
                found.append(f"order {order.name}: {planned.offering} has {discount.voucher}, which is not for it")
            if planned.item not in over:
                told = {
                    "one_time_minor": planned.one_time_minor,
                    "recurring_minor": planned.recurring_minor,
                    "terms": planned.terms.model_dump(),
                }
                must[discount.voucher] = must.get(discount.voucher, 0) + at_most(told, discount.model_dump(), date(2026, 1, 5))
        has = {code: amount for (of, code), amount in open_uses.items() if of == order.name}
        found += [] if must == has else [f"order {order.name}: must have {must}, has {has}"]
    return found


@hypothesis.given(st.lists(PAPERS, min_size=3, max_size=3), st.lists(DEEDS, max_size=8))
@hypothesis.settings(max_examples=120, deadline=None)
def test_a_pool_is_never_overrun_by_changed_orders(first: list[tuple[Document, ...]], deeds: list[Deed]) -> None:
    """Of three orders of one pool, whatever becomes of them: what is reserved is what each can use by the prices that it has now, no line has a voucher that is not for it, the
    budget holds, and in the end every use is redeemed or given back, with its guard."""
    shared: dict[str, CampaignState] = {STREAM: campaign(**POOL)}
    holders: dict[tuple[str, str], str] = {}
    orders = [Vouched(shared, *items, name=str(1001 + number), holders=holders) for number, items in enumerate(first)]
    for deed in deeds:
        order = orders[deed.order]
        order.pass_by(deed.rows)
        if deed.how == "change":
            order.change(deed.paper)
        elif order.state.planned and not order.over:
            order.cancel(at=order.next_at()) if deed.how == "cancel" else order.run()
        assert wrong(shared, orders) == []
    for order in (one.run() for one in orders):
        if not order.state.closed:  # its paper names what it cannot have, and it waits at its gates
            order.cancel(at=order.next_at())
    assert shared[STREAM].reserved_minor == 0
    assert sum(kind == "voucher" for kind, _ in holders) == sum(uses.redeemed for uses in shared[STREAM].uses.values())


def changing(*items: Document, **pool: Any) -> Vouched:
    """An order of these items whose gates are passed."""
    story = Vouched({STREAM: campaign(**{**POOL, **pool})}, *items)
    story.run(until="number")
    return story


def reserved(story: Vouched) -> tuple[int, dict[str, int]]:
    """What the campaign reserves in all, and the uses that are open by code."""
    state = story.shared[STREAM]
    return state.reserved_minor, {code: len(uses.open) for code, uses in state.uses.items() if uses.open}


@pytest.mark.parametrize(
    ("after", "accepted", "stands"),
    [
        pytest.param((line("1", "line", "SPRING", 2),), True, (2400, {"SPRING": 1}), id="more lines take more of the budget"),
        pytest.param((line("1", "fibre", "SPRING"),), True, (2685, {"SPRING": 1}), id="a dearer line takes more"),
        pytest.param((line("1", "line", "SPRING", 3),), False, (1200, {"SPRING": 1}), id="beyond the budget"),
        pytest.param((line("1", "care-quarter", "SPRING"),), False, (1200, {"SPRING": 1}), id="not for the other offering"),
        pytest.param((line("1", "care-quarter", ""),), True, (0, {}), id="named no more"),
        pytest.param((line("1", "line", "SPRING-B"),), True, (1200, {"SPRING-B": 1}), id="another code"),
        pytest.param((line("1", "line", "SPRING"), line("2", "roaming", "SPRING")), True, (1200, {"SPRING": 1}), id="for one of two lines"),
        pytest.param((line("1", "line", "SPRING-X"),), False, (1200, {"SPRING": 1}), id="no such code"),
    ],
)
def test_a_voucher_of_a_changed_paper(after: tuple[Document, ...], accepted: bool, stands: tuple[int, dict[str, int]]) -> None:
    """Judged by the paper as it is to be; where that may not have it nothing is changed."""
    story = changing(line("1", "line", "SPRING"))

    assert story.change(after) is accepted
    assert reserved(story) == stands


def test_a_use_keeps_its_turn_and_its_day() -> None:
    """What it can come to is all that changes: the day through which it is held is that of the order's validation."""
    story = changing(line("1", "line", "SPRING"))
    before = held_by(story.state)
    story.change((line("1", "line", "SPRING", 2),))

    [after] = held_by(story.state)
    assert [after.model_copy(update={"amount_minor": 1200})] == list(before)
    assert "order.voucher-expiry-requested" not in story.names()[story.names().index("order.revised") :]


def test_a_voucher_that_comes_with_a_change_is_held_for_its_days() -> None:
    """The row that ends it is asked for, and once it is over the order goes on without it, as it would have."""
    story = changing(line("1", "line", ""))
    assert ("", "voucher-expiry") not in story.agenda
    story.change((line("1", "line", "SPRING"),))

    assert story.agenda["", "voucher-expiry"].due_at >= MONDAY + timedelta(days=30)
    story.attend("voucher-expiry")
    assert (reserved(story), held_by(story.state)) == ((0, {}), ())


def test_what_expired_does_not_come_back() -> None:
    """A change of something else leaves an order without what it held too long, though its paper names it still."""
    story = changing(line("1", "line", "SPRING"))
    story.attend("voucher-expiry")
    assert story.change((item("1", "line", place="7 Quay Street, Testford, ZZ1 2BB", characteristics={"voucher": "SPRING"}),))

    assert (reserved(story), held_by(story.state)) == ((0, {}), ())
    assert not story.state.items["1"].terms.discounts


def test_a_line_that_is_complete_has_its_price_for_good() -> None:
    """It is charged already: a voucher that comes for it is past its point of no return, and one for the line beside it is not."""
    story = changing(item("1"), item("2", "fibre"))
    story.run(until="appointment")
    assert story.states()["1"] == "completed"

    assert not story.change((line("1", "line", "SPRING"), item("2", "fibre")))
    assert story.change((item("1"), line("2", "fibre", "SPRING")))
    assert reserved(story) == (2685, {"SPRING": 1})


def test_what_a_change_gives_back_another_order_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: where a change gives nothing back, the next order finds no budget."""
    for gives_back in (True, False):
        if not gives_back:
            monkeypatch.setattr(revising, "held_otherwise", lambda state, held: revising.NOTHING)
        first = changing(line("1", "line", "SPRING", 2))
        assert first.change((line("1", "line", "", 2),))
        second = Vouched(first.shared, line("1", "line", "SPRING"), name="1002").run()
        assert ("validation.fell-out" in second.names()) is not gives_back
