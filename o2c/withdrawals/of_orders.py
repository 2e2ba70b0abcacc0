"""A consumer withdraws from an order: what is under way is cancelled, what is in service ends, and what could be stopped no more ends once
it is there. None of it is charged for.

Source: Directive 2011/83/EU, art. 9 (the period runs from the conclusion of the contract, whatever was performed), 12 (neither side has to
perform any more) and 15; the statutes of each market stand with its rules (`markets.life.WithdrawalRules`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, cast

from o2c.kernel.charges import account_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import StepCancelled
from o2c.kernel.work import Work
from o2c.markets.base import Market
from o2c.orders.cancellation import cancel, cancellable
from o2c.orders.changing import payer_in
from o2c.orders.ending import open_item
from o2c.orders.event_parts import CancelReason
from o2c.orders.planning import Book
from o2c.orders.state import OrderState
from o2c.products.events import product_of, product_stream
from o2c.products.state import ProductState
from o2c.withdrawals.events import WithdrawalAwaited, WithdrawnFromCame
from o2c.withdrawals.rules import WHY, Contract, Right, declaration, declare, ended, right
from o2c.withdrawals.state import WithdrawalState, withdrawal_stream

LOOKED_AT_EVERY = timedelta(days=1)
"""How often it is looked whether an item that was withdrawn from on its way is there."""
REASON: CancelReason = "withdrawal"
"""The reason for which what is under way is cancelled."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What an order brought: the contracts of its products in service that their customer may end by themselves, each with those that
    depend on it (`linked`); and the items of which a withdrawal is known (`known`). `business`: its customer is one."""

    contracts: Mapping[str, tuple[Contract, Sequence[Contract]]] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    business: bool = False


def withdraw(
    state: OrderState, brought: Brought, market: Market, *, items: Iterable[str] = (), note: str, at: datetime, book: Book
) -> Decision:
    """Withdraw from the contracts of an order, or of some of its items with what relies on them; nothing where that was done before.

    Of items that a right is lacking of nothing happens, as long as there is one of another. Raises Refused: missing (no such item),
    conflict (there is no right to, or nothing of the order is left), usage.
    """
    today = local_date(at, market.zone)
    if not state.planned:
        # It was not accepted yet, so that no period has begun to run.
        if (lacking := _under_way(state, "", brought, market, today)).why != "over":
            _allowed(state, lacking)
        return cancel(state, items, note=note, at=at, book=book, reason=REASON)
    chosen = _named(state, items)
    open_ = [item for item in chosen if open_item(state, item) and product_of(state.order_id, item) not in brought.known]
    rights = {item: _under_way(state, item, brought, market, today) for item in open_}
    rights |= {item: right(brought.contracts[item][0], market, business=brought.business, today=today) for item in _held(chosen, brought)}
    if not rights:
        return _nothing_left(state, chosen, brought)
    granted = {item: one for item, one in rights.items() if not one.why}
    if not granted:
        _allowed(state, next(iter(rights.values())))
    free = set(cancellable(state, at, book))
    going = [item for item in open_ if item in granted and item in free]
    decision = cancel(state, going, note=note, at=at, book=book, reason=REASON) if going else NOTHING
    for item in granted:
        if item in brought.contracts:
            decision += _ends(brought.contracts[item], market, at)
        elif item not in free and not state.items[item].product:
            decision += _once_there(state, item, rights[item], market, at)
    return decision


def _allowed(state: OrderState, granted: Right) -> None:
    if granted.why:
        until = f" (it ran through {granted.last_day})" if granted.why == "over" else ""
        raise Refused(f"order {state.external_id}: nobody may withdraw from it; {WHY[granted.why]}{until}", kind="conflict")


def _named(state: OrderState, items: Iterable[str]) -> list[str]:
    """The items that names of items and lines stand for, all where none is named."""
    names = tuple(dict.fromkeys(items))
    if missing := next((name for name in names if not any(name in (item, one.line) for item, one in state.items.items())), ""):
        raise Refused(f"order {state.external_id} has no item {missing[:40]}; see `o2c orders plan`", kind="missing")
    return [item for item, one in state.items.items() if not names or item in names or one.line in names]


def _held(chosen: Sequence[str], brought: Brought) -> Iterator[str]:
    return (item for item in chosen if item in brought.contracts)


def _under_way(state: OrderState, item: str, brought: Brought, market: Market, today: date) -> Right:
    """The right to withdraw from what is no product yet."""
    product = ProductState(product=product_of(state.order_id, item), order=state.order_id, item=item, market=state.market)
    contract = Contract(product, state)
    return right(contract, market, business=brought.business, today=today)


def _nothing_left(state: OrderState, chosen: Sequence[str], brought: Brought) -> Decision:
    """Nothing, where the order was withdrawn from before. Raises Refused (conflict) elsewhere."""
    if any(product_of(state.order_id, item) in brought.known or state.progress.items[item].ended == "cancelled" for item in chosen):
        return NOTHING
    raise Refused(
        f"order {state.external_id}: nothing of it is under way or in service; there is nothing to withdraw from", kind="conflict"
    )


def _ends(held: tuple[Contract, Sequence[Contract]], market: Market, at: datetime) -> Decision:
    contract, linked = held
    # Whether its customer is a business was judged before.
    decided = declare(WithdrawalState(), contract, linked, market, business=False, at=at)
    own = withdrawal_stream(contract.product.product)
    return Decision(elsewhere=(*((own, event) for event in decided.events), *decided.elsewhere))


def _once_there(state: OrderState, item: str, granted: Right, market: Market, at: datetime) -> Decision:
    product, planned = product_of(state.order_id, item), state.items[item]
    awaited = WithdrawalAwaited(
        attempt=1,
        due_at=at + LOOKED_AT_EVERY,
        product=product,
        order=state.order_id,
        of=item,
        customer=state.party,
        account=payer_in(state, planned.account),
        market=state.market,
        declared_on=local_date(at, market.zone).isoformat(),
        last_day=granted.last_day,
    )
    return Decision(elsewhere=((withdrawal_stream(product), awaited),))


def awaits(work: Work) -> bool:
    """Whether an item is still to be waited for."""
    return isinstance(work.state, WithdrawalState) and work.state.awaited is not None and work.state.declared is None


def what_is_awaited(work: Work) -> Mapping[str, Any]:
    """Give what is said of it each time it is asked for."""
    return work.state.awaited.model_dump(exclude={"attempt", "due_at", "item"}) if awaits(work) else {}


def streams_read(work: Work) -> tuple[str, ...]:
    """Name the streams of its order, its product and its account."""
    awaited = work.state.awaited if awaits(work) else None
    return (f"order-{awaited.order}", product_stream(awaited.product), account_stream(awaited.account)) if awaited else ()


def still_to_come(work: Work, at: datetime) -> Decision:
    """Look again later while the item is under way, and never where it came to nothing; nothing once its product is there."""
    awaited: WithdrawalAwaited = work.state.awaited
    order = cast("OrderState | None", work.read.get(f"order-{awaited.order}"))
    product = _product(work)
    if product is not None and product.standing is not None and not product.ended_on:
        return NOTHING
    over = order is None or (product is not None and product.ended_on) or not open_item(order, awaited.of)
    if over:
        return just(StepCancelled(step=work.step))
    again = WithdrawalAwaited(attempt=work.attempt, due_at=at + LOOKED_AT_EVERY, **what_is_awaited(work))
    return just(again)


def _product(work: Work) -> ProductState | None:
    return cast("ProductState | None", work.read.get(product_stream(work.state.awaited.product)))


def come(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the contract is over, now that its item is there: a service as of its first day, so that nothing of it is owed; goods are
    to come back."""
    awaited, product = work.state.awaited, _product(work)
    order = cast("OrderState", work.read[f"order-{awaited.order}"])
    assert product is not None
    assert product.standing is not None
    account: Any = work.read.get(account_stream(product.standing.account))
    charge = account.charges.get(product.standing.charge) if account else None
    contract = Contract(product, order, charge.starts_on if charge else "")
    granted = Right(awaited.last_day, "", asked_to_start=False, asked_by="")
    today = local_date(at, work.market.zone)
    declared = declaration(contract, granted, work.market, today)
    told: tuple[Event, ...] = (
        WithdrawnFromCame(attempt=work.attempt, came_on=product.started_on),
        declared.model_copy(update={"declared_on": awaited.declared_on}),
    )
    return Decision(told, tuple(ended(contract, granted, today)))
