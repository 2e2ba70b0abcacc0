"""The right to withdraw from a contract, what it would come to, and the withdrawals that were declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from o2c.customers.state import stream_of as customer_stream
from o2c.engine.app import Engine
from o2c.engine.drafts import Loaded
from o2c.invoicing.withdrawal_notes import Foreseen, foreseen
from o2c.kernel.charges import account_stream, invoice_stream
from o2c.kernel.frozen import changed
from o2c.kernel.periods import local_date
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.orders.state import OrderState
from o2c.products.events import product_of, product_stream
from o2c.products.state import ProductState
from o2c.refunds.state import refund_stream
from o2c.views.following import show_stream
from o2c.views.reading import Page, plain
from o2c.views.shown import WithdrawalDetailShown, WithdrawalRightShown, WithdrawalShown
from o2c.withdrawals.events import WithdrawalAwaited
from o2c.withdrawals.of_orders import Brought
from o2c.withdrawals.rules import GOODS, WHY, Contract, Right, charge_ended, right
from o2c.withdrawals.state import WithdrawalState, withdrawal_stream

TO_COME = "to-come"
STATES = (TO_COME, "declared", "awaiting-goods", "sent", "received", "graded", "settled")
"""How a withdrawal stands: what was on its way is still to come; of a service it is declared, then settled; of goods these are awaited,
proven sent, received, graded."""

GOODS_STATES = ("asked", "label", "sent", "received", "restocked", "scrapped", "lost")
"""How goods stand that are to come back: a label is asked of the courier, the customer has it, they were proven sent, they are received,
and once graded they are sold again, scrapped, or lost for good."""
_GRADED = {"as-new": "restocked", "used": "scrapped", "damaged": "scrapped", "lost": "lost"}
REFUNDED = "SELECT stream, max(occurred_at) AS at FROM o2c.event WHERE type = 'refund.completed' AND stream = ANY(%s) GROUP BY stream"
"""When refunds were completed. Parameter: their streams."""


@dataclass(frozen=True, slots=True)
class Told:
    """A contract with its right, and what its end by a withdrawal would come to."""

    contract: Contract
    right: Right
    foreseen: Foreseen


@dataclass(frozen=True, slots=True)
class Gathered:
    """A contract, those that depend on it, and the streams that say so. `business`: its customer is one; `today` is the market's day."""

    told: Told
    linked: tuple[Told, ...]
    market: Market
    business: bool
    today: date
    beside: Mapping[str, Loaded]


def gathered(app: Engine, product: str) -> Gathered:
    """Gather what a withdrawal from the contract of a product is decided by. Raises Refused (missing)."""
    loaded = dict(app.load([product_stream(product)]))
    state: ProductState = loaded[product_stream(product)].state
    if state.standing is None:
        raise Refused(f"no product {product}; see `o2c products list`", kind="missing")
    loaded |= app.load([product_stream(other) for other in state.relied_on_by])
    states = [state, *(one for other in state.relied_on_by if (one := loaded[product_stream(other)].state).standing and not one.ended_on)]
    customer = customer_stream(state.standing.customer)
    loaded |= app.load([customer, *{stream for one in states for stream in (f"order-{one.order}", account_stream(one.standing.account))}])
    business, market = loaded[customer].state.is_business, app.book.market(state.market)
    today = local_date(app.clock().now, market.zone)
    told = [_told(app, one, loaded, market, business=business, today=today) for one in states]
    return Gathered(told[0], tuple(told[1:]), market, business, today, loaded)


def brought(app: Engine, state: OrderState) -> tuple[Brought, Mapping[str, Loaded]]:
    """What an order brought that its customer may withdraw from, and the streams that say so: of products that depend on each other the one
    that the others need."""
    items = {product_of(state.order_id, item): item for item in state.items}
    loaded = dict(
        app.load(
            [
                customer_stream(state.party),
                *(stream for product in items for stream in (product_stream(product), withdrawal_stream(product))),
            ]
        )
    )
    serving = [name for name in items if (one := loaded[product_stream(name)].state).standing and not one.ended_on]
    found = {name: gathered(app, name) for name in serving}
    depending = {one.contract.product.product for each in found.values() for one in each.linked}
    roots = {items[name]: each for name, each in found.items() if name not in depending}
    known = frozenset(name for name in items if (one := loaded[withdrawal_stream(name)].state).declared or one.awaited)
    contracts = {item: (each.told.contract, [one.contract for one in each.linked]) for item, each in roots.items()}
    for each in roots.values():
        loaded |= each.beside
    loaded.pop(f"order-{state.order_id}", None)
    return Brought(contracts, known, loaded[customer_stream(state.party)].state.is_business), loaded


