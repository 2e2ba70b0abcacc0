"""The order's own entries for the plan: the validation gate, and the decision of a person about a suspected duplicate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.catalogue.state import CatalogueState
from o2c.customers import agreements
from o2c.customers.care import promised_by
from o2c.customers.hierarchy import payer_of
from o2c.customers.state import stream_of, tier_of
from o2c.kernel.charges import AccountOpened, account_stream
from o2c.kernel.decision import NOTHING, Decision, just
from o2c.kernel.frozen import changed
from o2c.kernel.periods import local_date
from o2c.kernel.step import Referral, Step
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import Work
from o2c.orders import changing, corrections, readings, receiving, rules, state
from o2c.orders.amending import stated
from o2c.orders.event_parts import HeldProduct, HeldVoucher
from o2c.orders.events import (
    DuplicateSettled,
    DuplicateSuspected,
    FalloutDecided,
    OrderValidated,
    ResubmissionRefused,
    ValidationDeclined,
    ValidationFellOut,
    ValidationRequested,
)
from o2c.orders.pricing import priced
from o2c.orders.validation import POLICY, flaw
from o2c.orders.voucher_expiry import ask_for_expiry
from o2c.orders.vouchers import Campaigns, reserved, streams_named
from o2c.orders.wish import account_of, resolved


def _accounts(work: Work) -> dict[str, str]:
    """The accounts that an order names, each with the words for where: the order's first, then those of items."""
    order: state.OrderState = work.state
    by_id = {line.item: line for line in order.lines}
    named = {order.account: "the billing account"}
    for line in order.lines:
        named.setdefault(account_of(line, by_id, order.account), f"the billing account of item {line.item}")
    return {account: words for account, words in named.items() if account}


def _reads(work: Work) -> tuple[str, ...]:
    catalogue, party = f"{CATALOGUE}@{work.state.catalogue_version}", work.state.party
    if not party:
        return (catalogue,)
    vouchers, products = streams_named(work.state.lines), changing.streams_named(work.state.lines)
    named = _accounts(work)
    whose = (stream_of(account) for account in named if account != party)
    accounts = map(account_stream, dict.fromkeys((*named, *_charged(work))))
    return (catalogue, agreements.STREAM, stream_of(party), *accounts, *whose, *vouchers, *products)


def _charged(work: Work) -> Iterator[str]:
    """The accounts to which the products that an order names are charged, as far as those were read."""
    return (product.standing.account for product in _products(work).values() if product and product.standing)


def _account_flaw(work: Work) -> str:
    """Whether every account is the party's: nobody else has named it before, and it is not the account that goes by another customer's
    id."""
    party = work.state.party
    for account, words in _accounts(work).items():
        opened = work.read.get(account_stream(account))
        if opened is not None and opened.customer != party:
            return f"DQ-PARTY: {words} belongs to another party"
        if account != party and work.read.get(stream_of(account)) is not None:
            return f"DQ-PARTY: {words} is the own account of another customer"
    return ""


def _check(work: Work, at: datetime) -> str:
    catalogue = work.read[f"{CATALOGUE}@{work.state.catalogue_version}"] or CatalogueState()
    if work.state.party and (wrong := _account_flaw(work)):
        return wrong
    party = work.read.get(stream_of(work.state.party))
    told = {"catalogue": catalogue, "market": work.market, "campaigns": _campaigns(work), "products": _products(work)}
    tier = tier_of(party) if told["campaigns"] else ""
    return flaw(work.state, party_known=party is not None, tier=tier, **told)


def _campaigns(work: Work) -> Campaigns:
    return {stream: work.read.get(stream) for stream in streams_named(work.state.lines)}


def _products(work: Work) -> changing.Products:
    return {stream: work.read.get(stream) for stream in changing.streams_named(work.state.lines)}


def _held_products(work: Work) -> tuple[HeldProduct, ...]:
    """The products in service that the order names, with the day of their accounts' next bill."""
    bill_dates = {account: opened.next_run for account in _charged(work) if (opened := work.read.get(account_stream(account)))}
    return changing.held(work.state.lines, _products(work), bill_dates, work.state.party)


def _vouchers(work: Work, products: tuple[HeldProduct, ...], at: datetime) -> tuple[tuple[HeldVoucher, ...], Decision]:
    """What the order holds of the vouchers that it names, by the versions of their streams and a guard for each use."""
    if not (campaigns := _campaigns(work)):
        return (), NOTHING
    order: state.OrderState = changed(work.state, lines=tuple(resolved(work.state.lines, {one.line: one for one in products})))
    assert order.captured_at is not None
    catalogue = work.read[f"{CATALOGUE}@{order.catalogue_version}"] or CatalogueState()
    taken_on = local_date(order.captured_at, work.market.zone)
    return reserved(order, campaigns, priced(order.lines, catalogue, order.captured_at), taken_on, work.holder, at)


