"""An item that is complete becomes a product in service, once.

Source: TM Forum TMF637 Product Inventory v4.0.0 (Product, productOrderItem).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any, cast

from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.event import Event, Fact
from o2c.kernel.periods import local_date
from o2c.kernel.reaction import DecideOn, Reaction
from o2c.kernel.recurrence import Recurrence
from o2c.kernel.work import Work
from o2c.orders.changing import payer_in, products_of
from o2c.orders.events import ItemTakenIntoUse, OrderPlanned
from o2c.orders.planning import Book
from o2c.orders.rollup import item_state
from o2c.orders.state import OrderState, Planned
from o2c.orders.wish import CODE, NUMBER, START, SWITCH_ACCOUNT, SWITCH_FROM
from o2c.products.events import ProductReliedOn, ProductStarted, ProductSuspended, Standing, place_of, product_of, product_stream
from o2c.products.serving import base_streams
from o2c.products.state import ProductState

HOLDS: Mapping[str, tuple[str, ...]] = {
    "sim": ("iccid", "imsi"), "number": ("msisdn",), "number-change": ("msisdn",), "qualification": ("line_id",), "device": ("imei",),
}  # fmt: skip
"""What a product holds, by the step that obtained it; a later step's word counts."""
SINCE = "2026-12"
"""The version of the plan since which a complete item becomes a product by itself."""
_OF_THE_ORDER = frozenset({NUMBER, CODE, START, SWITCH_FROM, SWITCH_ACCOUNT})


def in_service(state: OrderState, item: str, at: datetime, book: Book) -> Decision:
    """Start the product of an item that is complete; nothing for one that changes a product, that became one, or that is not complete."""
    if item in state.in_service or item in state.ceased or state.items[item].product:
        return NOTHING
    progress = state.progress.items[item]
    if progress.ended or item_state(progress) != "completed":
        return NOTHING
    planned, product = state.items[item], product_of(state.order_id, item)
    started_on = str(state.record(item, "charging").outcome.get("starts_on") or local_date(at, book.market(state.market).zone).isoformat())
    bases = _bases(state, planned)
    started = ProductStarted(
        product=product,
        order=state.order_id,
        item=item,
        market=state.market,
        currency=planned.currency,
        started_on=started_on,
        relies_on=bases,
        standing=_standing(state, item, planned, started_on),
    )
    relied_on = ((product_stream(base), ProductReliedOn(by=product)) for base in bases)
    begun = (started, *_at_rest(state, item, started_on))
    return Decision((ItemTakenIntoUse(item=item, product=product),), (*((product_stream(product), event) for event in begun), *relied_on))


def _at_rest(state: OrderState, item: str, started_on: str) -> Iterator[ProductSuspended]:
    """The rest with which a product begins that was added to one at rest, as it was charged."""
    charging = state.record(item, "charging").outcome
    if base := charging.get("rests_with"):
        charged = not charging["rests_uncharged"]
        charge = place_of(state.order_id, item) if charged else ""
        said: dict[str, Any] = {"reason": charging["rests_for"], "suspended_on": started_on, "charged": charged, "charge": charge}
        yield ProductSuspended(order=state.order_id, item=item, base=base, **said)


def _bases(state: OrderState, planned: Planned) -> tuple[str, ...]:
    """The products that an item relies on, through others too: all that it ends with, and that it is named by."""
    of_order = (product_of(state.order_id, each.item) for each in upward(state, planned) if each is not planned and not each.product)
    return (*of_order, *in_service_beneath(state, planned))


def upward(state: OrderState, planned: Planned) -> Iterator[Planned]:
    """Give an item, and those of its order that it relies on, through others too; below what changes a product in service there is that
    product, and no item."""
    yield planned
    for base in () if planned.product else planned.relies_on:
        yield from upward(state, state.items[base])


def in_service_beneath(state: OrderState, planned: Planned) -> tuple[str, ...]:
    """Name the products in service that an item is added to, those that its order changes among them, and what these rely on."""
    relied_on = {one.product: one.relies_on for one in products_of(state).values()}
    named = (product for each in upward(state, planned) for product in (each.product, *each.on_products) if product)
    return tuple(dict.fromkeys(below for product in named for below in (product, *relied_on.get(product, ()))))


def bases_read(work: Work) -> tuple[str, ...]:
    """Name the streams of the products in service that an item is added to."""
    return base_streams(in_service_beneath(work.state, work.subject)) if work.subject else ()


def base_ended(work: Work, at: datetime) -> str:
    """Say that a product in service ended to which something is to be added, so that it would be added to nothing."""
    bases = (cast("ProductState | None", work.read.get(stream)) for stream in bases_read(work))
    ended_on = next((base.ended_on for base in bases if base and base.ended_on), "")
    return f"DQ-ACTION: item {work.item} is added to a product that ended on {ended_on}" if ended_on else ""


def _planned(cls: type[Event]) -> bool:
    return issubclass(cls, OrderPlanned)


def _effects(fact: Fact) -> tuple[DecideOn, ...]:
    if cast("OrderPlanned", fact.event).plan_version >= SINCE:
        return ()

    def begin(state: OrderState, at: datetime, book: Any) -> Decision:
        decision = NOTHING
        for item in state.items:
            decision += in_service(state, item, at, book)
        return decision

    return (DecideOn(fact.stream, begin),)


BEGUN = Reaction(name="begin-the-products-of-an-order", concerns=_planned, effects=_effects, of_before=True)
"""The products of items that were complete before there were products; what is complete today has begun its own by then."""


def _standing(state: OrderState, item: str, planned: Planned, started_on: str) -> Standing:
    months = int(planned.characteristics.get("commitmentMonths", "1"))
    return Standing(
        customer=state.party,
        account=payer_in(state, planned.account),
        offering=planned.offering,
        specification=planned.specification,
        characteristics={name: value for name, value in planned.characteristics.items() if name not in _OF_THE_ORDER},
        holds=holds(state, item),
        pieces=pieces(state, item),
        charge=place_of(state.order_id, item) if "charging" in planned.waits else "",
        recurring_minor=planned.recurring_minor,
        terms=planned.terms,
        commitment_ends_on=ends_on(started_on, months) if months > 1 else "",
    )


def holds(state: OrderState, item: str, but: Collection[str] = ()) -> dict[str, str]:
    """Give the identifiers of what the steps of an item obtained, `but` for some steps."""
    found: dict[str, str] = {}
    for step, names in HOLDS.items():
        outcome = {} if step in but else state.record(item, step).outcome
        found |= {name: str(outcome[name]) for name in names if outcome.get(name)}
        found |= {"sim_kind": str(outcome["kind"])} if step == "sim" and outcome.get("kind") else {}
    return found


def holds_on(state: OrderState, item: str) -> dict[str, str]:
    """Give the same but for what a changed paper gives back, which its partner may still have to drop."""
    return holds(state, item, [step for step, one in state.taken_back.get(item, {}).items() if one.action == "undo"])


def pieces(state: OrderState, item: str) -> dict[str, str]:
    """Give, for each step of an item that is done and obtained something, the `ORDER/ITEM` that gives it back one day."""
    steps = state.progress.items[item].steps
    return {step: place_of(state.order_id, item) for step in ("sim", "number", "device", "activation") if steps.get(step) == "done"}


def ends_on(begins_on: str, months: int) -> str:
    """Give the first day after a term of so many months."""
    return Recurrence("month", months).begins(date.fromisoformat(begins_on), 1).isoformat()
