"""Who may withdraw from the contract of a product and until when, what ends with it, and when the money goes back.

Source: Directive 2011/83/EU, art. 9 (period), 13 (refund), 14 (return, loss in value, share of a service) and 15 (ancillary contracts); the
statutes of each market stand with its rules (`markets.life.WithdrawalRules`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol, cast, get_args

from o2c.kernel.balances import RefundReserved
from o2c.kernel.charges import ChargeWithdrawn, GoodsTakenBack, account_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.event import Event
from o2c.kernel.money import part_of
from o2c.kernel.periods import local_date, local_time
from o2c.kernel.refusal import Refused
from o2c.kernel.shapes import StepCancelled
from o2c.kernel.work import Work, next_attempt
from o2c.markets.base import Market, first_working_day
from o2c.orders.state import OrderState
from o2c.orders.wish import START
from o2c.products.bases import ends_charge
from o2c.products.events import ProductTerminated, product_stream
from o2c.products.serving import base_streams, in_service, lines_read, served_by
from o2c.products.state import TERMINATION, ProductState
from o2c.withdrawals import events
from o2c.withdrawals.events import AskedBy, Grade, WithdrawalDeclared
from o2c.withdrawals.state import GOODS_RETURN, REFUND, WithdrawalState, withdrawal_stream

WITHDRAWN = "withdrawn"
"""Why a product ended whose customer withdrew from the contract."""
GOODS = "spec-device"
GRADES: tuple[Grade, ...] = get_args(Grade)
WHY = {
    "business": "its customer is a business; the right is a consumer's",
    "in-person": "it was bought in person, where there is no such right",
    "over": "the period is over; its end can be ordered",
}
"""What is said of each ground on which nobody may withdraw from a contract."""
SETTLED_AFTER = timedelta(days=1)
"""How long after what is credited the refund is asked for: notes, and the invoice by which an agreement is settled, are made by then."""
BEFORE_DUE = timedelta(days=2)
"""How long before a refund is due the goods are credited that were proven sent and that nobody has looked at."""
DAY_BEGINS_HOUR = 9
SYSTEM = "engine"


class Request(Protocol):
    """The rule by which some of what an account holds goes back to its customer (`refunds.rules.request`)."""

    def __call__(self, state: Any, *, amount_minor: int, author: str, market: str, limit_minor: int, today: str) -> Decision: ...


@dataclass(frozen=True, slots=True)
class Contract:
    """The contract of a product: the product, the order that brought it, the first day of its charge (ISO; empty: none), and what is owed
    of it by days, net, in minor units, if its customer withdraws today."""

    product: ProductState
    order: OrderState
    charged_from: str = ""
    owed_minor: int = 0

    @property
    def goods(self) -> bool:
        """Whether it is about a thing, which comes by a parcel."""
        planned = self.order.items.get(self.product.item)
        of = self.product.standing or planned
        return of is not None and of.specification == GOODS


@dataclass(frozen=True, slots=True)
class Right:
    """Whether a customer may withdraw from a contract: through `last_day` (ISO; empty: until some days after the last of the goods came),
    or not, for a ground (`why`, empty where he may). `asked_to_start`: the service was to begin within the period, as the paper or the
    channel says (`asked_by`)."""

    last_day: str
    why: str
    asked_to_start: bool
    asked_by: AskedBy


def right(contract: Contract, market: Market, *, business: bool, today: date) -> Right:
    """Give the right to withdraw from a contract on a day, by the market's rules.

    A service's period begins when the contract is concluded, which the order is; that of goods when the customer has the last of those that
    were ordered together.
    """
    rules, channel = market.life.withdrawal, contract.order.channel
    since = _last_of_the_goods(contract) if contract.goods else _concluded(contract, market)
    last = since + timedelta(days=rules.days) if since else None
    if last and rules.to_working_day:
        last = first_working_day(market.calendar, last)
    why = "business" if business else "in-person" if channel in rules.in_person else "over" if last and today > last else ""
    return Right(last.isoformat() if last else "", why, *_asked(contract, market))


def _concluded(contract: Contract, market: Market) -> date:
    captured_at = contract.order.captured_at
    return local_date(captured_at, market.zone) if captured_at else date.fromisoformat(contract.product.started_on)


def _last_of_the_goods(contract: Contract) -> date | None:
    """The day on which the last of the goods of an order came; None while some are still to come."""
    order, days = contract.order, [contract.product.started_on] if contract.product.started_on else []
    for item, planned in order.items.items():
        progress = order.progress.items[item]
        if planned.specification != GOODS or progress.ended:
            continue
        if progress.steps.get("delivery") != "done":
            return None
        days.append(str(order.record(item, "delivery").outcome.get("delivered_on") or ""))
    return date.fromisoformat(max(days)) if any(days) else None


def _asked(contract: Contract, market: Market) -> tuple[bool, AskedBy]:
    if contract.goods:
        return False, ""
    planned = contract.order.items.get(contract.product.item)
    said = planned.characteristics.get(START, "") if planned else ""
    if said:
        return said == "true", "paper"
    return contract.order.channel in market.life.withdrawal.asks_to_start, "channel"


def declare(
    state: WithdrawalState, contract: Contract, linked: Sequence[Contract], market: Market, *, business: bool, at: datetime
) -> Decision:
    """Withdraw from the contract of a product, and so from those that depend on it (`linked`): they end today, with their charges; nothing
    for one that was withdrawn from.

    Of a service that was asked to begin within the period what was served is owed, by days; of any other nothing. What is charged once is
    not owed. No early end is charged. Raises Refused: missing (no such product), conflict (it ended, its number goes to another operator,
    or there is no such right).
    """
    if state.declared:
        return NOTHING
    product, today = _free_to_end(contract.product), local_date(at, market.zone)
    granted = right(contract, market, business=business, today=today)
    if granted.why:
        until = f" (it ran through {granted.last_day})" if granted.why == "over" else ""
        raise Refused(f"product {product}: nobody may withdraw from it; {WHY[granted.why]}{until}", kind="conflict")
    elsewhere = list(ended(contract, granted, today))
    for other in linked:
        if other.product.standing is not None and not other.product.ended_on:
            own = right(other, market, business=business, today=today)
            elsewhere.append((withdrawal_stream(other.product.product), declaration(other, own, market, today, ended_with=product)))
            elsewhere += ended(other, own, today)
    return Decision((declaration(contract, granted, market, today),), tuple(elsewhere))


def _free_to_end(state: ProductState) -> str:
    in_service(state, "there is nothing to withdraw from")
    if state.port_out:
        raise Refused(
            f"product {state.product}: its number goes to another operator on {state.port_out.agreed_on}; have that taken back first",
            kind="conflict",
        )
    if TERMINATION in state.changing:
        raise Refused(f"product {state.product}: order {state.changing[TERMINATION]} ends it; cancel that first", kind="conflict")
    return state.product


def declaration(contract: Contract, granted: Right, market: Market, today: date, *, ended_with: str = "") -> WithdrawalDeclared:
    """Give the declaration of a day that ends the contract of a product in service."""
    product, stands, rules = contract.product, contract.product.standing, market.life.withdrawal
    assert stands is not None
    return WithdrawalDeclared(
        product=product.product,
        order=product.order,
        item=product.item,
        customer=stands.customer,
        account=stands.account,
        market=product.market,
        currency=product.currency,
        offering=stands.offering,
        goods=contract.goods,
        imei=stands.holds.get("imei", ""),
        charge=stands.charge,
        declared_on=today.isoformat(),
        last_day=granted.last_day,
        asked_to_start=granted.asked_to_start,
        asked_by=granted.asked_by,
        owed_minor=contract.owed_minor,
        refund_by="" if contract.goods else (today + timedelta(days=rules.refund_days)).isoformat(),
        send_back_by=(today + timedelta(days=rules.send_back_days)).isoformat() if contract.goods else "",
        ended_with=ended_with,
        relies_on=product.relies_on,
    )


def ended(contract: Contract, granted: Right, today: date) -> Iterator[tuple[str, Event]]:
    """The product ends, and its charge: of goods, and of a service that was asked to begin, today; of any other as of its first day."""
    product = contract.product
    assert product.standing is not None
    yield (
        product_stream(product.product),
        ProductTerminated(cause=WITHDRAWN, ended_on=today.isoformat(), gives_back=product.standing.pieces),
    )
    if charged := charge_ended(contract, granted, today):
        yield account_stream(product.standing.account), charged
    else:
        yield from ends_charge(product, today)


def charge_ended(contract: Contract, granted: Right, today: date) -> ChargeWithdrawn | None:
    """Give the end of the charge of a contract that is withdrawn from on a day; None where nothing is charged for it."""
    product = contract.product
    order, _, item = product.standing.charge.partition("/") if product.standing else ("", "", "")
    if not order:
        return None
    owed = contract.goods or granted.asked_to_start
    ended_on = today.isoformat() if owed or not contract.charged_from else contract.charged_from
    return ChargeWithdrawn(
        order=order, item=item, ended_on=ended_on, served=owed, product=product.product, by_product=True, one_time_owed=False
    )


def switch_off(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the network to switch off a service that its customer withdrew from: as for one that ends; what was
    added to lines names them."""
    declared = work.state.declared
    product = cast("ProductState | None", work.read.get(product_stream(declared.product)))
    holds = product.standing.holds if product and product.standing else {}
    held = served_by(holds) or lines_read(work.read, base_streams(declared.relies_on))
    return {"product": declared.product, "offering": declared.offering, **held, "attributes": [TERMINATION], "status": "terminated"}


