"""Two orders that change the same products at once, each changed, cancelled or in trouble on its way, while products end that no order ends: one attribute is changed by one order
at a time, and what comes of it fits together."""

import os
from collections import Counter
from contextlib import suppress
from typing import Any, NamedTuple

import hypothesis
from hypothesis import strategies as st

from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn
from o2c.kernel.partner import Answered
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.orders.rollup import FINAL
from o2c.products.events import ProductChanged, Standing, product_of
from tests.changing import Phase, phases
from tests.given import MARKET, Document, item
from tests.in_service import BASES, FIBRE, LINE, InLife, books, change
from tests.laws.test_amending_products import STUCK, changes_of_a_line, papers
from tests.with_partners import too_soon

DEEP = bool(os.environ.get("O2C_DEEP"))
ROUNDS_MAX = 30
PATIENCE = 6
"""After so many rounds people give up what does not go on, such as a change of what ended."""
OF = {"offering": "offering", "account": "account", "customer": "owner"}
HELD_BY = {"iccid": "sim", "imsi": "sim", "msisdn": "number", "line_id": "place"}
"""By what a product holds, the attribute that it is of."""
ADDED = (change("1", LINE, numberChange="true"), item("4", "guard", relies_on=("1",), requestedStartDate="2026-01-12"))


class Deed(NamedTuple):
    """What happens next: a phase of the first order or the second one, then its paper is changed, or it is cancelled (`items` empty), or a product ends that no order ends."""

    second: bool
    phase: Phase
    items: tuple[Document, ...]
    ends: str = ""


WISHED = st.one_of(papers(), changes_of_a_line(), st.just(ADDED))
PASSING = st.one_of(
    *(phases(st.sampled_from((1, 2, 3, 3, 4, 5, 8)), ("", "", "", "service-change", "esim-download", "inventory")) for _ in range(4)), STUCK
)
ENDS = st.sampled_from(("",) * 8 + (LINE, FIBRE))
DEEDS = st.builds(Deed, st.booleans(), PASSING, st.one_of(WISHED, WISHED, st.just(())), ENDS)


def lived(first: tuple[Document, ...], second: tuple[Document, ...], deeds: list[Deed]) -> tuple[InLife, InLife]:
    """Two orders that are over."""
    one = InLife(*first)
    one.pass_by(3)
    both = (one, InLife(*second, beside=one))
    for deed in deeds:
        story = _in_step(both, second=deed.second)
        story.go(deed.phase)
        _ask(story, deed.items)
        if deed.ends:
            story.end(deed.ends, local_date(story.now, MARKET.zone))
            story.all_off()
        _claimed(both)
    _settle(both)
    return both


def _in_step(both: tuple[InLife, InLife], *, second: bool) -> InLife:
    """The order whose turn it is; nothing happens before what happened to the other."""
    both[second].now = max(story.now for story in both)
    return both[second]


def _ask(story: InLife, items: tuple[Document, ...]) -> None:
    if items:
        story.change(items)
    elif not story.over:
        story.cancel(at=story.next_at())


def _claimed(both: tuple[InLife, InLife]) -> None:
    """A product knows which order is to change what of it, and no two are to change the same."""
    wanted = Counter(
        (story.state.items[name].product, attribute, f"{story.state.order_id}/{story.state.items[name].line}")
        for story in both
        for name, one in story.state.items.items()
        if one.product and story.state.planned and not story.state.progress.items[name].ended
        if story.state.progress.items[name].steps.get("inventory") != "done"
        for attribute in one.attributes
    )
    kept = {stream.removeprefix("product-"): state for stream, state in both[0].kept.items()}
    claims = Counter(
        (product, attribute, by)
        for product, state in kept.items()
        for attribute, by in state.changing.items()
        if not attribute.startswith("stays for")
    )
    live = {one for one in wanted if not kept[one[0]].ended_on}
    assert live <= set(claims)
    assert max(Counter(one[:2] for one in live).values(), default=1) == 1


def _settle(both: tuple[InLife, InLife]) -> None:
    """Partners do as they are asked, and people resolve what they did not; what does not go on is given up."""
    for turn in range(ROUNDS_MAX):
        for second in (False, True):
            story = _in_step(both, second=second)
            story.soon = False
            if story.state.suspended:
                story.suspend_or_resume()
            story.run()
            for way in ("approve", "correct", "force") if turn < PATIENCE else ("fail",):
                if story.resolve(way):
                    break
            else:
                _give_up(story, turn)
            story.run()
            story.all_off()
        if all(story.state.closed for story in both):
            return
    raise AssertionError(f"it never ends: {[(story.states(), story.agenda.keys()) for story in both]}")


