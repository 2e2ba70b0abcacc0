"""The beginning and the end of a charge on a billing account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from o2c.charging.events import ChargingStarted, ChargingStopped
from o2c.kernel.charges import ChargeStarted, ChargeWithdrawn, account_stream
from o2c.kernel.decision import NOTHING, Decision
from o2c.kernel.periods import local_date
from o2c.kernel.work import Work
from o2c.orders.changing import cost_centre, payer_in
from o2c.orders.compensating import late_start, streams_read
from o2c.orders.dates import from_wish
from o2c.orders.in_life import bases_read, holds
from o2c.products.bases import ON
from o2c.products.events import product_of
from o2c.products.serving import served_by
from o2c.products.state import ProductState


def reads(work: Work) -> tuple[str, ...]:
    """Name the streams that say whether a late start is made good, and whether what an item is added to is in service still."""
    return (*streams_read(work), *bases_read(work))


def opens(work: Work, at: datetime) -> datetime:
    """Give the first time from `at` at which the item is charged: not before the day that was wished for a service; goods as soon as they
    are delivered."""
    return at if _of_goods(work) else from_wish(work, at)


def start(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Begin to charge from the day of activation, or of an eSIM's download, so that the bill matches the service that the customer has.

    The account's stream gets the prices that the plan pinned, net of tax, in minor units. Source: fallout table, code BIL-START (the start
    of charging equals the activation); the market's `esim_charged_from`. A service that is on later than promised is made good with it.
    """
    item = work.subject
    starts_on, payer = _service_start(work, at), payer_in(work.state, item.account)
    charge = ChargeStarted(
        account=payer,
        customer=work.state.party,
        order=work.state.order_id,
        item=work.item,
        offering=item.offering,
        recurring_minor=item.recurring_minor,
        one_time_minor=item.one_time_minor,
        terms=item.terms,
        currency=item.currency,
        starts_on=starts_on,
        market=work.state.market,
        goods=_of_goods(work),
        instalments=int(item.characteristics.get("instalments", "1")) if _of_goods(work) else 1,
        cost_centre=cost_centre(work.state, item.account, payer),
    )
    rest = _rest(work)
    done = ChargingStarted(item=work.item, attempt=work.attempt, account=payer, starts_on=starts_on, **rest)
    on = str(work.outcomes.get("activation", {}).get("starts_on", ""))
    late = late_start(work, on) if on else NOTHING
    return Decision((done,), ((account_stream(payer), charge), *_uncharged(work, done))) + late


def _rest(work: Work) -> dict[str, Any]:
    """What the outcome says where an item begins at rest: the product that it is added to rests, and serves it by nothing of its own.

    Source: TM Forum TMF637 (a product that is suspended is served no more, nor what is added to it).
    """
    streams = bases_read(work)
    base = cast("ProductState | None", work.read.get(streams[0])) if streams else None
    own = served_by(holds(work.state, work.item))
    if base is None or not base.suspended_for or own or ON not in work.subject.waits:
        return {}
    return {"rests_with": base.rests_with or base.product, "rests_for": base.suspended_for, "rests_uncharged": base.rests_uncharged}


def _uncharged(work: Work, done: ChargingStarted) -> Iterator[tuple[str, ChargeWithdrawn]]:
    """A charge that begins at rest, and costs nothing meanwhile: what is charged once is owed, and no day of it."""
    if done.rests_uncharged:
        of: dict[str, Any] = {"order": work.state.order_id, "item": work.item, "product": product_of(work.state.order_id, work.item)}
        yield account_stream(done.account), ChargeWithdrawn(ended_on=done.starts_on, served=True, by_product=True, rests=True, **of)


def _of_goods(work: Work) -> bool:
    """Whether the customer buys a thing: it is charged because it was delivered, and nobody switches it on."""
    return "delivery" in work.subject.waits and "activation" not in work.subject.waits


def _service_start(work: Work, at: datetime) -> str:
    """The day from which the customer has the service or the goods. What a person vouched for has no day of its own: then it is today."""
    today = local_date(at, work.market.zone).isoformat()
    if _of_goods(work):
        return str(work.outcomes.get("delivery", {}).get("delivered_on") or today)
    if "esim-download" in work.subject.waits:
        return str(work.outcomes.get("esim-download", {}).get("starts_on") or today)
    return str(work.outcomes["activation"]["starts_on"])


def stop(work: Work, outcome: Mapping[str, Any], at: datetime) -> Decision:
    """Undo the charge: the item ended, so the account withdraws it, never bills what is not billed yet, and has what is not served
    credited."""
    ended_on = local_date(at, work.market.zone).isoformat()
    withdrawn = ChargeWithdrawn(order=work.state.order_id, item=work.item, ended_on=ended_on)
    return Decision((ChargingStopped(item=work.item),), ((account_stream(payer_in(work.state, work.subject.account)), withdrawn),))