def _told(app: Engine, product: ProductState, loaded: Mapping[str, Loaded], market: Market, *, business: bool, today: date) -> Told:
    assert product.standing is not None
    account = loaded[account_stream(product.standing.account)].state
    charge = account.charges.get(product.standing.charge)
    contract = Contract(product, loaded[f"order-{product.order}"].state, charge.starts_on if charge else "")
    own = right(contract, market, business=business, today=today)
    ended = charge_ended(contract, own, today)
    streams = [invoice_stream(number) for number in charge.billed_by] if charge else []
    works = [app.work(stream, one.state, "", "payment") for stream, one in app.load(streams).items()] if streams else []
    figures = foreseen(account, ended, works) if ended else Foreseen()
    return Told(changed(contract, owed_minor=figures.owed_minor), own, figures)


def show_right(app: Engine, product: str) -> WithdrawalRightShown:
    """Whether a customer may withdraw from the contract of a product and through which day, and what that would come to today: what ends,
    what stays owed, what goes back and by when. Nothing is written.

    Raises Refused (missing).
    """
    found, declared = gathered(app, product), _load(app, product).declared
    state, own, rules = found.told.contract.product, found.told.right, found.market.life.withdrawal
    why = f"it ended on {state.ended_on}" if state.ended_on else WHY.get(own.why, "")
    ends = (found.told, *found.linked)
    goods = found.told.contract.goods
    told = {
        "product": product,
        "may": not why,
        "why": why or None,
        "last_day": own.last_day or None,
        "goods": goods,
        "asked_to_start": own.asked_to_start,
        "asked_by": own.asked_by or None,
        "declared_on": declared.declared_on if declared else None,
        "currency": state.currency,
        "ends": [_ending(one) for one in ends] if not why else [],
        "owed_net_minor": sum(one.foreseen.owed_minor for one in ends) if not why else 0,
        "refund_minor": sum(one.foreseen.back_minor for one in ends) if not why else 0,
        "refund_by": None if goods or why else found.today + timedelta(days=rules.refund_days),
        "send_back_by": found.today + timedelta(days=rules.send_back_days) if goods and not why else None,
    }
    return cast("WithdrawalRightShown", plain(told))


def _ending(one: Told) -> dict[str, Any]:
    stands = one.contract.product.standing
    assert stands is not None
    figures = one.foreseen
    return {
        "product": one.contract.product.product,
        "offering": stands.offering,
        "owed_net_minor": figures.owed_minor,
        "credited_minor": figures.credited_minor,
        "refund_minor": figures.back_minor,
    }


def list_withdrawals(
    app: Engine,
    *,
    customers: Sequence[str] = (),
    states: Sequence[str] = (),
    goods: bool | None = None,
    late: bool = False,
    goods_states: Sequence[str] = (),
    overdue: bool = False,
    offset: int = 0,
    limit: int = 100,
) -> Page[WithdrawalShown]:
    """The withdrawals that were declared, the oldest first: all, or those of some customers, in some `states`, of `goods` or of services,
    whose refund is `late`, whose goods stand in some `goods_states`, or are `overdue`: not sent back by their day, so that no money goes
    back. One from what could be stopped no more is `to-come` until that is there.

    Raises Refused (usage), for a state that is none as well.
    """
    for asked, there_are, of in ((states, STATES, "a withdrawal"), (goods_states, GOODS_STATES, "goods that come back")):
        if unknown := sorted(set(asked) - set(there_are)):
            raise Refused(f"{unknown[0]} is no state of {of}; use some of {', '.join(there_are)}")
    if offset < 0 or limit < 0:
        raise Refused("give an offset and a limit of 0 or more")
    rows = [
        row
        for row in _rows(app, app.reads.streams_like(withdrawal_stream("")))
        if (not customers or row["customer"] in customers)
        and (not states or row["state"] in states)
        and goods in (None, row["goods"])
        and (row["late"] or not late)
        and (not goods_states or row["goods_state"] in goods_states)
        and (row["overdue"] or not overdue)
    ]
    rows.sort(key=lambda row: (row["declared_on"], row["product"]))
    page: Page[WithdrawalShown] = Page(rows[offset : offset + limit])
    page.more = max(len(rows) - offset - len(page), 0)
    return page