def _give_up(story: InLife, turn: int) -> None:
    """What no item can be failed for, as it waits at a gate, is cancelled."""
    if turn >= PATIENCE and not story.state.closed:
        with suppress(Refused):
            story.cancel(at=story.next_at())


def charges(story: InLife) -> Counter[tuple[str, int]]:
    """The charges that run, by product."""
    running: dict[tuple[str, str], tuple[str, int]] = {}
    for state in BASES.values():
        assert state.standing is not None
        running |= {("BASE", state.standing.charge): (state.product, state.standing.recurring_minor)}
    for _, event in story.elsewhere:
        if isinstance(event, ChargeStarted | ChargeWithdrawn):
            key = (event.order, f"{event.order}/{event.item}" if event.order == "BASE" else event.item)
            if isinstance(event, ChargeWithdrawn):
                running.pop(key, None)
            elif event.recurring_minor:
                running[key] = (event.product or product_of(event.order, event.item), event.recurring_minor)
    return Counter(running.values())


def as_sold(story: InLife) -> Counter[tuple[str, int]]:
    """What is to be charged: every product that serves, or costs what it did while it rests."""
    found: Counter[tuple[str, int]] = Counter()
    for state in story.kept.values():
        if state.standing and not state.ended_on and state.charged_while and state.standing.recurring_minor:
            found[state.product, state.standing.recurring_minor] += 1
    return found


def pieces(both: tuple[InLife, InLife]) -> tuple[Counter[Any], Counter[Any]]:
    """The SIMs and numbers that orders obtained and kept, by step and item; and those that serve a product, or were given back by one."""
    had = Counter(
        (step, place) for state in BASES.values() if state.standing for step, place in state.standing.pieces.items() if step != "activation"
    )
    for story in both:
        for event in story.events:
            if event.type_name in ("sim.assigned", "number.assigned", "sim.released", "sim.lost", "number.released"):
                one = (event.type_name.partition(".")[0], f"{story.state.order_id}/{event.item}")
                had[one] += 1 if event.type_name.endswith("assigned") else -1
    found: Counter[Any] = Counter()
    for state in both[0].kept.values():
        if state.standing and not state.ended_on:
            found.update(state.standing.pieces.items())
    for _, event in both[0].elsewhere:
        found.update(getattr(event, "gives_back", {}).items())
    return +had, Counter({one: times for one, times in found.items() if one[0] in ("sim", "number")})


def changed_alone(story: InLife) -> None:
    """A change makes nothing otherwise of a product than what its order was to change, and what it was to change it had claimed."""
    stands: dict[str, Standing] = {stream: state.standing for stream, state in BASES.items() if state.standing}
    for stream, event in story.elsewhere:
        if isinstance(event, ProductChanged):
            before, after = stands[stream], event.standing
            now = {OF[name] for name in OF if getattr(before, name) != getattr(after, name)}
            now |= {HELD_BY[name] for name in HELD_BY if before.holds.get(name) != after.holds.get(name)}
            assert now <= set(event.attributes)
            stands[stream] = after


def served(story: InLife) -> None:
    """The network serves each product by what it holds and as what it is sold, and what ended by nothing."""
    told, sold = books(story), last_sold(story)
    for state in story.kept.values():
        if state.standing is None:
            continue
        held = state.standing.holds
        assert (state.product in told.on) != bool(state.ended_on)
        if not state.ended_on:
            assert told.on[state.product] == (held.get("iccid") or held.get("line_id") or state.standing.offering)
            assert sold.get(state.product, state.standing.offering) == state.standing.offering
            assert "msisdn" not in held or told.numbers.get(state.product, [""])[0] == held["msisdn"]


def last_sold(story: InLife) -> dict[str, str]:
    """What the network last did as which each product is sold."""
    asked = [ask.request.body for ask, answer in story.asked if ask.partner == "network" and isinstance(answer, Answered)]
    return {str(body["product"]): str(body["offering"]) for body in asked if "offering" in body and "product" in body}


@hypothesis.given(first=WISHED, second=WISHED, deeds=st.lists(DEEDS, min_size=1, max_size=4))
@hypothesis.settings(max_examples=4_000 if DEEP else 100, deadline=None)
def test_two_orders_of_the_same_products_fit_together(first: tuple[Document, ...], second: tuple[Document, ...], deeds: list[Deed]) -> None:
    """Whatever becomes of each: products hold one SIM and number, cost what they are sold for, are on at the network by what they hold, and wait for no order any more."""
    both = lived(first, second, deeds)
    one = both[0]

    assert all(story.states()[""] in FINAL for story in both)
    assert [too_soon(story) for story in both] == [[], []]
    assert {state.product: state.changing for state in one.kept.values() if state.changing} == {}
    assert charges(one) == as_sold(one)
    had, found = pieces(both)
    assert had == found
    changed_alone(one)
    served(one)
