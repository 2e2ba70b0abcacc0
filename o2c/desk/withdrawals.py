"""The desk for withdrawals: a consumer withdraws from a contract, and goods come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from o2c.desk.act import Deed, act
from o2c.devices.rules import came_home
from o2c.devices.state import stream_of as device_stream
from o2c.engine.app import Context, Engine, Written
from o2c.engine.drafts import Loaded
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import Decision
from o2c.kernel.discounts import off_a_period
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.orders.rollup import order_state
from o2c.orders.state import OrderState
from o2c.products.events import product_of, product_stream
from o2c.views.orders import find_order
from o2c.views.withdrawals import brought, gathered
from o2c.withdrawals import of_orders, rules
from o2c.withdrawals.events import Grade
from o2c.withdrawals.state import WithdrawalState, withdrawal_stream

GRADES = rules.GRADES
"""In which goods come back."""


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal came to: the products that ended with it, what stays owed (net) and what goes back (with tax) in minor units, and
    by which days (ISO; empty: goods are awaited first, or there are none)."""

    written: Written
    product: str
    declared_on: str
    last_day: str
    ended: tuple[str, ...]
    owed_net_minor: int
    refund_minor: int
    currency: str
    refund_by: str
    send_back_by: str


def withdraw(app: Engine, context: Context, product: str) -> Withdrawal:
    """Withdraw from the contract of a product for its customer, within the period of its market: it ends today, with all that depends on it
    and with no charge for an early end. Of a service that was asked to begin what was served is owed, by days; all else goes back.

    A label for the return of goods is asked of the courier. What it would come to is shown by `products.withdrawal`. The same once more
    changes nothing. Raises Refused: missing (no such product), conflict (it ended, or there is no such right; somebody was faster).
    """
    stream, found = withdrawal_stream(product), gathered(app, product)

    def declare(state: WithdrawalState, at: datetime) -> Decision:
        linked = [one.contract for one in found.linked]
        return rules.declare(state, found.told.contract, linked, found.market, business=found.business, at=at)

    written = act(app, context, "products.withdraw", Deed(stream, (declare,), ["withdraw", product], beside=dict(found.beside)))
    declared = _declared(app, product).declared
    assert declared is not None
    ends = (found.told, *found.linked)
    return Withdrawal(
        written=written,
        product=product,
        declared_on=declared.declared_on,
        last_day=declared.last_day,
        ended=tuple(one.contract.product.product for one in ends),
        owed_net_minor=sum(one.foreseen.owed_minor for one in ends),
        refund_minor=sum(one.foreseen.back_minor for one in ends),
        currency=declared.currency,
        refund_by=declared.refund_by,
        send_back_by=declared.send_back_by,
    )


@dataclass(frozen=True)
class OrderWithdrawal:
    """What a withdrawal from an order came to: the items that were `cancelled` as they were under way, the products that `ended`, the items
    that could be stopped no more and end once they are there (`to_come`), and what stays owed for days that were served, net, in minor
    units of the currency."""

    written: Written
    order: str
    state: str
    cancelled: tuple[str, ...]
    ended: tuple[str, ...]
    to_come: tuple[str, ...]
    owed_net_minor: int
    currency: str


def withdraw_order(app: Engine, context: Context, name: str, *, items: Sequence[str] = (), note: str = "") -> OrderWithdrawal:
    """Withdraw from the contracts of an order for its customer, or of some of its items with what relies on them, whether it is under way
    or in service. What is under way is cancelled, what is in service ends as by `products.withdraw`, and what can be stopped no more ends
    once it is there; nothing of it is charged for but the days that were served of a service that was asked to begin.

    The same once more changes nothing. Raises Refused: missing (no such order or item), conflict (there is no such right, or nothing of the
    order is left; somebody was faster).
    """
    stream, _ = find_order(app, name)
    before = cast("OrderState", app.load_one(stream).state)
    found, beside = brought(app, before)
    market = app.book.market(before.market)

    def take_back(state: OrderState, at: datetime) -> Decision:
        until = app.clock().latest(at)
        return of_orders.withdraw(state, found, market, items=items, note=note, at=until, book=app.book)

    written = act(app, context, "orders.withdraw", Deed(stream, (take_back,), ["withdraw", sorted(items), note], beside=dict(beside)))
    return _of_order(app, stream, items, written)


