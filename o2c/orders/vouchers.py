"""The vouchers that an order names: judged and reserved as it is validated, pinned with its prices, and redeemed or released as it ends.

A code stands on an item, as the product characteristic `voucher` (TMF622 v4 and v5): it is the item that it lowers, an order has no
characteristics of its own, a note is free text that nobody judges, and a `priceAlteration` must say the price, which a channel that was
given a code does not know. On a bundle it is for all that is within. Small letters and blanks around it make it no other code, and two
items that name it have one use of it together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from o2c.catalogue.state import CatalogueState
from o2c.kernel.decision import NOTHING, Decision, Guard
from o2c.kernel.discounts import Discount, off_a_period
from o2c.kernel.frozen import changed
from o2c.kernel.periods import local_date, stamp
from o2c.kernel.recurrence import Recurrence
from o2c.markets.base import Market
from o2c.orders.event_parts import HeldVoucher
from o2c.orders.pricing import PinnedPrices, Prices, priced
from o2c.orders.revised import with_vouchers
from o2c.orders.rollup import item_state
from o2c.orders.state import OrderState
from o2c.orders.wish import Line, around
from o2c.vouchers.events import VoucherRedeemed, VoucherReleased, VoucherReserved, campaign_of, voucher_stream
from o2c.vouchers.rules import reserve, spelled, why_not
from o2c.vouchers.state import CampaignState

NAME = "voucher"
Campaigns = Mapping[str, CampaignState | None]
"""The campaigns of the codes that an order names, by stream."""


def named(lines: Sequence[Line]) -> dict[str, tuple[str, ...]]:
    """Give the codes that lines name, each with the lines that it is for: those of a bundle with it."""
    by_id, found = {line.item: line for line in lines}, dict[str, tuple[str, ...]]()
    for line in lines:
        for code in dict.fromkeys(spelled(each.characteristics[NAME]) for each in around(line, by_id) if each.characteristics.get(NAME)):
            found[code] = (*found.get(code, ()), line.item)
    return found


def streams_named(lines: Sequence[Line]) -> tuple[str, ...]:
    """Name the streams of the campaigns of those codes."""
    if not any(NAME in line.characteristics for line in lines):
        return ()
    return tuple(dict.fromkeys(voucher_stream(campaign_of(code)) for code in named(lines)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A code that an order names: its campaign, the lines that it fits, and all that it can take off, in net minor units."""

    code: str
    campaign: CampaignState | None
    lines: tuple[str, ...]
    amount_minor: int

    @property
    def discount(self) -> Discount:
        """What it takes off, under its code."""
        assert self.campaign is not None
        assert self.campaign.issued is not None
        return self.campaign.issued.discount.model_copy(update={"voucher": self.code})


def wanted(lines: Sequence[Line], campaigns: Campaigns, prices: Prices, on: date) -> Iterator[Wanted]:
    """Give the codes that lines name, by what the items cost without them."""
    offerings = {line.item: line.offering for line in lines}
    for code, items in named(lines).items():
        campaign = campaigns.get(voucher_stream(campaign_of(code)))
        issued = campaign.issued if campaign else None
        fits = tuple(item for item in items if issued and item in prices and offerings[item] in (issued.offerings or (offerings[item],)))
        amount_minor = sum(_most(issued.discount, each, on) for item in fits for each in prices[item]) if issued else 0
        yield Wanted(code, campaign, fits, amount_minor)


def _most(discount: Discount, prices: PinnedPrices, on: date) -> int:
    """All that a discount can take off an item: of what is for good, one period."""
    if discount.of == "one-time":
        return off_a_period([discount], of="one-time", price_minor=prices.one_time_minor)
    periods = 1
    if discount.lasts_length:
        last_day = Recurrence(discount.lasts_unit, discount.lasts_length).begins(on, 1) - timedelta(days=1)
        periods = prices.terms.recurrence.begun(on, last_day)
    return periods * off_a_period([discount], of="recurring", price_minor=prices.recurring_minor)


def flaw_of_vouchers(state: OrderState, campaigns: Campaigns, prices: Prices, *, market: str, tier: str, at: datetime, on: date) -> str:
    """Give the first code that the order may not have (`DQ-VOUCHER: detail`); empty for none. It was taken `at` a time, `on` a day of its
    market. Of two codes of one campaign the second waits for nothing: it is a flaw."""
    seen = set[str]()
    for each in wanted(state.lines, campaigns, prices, on):
        why = why_not(
            each.campaign, each.code, order=state.order_id, at=at, market=market, tier=tier, fits=each.lines, amount_minor=each.amount_minor
        )
        if campaign_of(each.code) in seen:
            why = why or "is of a campaign of which the order has a code"
        seen.add(campaign_of(each.code))
        if why:
            items = ", ".join(named(state.lines)[each.code][:3])
            return f"DQ-VOUCHER: the voucher of item {items} {why}"
    return ""