def _told(work: Work) -> WithdrawalDeclared | None:
    """What was declared; nothing in a state that is of no withdrawal."""
    return work.state.declared if isinstance(work.state, WithdrawalState) else None


def product_read(work: Work) -> tuple[str, ...]:
    """Name the stream of the product, and those of the products that it was added to."""
    declared = _told(work)
    return base_streams((declared.product, *declared.relies_on)) if declared else ()


def switched_off(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the service is off."""
    return just(events.WithdrawnServiceOff(attempt=work.attempt, switched_off_on=local_date(at, work.market.zone).isoformat()))


def parcel_back(work: Work) -> Mapping[str, Any]:
    """Give the body of the request to the courier for a label: the `imei` of the device, and that it is a return."""
    return {"imei": work.state.declared.imei, "return": True}


def to_come_back(work: Work) -> bool:
    """Whether nobody has said yet how the goods came back."""
    return work.state.declared is not None and not work.state.grade


def received(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """Decide that the parcel is back, as the courier says; somebody looks at the goods then."""
    today = local_date(at, work.market.zone)
    refund_by = _refund_by(work.state, work.market, today)
    reference = str(data.get("reference", ""))
    return just(events.GoodsReceived(attempt=work.attempt, reference=reference, received_on=today.isoformat(), refund_by=refund_by))


def _refund_by(state: WithdrawalState, market: Market, back_on: date) -> str:
    """The day by which the money of goods goes back that were back, or proven sent, on a day; never later than it was said before."""
    assert state.declared is not None
    rules = market.life.withdrawal
    since = back_on if rules.days_from_goods else date.fromisoformat(state.declared.declared_on)
    by = max(since + timedelta(days=rules.refund_days), back_on).isoformat()
    return min(state.refund_by or by, by)


def proven_sent(state: WithdrawalState, market: Market, *, sent_on: date, reference: str, at: datetime) -> Decision:
    """Take down that the customer proved to have sent the goods back on a day, under a carrier's reference; nothing where that is known, or
    they are credited.

    Raises Refused: missing (nobody withdrew from such a contract), conflict (it is of no goods), usage (no reference, a day to come or
    before the declaration).
    """
    declared, today = _of_goods(state), local_date(at, market.zone)
    if state.sent_on or state.taken_back_on:
        return NOTHING
    if not reference.strip():
        raise Refused(f"product {declared.product}: say the carrier's reference of the parcel")
    if not date.fromisoformat(declared.declared_on) <= sent_on <= today:
        raise Refused(f"product {declared.product}: the goods were sent between {declared.declared_on} and {today}, not on {sent_on}")
    refund_by = _refund_by(state, market, sent_on)
    due_at = max(local_time(date.fromisoformat(refund_by) - BEFORE_DUE, DAY_BEGINS_HOUR, 0, market.zone), at)
    asked = events.WithdrawalRefundRequested(attempt=next_attempt(state.records, REFUND), due_at=due_at)
    return just(events.GoodsProvenSent(sent_on=sent_on.isoformat(), reference=reference.strip(), refund_by=refund_by), asked)


def _of_goods(state: WithdrawalState) -> WithdrawalDeclared:
    if state.declared is None:
        raise Refused("nobody withdrew from such a contract; see `o2c returns list`", kind="missing")
    if not state.declared.goods:
        raise Refused(f"product {state.declared.product} is a service: nothing of it is sent back", kind="conflict")
    return state.declared


def grade(state: WithdrawalState, market: Market, *, found: Grade, price_minor: int, author: str, at: datetime) -> Decision:
    """Say how goods came back: their price (net, in minor units) is credited but for what they lost in value, and the money goes back;
    nothing where that was said before. Of goods that are credited already, as they were proven sent, nothing is kept.

    Raises Refused: missing (nobody withdrew from such a contract), conflict (it is of no goods, or was graded otherwise).
    """
    declared, today = _of_goods(state), local_date(at, market.zone)
    if state.grade == found:
        return NOTHING
    if state.grade:
        raise Refused(f"product {declared.product}: the goods came back {state.grade}, as was said before", kind="conflict")
    fresh = not state.taken_back_on
    kept_minor = part_of(price_minor, market.life.withdrawal.kept_percent[found], 100) if fresh else 0
    refund_by = _refund_by(state, market, today)
    graded = events.GoodsGraded(grade=found, kept_minor=kept_minor, graded_on=today.isoformat(), refund_by=refund_by, author=author)
    told: list[Event] = [graded]
    if _under_way(state):
        told.append(StepCancelled(step=GOODS_RETURN))
    if not fresh:
        return just(*told)
    told.append(events.WithdrawalRefundRequested(attempt=next_attempt(state.records, REFUND), due_at=at + SETTLED_AFTER))
    return Decision(tuple(told), _taken_back(declared, today, kept_minor))


def _under_way(state: WithdrawalState) -> bool:
    """Whether the courier is still asked about the parcel, or somebody is to look into what became of it."""
    return not state.received_on and GOODS_RETURN in state.records


def _taken_back(declared: WithdrawalDeclared, today: date, kept_minor: int) -> tuple[tuple[str, Event], ...]:
    order, _, item = declared.charge.partition("/")
    back = GoodsTakenBack(order=order, item=item, taken_back_on=today.isoformat(), kept_minor=kept_minor)
    return ((account_stream(declared.account), back),) if order else ()


def to_refund(work: Work) -> bool:
    """Whether the money is still to go back."""
    return work.state.declared is not None and not work.state.settled


def account_read(work: Work) -> tuple[str, ...]:
    """Name the stream of the account."""
    declared = _told(work)
    return (account_stream(declared.account),) if declared else ()


def credited_first(work: Work, at: datetime) -> Decision:
    """Credit goods first that were proven sent and are still to be looked at; nothing where they are credited, and of a service."""
    state: WithdrawalState = work.state
    if state.declared is None or not state.declared.goods or state.taken_back_on:
        return NOTHING
    today = local_date(at, work.market.zone)
    again = events.WithdrawalRefundRequested(attempt=work.attempt + 1, due_at=at + SETTLED_AFTER)
    return Decision((events.GoodsCredited(credited_on=today.isoformat()), again), _taken_back(state.declared, today, 0))


def settle(work: Work, data: Mapping[str, Any], at: datetime, *, request: Request) -> Decision:
    """Ask for the refund of what was paid and is not owed, by the way in which it came: what is left of the credits of the contract's
    invoice. The law says how much and by when, so that it waits for no second person."""
    declared: WithdrawalDeclared = work.state.declared
    account: Any = work.read.get(account_stream(declared.account))
    amount_minor = _due_back(declared, account) if account else 0
    if not amount_minor:
        return just(events.WithdrawalSettled(attempt=work.attempt, amount_minor=0, refunds=()))
    how = {"author": SYSTEM, "market": account.market or declared.market, "today": local_date(at, work.market.zone).isoformat()}
    asked = request(account, amount_minor=amount_minor, limit_minor=amount_minor, **how)
    refunds = tuple(event.refund for event in asked.events if isinstance(event, RefundReserved))
    settled = events.WithdrawalSettled(attempt=work.attempt, amount_minor=amount_minor, refunds=refunds)
    return Decision((settled,), (*((account_stream(declared.account), event) for event in asked.events), *asked.elsewhere))


def _due_back(declared: WithdrawalDeclared, account: Any) -> int:
    """What is left of the credits of the invoices that charged the contract, without what an agreement about its goods is still to be
    settled with."""
    charge = account.charges.get(declared.charge)
    billed_by = charge.billed_by if charge else ()
    credits_minor = sum(lot.amount_minor for lot in account.balance.credits if lot.origin == "invoice" and lot.of in billed_by)
    agreement = account.instalments.get(declared.charge)
    to_come = agreement.left_minor + agreement.settling_minor if agreement else 0
    return int(max(min(credits_minor - to_come, account.balance.returnable_minor), 0))