def _payers(work: Work) -> dict[str, str]:
    """The accounts named for which another one pays; that one is the party's as well, since it was placed."""
    party = work.read.get(stream_of(work.state.party))
    paying = {account: payer_of(party.placed, account) for account in _accounts(work)} if party else {}
    return {account: payer for account, payer in paying.items() if payer != account}


def _agreed(work: Work, tier: str) -> dict[str, str]:
    """The day that is agreed with the customer for what is delivered, by the agreement of the day on which the order came, and the name of
    that; nothing where none is."""
    order: state.OrderState = work.state
    stands: agreements.AgreementsState | None = work.read.get(agreements.STREAM)
    assert order.captured_at is not None
    day, by = promised_by(stands.loaded if stands else (), order.party, tier, work.market, order.captured_at)
    return {"agreed_on": day, "agreed_by": by} if by else {}


def _validated(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    """The order can be planned; the accounts that nobody named before are its party's from now on, by the versions of their streams."""
    tier = tier_of(work.read.get(stream_of(work.state.party)))
    products = _held_products(work)
    vouchers, reserving = _vouchers(work, products, at)
    told = {"catalogue_version": work.state.catalogue_version, "policy": POLICY, "tier": tier, "vouchers": vouchers, "products": products}
    told |= {"payers": _payers(work), **_agreed(work, tier)}
    validated = OrderValidated(attempt=work.attempt, **told)
    offered_on = local_date(at, work.market.zone).isoformat() if work.market.usage.limits.offered_before_contract else ""
    opened = (
        (
            account_stream(account),
            AccountOpened(account=account, customer=work.state.party, market=work.state.market, limit_offered_on=offered_on),
        )
        for account in _accounts(work)
        if work.read.get(account_stream(account)) is None
    )
    return (
        Decision((validated,), (*opened, *stated(work.state, {told["payers"].get(account, account) for account in _accounts(work)})))
        + reserving
        + ask_for_expiry(vouchers, None)
        + changing.accepted(products, work.state.order_id)
    )


def _decide(work: Work, approve: bool, at: datetime) -> Decision:
    """Nobody can approve an order that cannot be planned; giving it up rejects it."""
    if approve:
        return just()
    return just(ValidationDeclined(attempt=work.attempt, reason=work.state.record("", "validation").reason))


def _settle(work: Work, approve: bool, at: datetime) -> Decision:
    """A paper that is approved becomes an order of its own in the same command (`receiving.follow_up`); of one that is not, the channel is
    told."""
    came = next((one for one in work.state.resubmissions if one.fallout == work.fallout), None)
    if came is None:
        return just()
    if approve:
        return just(DuplicateSettled(fallout=work.fallout, decision="approve", order=receiving.follower(work.state, came.fingerprint)))
    refused = ResubmissionRefused(fingerprint=came.fingerprint, channel=came.channel, reason="DQ-DUP")
    return just(DuplicateSettled(fallout=work.fallout, decision="decline"), refused)


def settled_by_change(fallout: str) -> Decision:
    """Settle a resubmission by the change of the order in force to it, which stands in the same command."""
    return just(
        FalloutDecided(step=DUPLICATE.name, fallout=fallout, decision="amend"),
        DuplicateSettled(fallout=fallout, decision="amend"),
    )


VALIDATION = Step(
    name="validation",
    requested=ValidationRequested,
    fell_out=ValidationFellOut,
    complete=_validated,
    check=_check,
    reads=_reads,
    referral=Referral(
        decide=_decide,
    ),
)
DUPLICATE = Step(
    name="duplicate",
    fell_out=DuplicateSuspected,
    complete=lambda work, data, at: just(),
    referral=Referral(
        decide=_settle,
    ),
)
KIND = StreamKind(
    category="order",
    shape_version=state.SHAPE_VERSION,
    state_type=state.OrderState,
    initial=state.initial,
    evolve=state.evolve,
    agenda=readings.agenda,
    advance=rules.advance,
    close=rules.close,
    work=readings.work,
    owner=readings.owner,
    is_order=True,
    correctable=corrections.correctable,
    on_record=readings.on_record,
    promised_on=readings.promised_on,
    # An order may stand ahead of a simulated clock: nothing happens to it before it was given.
    not_before=lambda order: order.captured_at,
)