def reserved(
    state: OrderState, campaigns: Campaigns, prices: Prices, on: date, holder: str, now: datetime
) -> tuple[tuple[HeldVoucher, ...], Decision]:
    """Reserve the vouchers of an order that has no flaw: what it holds, and the events of their campaigns with the guards of the uses.

    The order was taken `on` a day of its market; the days for which a use is reserved count from `now`."""
    held, decision = [], NOTHING
    for each in wanted(state.lines, campaigns, prices, on):
        assert each.campaign is not None
        event = reserve(each.campaign, each.code, order=state.order_id, amount_minor=each.amount_minor)
        told = {"code": each.code, "turn": event.turn, "amount_minor": event.amount_minor, "held_until": held_until(each.campaign, now)}
        held.append(HeldVoucher.model_validate({**told, "lines": each.lines, "discount": each.discount}))
        decision += Decision(elsewhere=((voucher_stream(campaign_of(each.code)), event),), takes=(Guard(*event.use, holder),))
    return tuple(held), decision


def without_lost(state: OrderState, in_force: Sequence[Line], lines: Sequence[Line]) -> tuple[Line, ...]:
    """Give the lines of a changed paper without the codes that the order named before and lost since: what expired is not had again by a
    change."""
    lost = named(in_force).keys() - {one.code for one in held_by(state)}
    return tuple(
        changed(line, characteristics={**line.characteristics, NAME: ""}) if spelled(line.characteristics.get(NAME, "")) in lost else line
        for line in lines
    )


def held_anew(
    state: OrderState, lines: Sequence[Line], campaigns: Campaigns, prices: Prices, on: date, now: datetime
) -> tuple[HeldVoucher, ...]:
    """Give the vouchers that an order is to hold once it has these lines, which have no flaw: the uses that it has stay as they were
    pinned, for the lines that they fit now and what they can come to by these; the others are to be reserved."""
    had = {one.code: one for one in held_by(state)}
    found = []
    for each in wanted(lines, campaigns, prices, on):
        assert each.campaign is not None
        use = reserve(each.campaign, each.code, order=state.order_id, amount_minor=each.amount_minor)
        own = had.get(each.code) or HeldVoucher(
            code=each.code, turn=use.turn, amount_minor=0, lines=(), discount=each.discount, held_until=held_until(each.campaign, now)
        )
        found.append(own.model_copy(update={"lines": each.lines, "amount_minor": each.amount_minor}))
    return tuple(found)


def revouched(
    state: OrderState,
    wished: OrderState,
    lines: Sequence[Line],
    campaigns: Campaigns,
    catalogue: CatalogueState,
    market: Market,
    now: datetime,
) -> OrderState:
    """Give a changed order as one that was validated with the vouchers that it holds from now on: those that its `lines` name, of which
    none is lost and none has a flaw.

    What a use can come to is that of the time at which the order was taken, as its prices are."""
    if not (held_by(state) or streams_named(lines)):
        return wished
    assert state.captured_at is not None
    taken_on = local_date(state.captured_at, market.zone)
    held = held_anew(state, lines, campaigns, priced(lines, catalogue, state.captured_at), taken_on, now)
    return changed(wished, records={**wished.records, "": with_vouchers(wished.records.get("", {}), held)})


def held_otherwise(state: OrderState, after: Sequence[HeldVoucher]) -> Decision:
    """Give back the uses that a changed order names no more, and reserve what it has instead of what it had, with the guards of those that
    are new."""
    had, has = ({one.code: one for one in held} for held in (held_by(state), after))
    decision = NOTHING
    for one in (one for code, one in had.items() if code not in has):
        decision += released(state, one, "amended")
    for one in after:
        if one.code not in had or had[one.code].amount_minor != one.amount_minor:
            event = VoucherReserved(order=state.order_id, code=one.code, turn=one.turn, amount_minor=one.amount_minor)
            takes = () if one.code in had else (Guard(*event.use, f"order-{state.order_id}/"),)
            decision += Decision(elsewhere=((voucher_stream(campaign_of(one.code)), event),), takes=takes)
    return decision


def held_until(campaign: CampaignState, now: datetime) -> str:
    """Give until when a use that is reserved now is held; empty for as long as its order goes on."""
    days = campaign.issued.reserved_days if campaign.issued else 0
    return stamp(now + timedelta(days=days)) if days else ""


def held_by(state: OrderState) -> tuple[HeldVoucher, ...]:
    """Give the vouchers that an order holds, as it was validated with them: none that expired."""
    return tuple(HeldVoucher.model_validate(each) for each in state.record("", "validation").outcome.get("vouchers", ()))


def settled(state: OrderState, how: str) -> Decision:
    """Redeem or release the vouchers of an order that is over: redeemed is one of which some item was completed."""
    decision = NOTHING
    for one in held_by(state):
        done = any(item_state(state.progress.items[name]) == "completed" for name, item in state.items.items() if item.line in one.lines)
        if done:
            event = VoucherRedeemed(order=state.order_id, code=one.code, turn=one.turn)
            decision += Decision(elsewhere=((voucher_stream(campaign_of(one.code)), event),))
            continue
        decision += released(state, one, how)
    return decision


def released(state: OrderState, one: HeldVoucher, how: str) -> Decision:
    """Give a use back to its campaign, with its guard, and say why."""
    event = VoucherReleased.model_validate({"order": state.order_id, "code": one.code, "turn": one.turn, "how": how})
    return Decision(elsewhere=((voucher_stream(campaign_of(one.code)), event),), frees=(Guard(*event.use, f"order-{state.order_id}/"),))