def _of_order(app: Engine, stream: str, items: Sequence[str], written: Written) -> OrderWithdrawal:
    state = cast("OrderState", app.load_one(stream).state)
    chosen = [item for item, one in state.items.items() if not items or item in items or one.line in items]
    named = {item: withdrawal_stream(product_of(state.order_id, item)) for item in chosen}
    loaded = app.load(named.values())
    states = {item: cast("WithdrawalState", loaded[one].state) for item, one in named.items()}
    declared = [one.declared for one in states.values() if one.declared]
    return OrderWithdrawal(
        written=written,
        order=state.order_id,
        state=order_state(state.progress),
        cancelled=tuple(item for item in chosen if state.progress.items[item].ended == "cancelled"),
        ended=tuple(one.product for one in declared),
        to_come=tuple(item for item, one in states.items() if one.awaited and not one.declared),
        owed_net_minor=sum(one.owed_minor for one in declared),
        currency=next((one.currency for one in state.items.values()), ""),
    )


def proven_sent(app: Engine, context: Context, product: str, *, sent_on: date, reference: str) -> Written:
    """Take down that a customer proved to have sent goods back, on a day and under a carrier's reference: from then on the money goes back
    in time, wherever the parcel is.

    Raises Refused: missing (nobody withdrew from such a contract), conflict (it is of no goods), usage (no reference, a day that cannot
    be).
    """
    market = _market(app, product)

    def take(state: WithdrawalState, at: datetime) -> Decision:
        return rules.proven_sent(state, market, sent_on=sent_on, reference=reference, at=at)

    wish = ["sent", sent_on.isoformat(), reference]
    return act(app, context, "returns.sent", Deed(withdrawal_stream(product), (take,), wish))


def grade(app: Engine, context: Context, product: str, found: str) -> Written:
    """Say how goods came back that a customer withdrew from: as-new, used or damaged, or lost on their way under our label. Their price is
    credited but for what the market lets be kept of it, and the money goes back; as new they are sold again, else scrapped or blocked. The
    same once more changes nothing.

    Raises Refused: missing (nobody withdrew from such a contract), usage (no such grade), conflict (it is of no goods, or was graded
    otherwise).
    """
    if found not in rules.GRADES:
        raise Refused(f"returns: no such grade; use one of {', '.join(rules.GRADES)}")
    word: Grade = next(each for each in rules.GRADES if each == found)
    market, declared = _market(app, product), _declared(app, product).declared
    assert declared is not None
    streams = [product_stream(product), account_stream(declared.account), *([device_stream(declared.imei)] if declared.imei else [])]
    beside = app.load(streams)
    price_minor, holder = _price(beside, declared.account, declared.charge), _holder(beside, product, declared.charge)

    def take(state: WithdrawalState, at: datetime) -> Decision:
        decision = rules.grade(state, market, found=word, price_minor=price_minor, author=context.actor, at=at)
        if not decision or not declared.imei:
            return decision
        device = beside[device_stream(declared.imei)].state
        home = came_home(device, imei=declared.imei, grade=found, holder=holder, at=at)
        return decision + Decision(elsewhere=tuple((device_stream(declared.imei), event) for event in home.events), frees=home.frees)

    return act(app, context, "returns.grade", Deed(withdrawal_stream(product), (take,), ["grade", found], beside=beside))


def _declared(app: Engine, product: str) -> WithdrawalState:
    return cast("WithdrawalState", app.load_one(withdrawal_stream(product)).state)


def _market(app: Engine, product: str) -> Market:
    declared = _declared(app, product).declared
    if declared is None:
        raise Refused(f"nobody withdrew from product {product[:80]}; see `o2c returns list`", kind="missing")
    return app.book.market(declared.market)


def _price(beside: Mapping[str, Loaded], account: str, charge: str) -> int:
    """The price of goods, net, with what discounts take off it."""
    found = beside[account_stream(account)].state.charges.get(charge)
    if found is None:
        return 0
    return int(found.one_time_minor - off_a_period(found.terms.discounts, of="one-time", price_minor=found.one_time_minor))


def _holder(beside: Mapping[str, Loaded], product: str, charge: str) -> str:
    """The item that holds the device, as `ORDER/ITEM`."""
    standing = beside[product_stream(product)].state.standing
    return str(standing.pieces.get("device", charge)) if standing else charge