def show_withdrawal(app: Engine, product: str) -> WithdrawalDetailShown:
    """The withdrawal from the contract of a product, and what happened to it, oldest first. Raises Refused (missing)."""
    if not (rows := _rows(app, [withdrawal_stream(product)])):
        raise Refused(f"nobody withdrew from product {product[:80]}; see `o2c returns list`", kind="missing")
    stream, [row] = withdrawal_stream(product), rows
    history = [{"at": plain(event.occurred_at), "event": event.type, "actor": event.actor} for event in show_stream(app, stream)]
    return cast("WithdrawalDetailShown", {**row, "history": history})


def _load(app: Engine, product: str) -> WithdrawalState:
    return cast("WithdrawalState", app.load_one(withdrawal_stream(product)).state)


def _rows(app: Engine, streams: Sequence[str]) -> list[WithdrawalShown]:
    loaded: list[WithdrawalState] = [one.state for one in app.load(streams).values()]
    states = [one for one in loaded if one.declared]
    names = [refund_stream(refund) for state in states for refund in state.refunds]
    paid = {row["stream"]: row["at"] for row in app.reads.rows(REFUNDED, names)} if names else {}
    return [
        *(_row(app, state, paid) for state in states),
        *_to_come(app, [one.awaited for one in loaded if one.awaited and not one.declared]),
    ]


def _to_come(app: Engine, awaited: Sequence[WithdrawalAwaited]) -> Iterator[WithdrawalShown]:
    """The withdrawals from what is still on its way: none of what came to nothing meanwhile."""
    read = app.load({stream for one in awaited for stream in (f"order-{one.order}", product_stream(one.product))})
    for one in awaited:
        order: OrderState = read[f"order-{one.order}"].state
        if order.progress.items[one.of].ended or read[product_stream(one.product)].state.ended_on:
            continue
        planned, own = order.items[one.of], ("product", "order", "customer", "account", "declared_on")
        told = {**dict.fromkeys(WithdrawalShown.__annotations__), **{name: getattr(one, name) for name in own}}
        told |= {"item": one.of, "offering": planned.offering, "currency": planned.currency, "last_day": one.last_day or None}
        told |= {"goods": planned.specification == GOODS, "state": TO_COME, "asked_to_start": False, "late": False, "overdue": False}
        yield cast("WithdrawalShown", told | {"owed_net_minor": 0, "kept_net_minor": 0, "refund_minor": 0, "refunds": []})


def _row(app: Engine, state: WithdrawalState, paid: Mapping[str, Any]) -> WithdrawalShown:
    declared = state.declared
    assert declared is not None
    zone = app.book.market(declared.market).zone
    done = [paid[stream] for refund in state.refunds if (stream := refund_stream(refund)) in paid]
    refunded_on = max(local_date(at, zone) for at in done).isoformat() if done and len(done) == len(state.refunds) else ""
    nothing = state.settled and not state.refunded_minor
    by_now = refunded_on or local_date(app.clock().now, zone).isoformat()
    own = ("product", "order", "item", "customer", "account", "offering", "goods", "imei", "currency", "declared_on", "last_day")
    told = {name: getattr(declared, name) for name in (*own, "asked_to_start", "send_back_by", "ended_with")}
    told |= {name: getattr(state, name) for name in ("sent_on", "received_on", "grade", "refund_by")}
    told |= {"owed_net_minor": declared.owed_minor, "kept_net_minor": state.kept_minor}
    told |= {"state": state.standing, "refund_minor": state.refunded_minor, "refunds": list(state.refunds), "refunded_on": refunded_on}
    late = bool(state.refund_by) and not nothing and by_now > state.refund_by
    told |= {"goods_state": _goods_state(state), "overdue": _overdue(state, local_date(app.clock().now, zone).isoformat())}
    return cast("WithdrawalShown", {name: None if value == "" else value for name, value in told.items()} | {"late": late})


def _goods_state(state: WithdrawalState) -> str:
    """How the goods stand, by one of GOODS_STATES; empty for a service."""
    if state.declared is None or not state.declared.goods:
        return ""
    if state.grade or state.received_on or state.sent_on:
        return _GRADED.get(state.grade) or ("received" if state.received_on else "sent")
    return "label" if state.label else "asked"


def _overdue(state: WithdrawalState, today: str) -> bool:
    """Whether goods were to be sent back by a day that is over, and nobody has seen them or proof of it. Source: Directive 2011/83/EU, art.
    14(1) and 13(3)."""
    by = state.declared.send_back_by if state.declared else ""
    return bool(by) and not (state.sent_on or state.received_on or state.grade) and today > by
