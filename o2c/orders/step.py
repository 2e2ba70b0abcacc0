"""The order's own entries for the plan: the validation gate, and the decision of a person about a suspected duplicate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from o2c.catalogue.state import STREAM as CATALOGUE
from o2c.catalogue.state import CatalogueState
from o2c.customers.state import stream_of
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import Decision, just
from o2c.kernel.step import Referral, Step
from o2c.kernel.stream import StreamKind
from o2c.kernel.work import Work
from o2c.orders import rules, state
from o2c.orders.events import (
    DuplicateSettled,
    DuplicateSuspected,
    OrderValidated,
    ResubmissionRefused,
    ValidationDeclined,
    ValidationFellOut,
    ValidationRequested,
)
from o2c.orders.validation import POLICY, flaw


def _reads(work: Work) -> tuple[str, ...]:
    catalogue = f"{CATALOGUE}@{work.state.catalogue_version}"
    party = (stream_of(work.state.party), account_stream(work.state.account)) if work.state.party else ()
    return (catalogue, *party)


def _check(work: Work, at: datetime) -> str:
    catalogue = work.read[f"{CATALOGUE}@{work.state.catalogue_version}"] or CatalogueState()
    account = work.read.get(account_stream(work.state.account))
    if account is not None and account.customer != work.state.party:
        return "DQ-PARTY: the billing account belongs to another party"
    return flaw(work.state, party_known=work.read.get(stream_of(work.state.party)) is not None, catalogue=catalogue, market=work.market)


def _validated(work: Work, data: Mapping[str, Any], at: datetime) -> Decision:
    return just(OrderValidated(attempt=work.attempt, catalogue_version=work.state.catalogue_version, policy=POLICY))


def _decide(work: Work, approve: bool, at: datetime) -> Decision:
    """Nobody can approve an order that cannot be planned; giving it up rejects it."""
    if approve:
        return just()
    return just(ValidationDeclined(attempt=work.attempt, reason=work.state.record("", "validation").reason))


def _settle(work: Work, approve: bool, at: datetime) -> Decision:
    """A paper that is approved becomes an order of its own in the same command (`rules.follow_up`); of one that is not, the channel is told."""
    came = next((one for one in work.state.resubmissions if one.fallout == work.fallout), None)
    if came is None:
        return just()
    if approve:
        return just(DuplicateSettled(fallout=work.fallout, decision="approve", order=rules.follower(work.state, came.fingerprint)))
    refused = ResubmissionRefused(fingerprint=came.fingerprint, channel=came.channel, reason="DQ-DUP")
    return just(DuplicateSettled(fallout=work.fallout, decision="decline"), refused)


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
    agenda=state.agenda,
    advance=rules.advance,
    close=rules.close,
    work=state.work,
    owner=state.owner,
    is_order=True,
    correctable=state.correctable,
    on_record=state.on_record,
    # An order may stand ahead of a simulated clock: nothing happens to it before it was given.
    not_before=lambda order: order.captured_at,
)
