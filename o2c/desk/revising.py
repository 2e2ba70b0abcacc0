"""Amending an order in flight: a changed paper carried through as one command, and what it takes back and does anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from o2c.credit.difference import settle_difference
from o2c.customers.hierarchy import payer_of
from o2c.customers.state import stream_of as customer_stream
from o2c.desk.act import Deed, act, permitted
from o2c.desk.fallout import RESOLVE
from o2c.engine.app import Context, Engine, Written
from o2c.engine.drafts import Loaded
from o2c.kernel.charges import account_stream
from o2c.kernel.decision import Decision
from o2c.kernel.identifiers import digest
from o2c.kernel.refusal import Refused
from o2c.orders.assessing import Assessed, assess
from o2c.orders.document import fingerprint
from o2c.orders.planning import planned_minor
from o2c.orders.revising import ChangedPaper, revise_order
from o2c.orders.revision_events import OrderRevised, RevisionRefused
from o2c.orders.rollup import order_state
from o2c.orders.state import OrderState
from o2c.orders.step import settled_by_change
from o2c.views.changed_papers import Change, Proposed, proposed
from o2c.views.orders import find_order
from o2c.views.reading import Rows


@dataclass(frozen=True)
class Amended:
    """What came of the wish: the order's state now, how often its paper was changed, the work that is taken back or done anew (rows of
    item, step, action, waiting), what that costs (net, in minor units), and why not, if it was refused. No rows and no refusal: nothing
    that has begun is touched."""

    written: Written
    state: str
    revision: int
    work: Rows
    refused: str = ""
    penalty_minor: int = 0


def amend_order(
    app: Engine,
    context: Context,
    name: str,
    paper: bytes | str | Mapping[str, Any] = "",
    *,
    merge: bool = False,
    base_version: int | None = None,
    resubmission: str = "",
) -> Amended:
    """Make an order in flight the one of a changed paper, by our id or its external id: what is not touched goes on meanwhile.

    `paper` is the whole order as it is to be (TMF622), or with `merge` a merge patch on the paper in force (RFC 7396: a list takes the
    place of the whole list). `base_version` is the version of the order's stream that it was decided by (its ETag): what others changed
    since stays, and where both changed the same nothing is done. In place of a paper `resubmission` names the fallout of one that a channel
    sent later: that is settled by it, and what others changed since it came stays likewise. `assess_change` tells beforehand what it would
    take. Where a line is past its point of no return nothing is changed, and the log says so. What it costs to take work back that partners
    have is charged by the next bill. What it costs more has to fit the credit that the order was approved with.

    Raises Refused: missing (no such order or resubmission), conflict (an order that is not planned or is over; an account that is not the
    customer's; a resubmission that was decided; more than its credit; somebody else was faster), usage (a paper that cannot be read or
    carried out, or names another customer, or by the same line another product), forbidden (to settle a fallout takes more); Lost where
    both changed the same.
    """
    wanted = Change(paper, merge, base_version, resubmission)
    if resubmission:
        permitted(context, RESOLVE)
    stream, first = find_order(app, name)
    [customer] = app.load([customer_stream(first.party)]).values()

    beside = {customer.stream: customer}

    def rule(state: OrderState, at: datetime) -> Decision:
        # Read after the order's state was: what is written in between is seen, or makes this stale. Only the paper says whose vouchers and
        # products are looked at.
        change = proposed(app, stream, state, wanted)
        beside.update(change.beside)
        return _decided(app, state, change, customer, context.channel, at)

    wish = ["revise", resubmission or digest(_text(paper)), merge, base_version]
    deed = Deed(stream, (rule,), wish, beside=beside)
    return _amended(app, act(app, context, "orders.amend", deed))


def _decided(app: Engine, state: OrderState, change: Proposed, customer: Loaded, channel: str, at: datetime) -> Decision:
    latest, market = app.clock().latest(at), app.book.market(state.market)
    found: Assessed = assess(state, change.in_force, change.wished, latest, app.book, agreed=change.agreed)
    committed_minor = planned_minor(change.wished, found.plan.items)
    paper = ChangedPaper(change.original, fingerprint(json.loads(change.original)), channel, change.base_version or 0)
    payers = _payers(app, state, change.wished, customer)
    decision = revise_order(state, change.wished, found, paper, committed_minor, latest, app.book, payers=payers)
    if any(isinstance(event, RevisionRefused) for event in decision.events):
        return decision
    if decision:
        decision += settle_difference(state, customer.state, committed_minor, latest, market)
    return decision + settled_by_change(change.settles) if change.settles else decision


def _payers(app: Engine, state: OrderState, wished: OrderState, customer: Loaded) -> dict[str, str]:
    """The accounts that a changed paper names and the order did not, for which another one pays, as the customer's hierarchy is now. One
    that is nobody's yet is the customer's by this order, as when an order is placed. Raises Refused (conflict) for another customer's."""
    known = {"", state.account, *(item.account for item in state.items.values())}
    named = sorted({wished.account, *(line.account for line in wished.lines)} - known)
    for loaded in app.load(account_stream(account) for account in named).values():
        if loaded.state.customer not in ("", state.party):
            account = loaded.stream.partition("-")[2]
            raise Refused(
                f"order {state.external_id}: {account} is no account of customer {state.party}; name one of theirs", kind="conflict"
            )
    paying = {account: payer_of(customer.state.placed, account) for account in named}
    return {account: payer for account, payer in paying.items() if payer != account}


def _amended(app: Engine, written: Written) -> Amended:
    state: OrderState = app.load_one(written.stream).state
    rows = [] if written.unchanged else app.reads.written_with(written.stream, written.position)
    told = {str(row["type"]): row["body"] for row in rows}
    refused, done = told.get(RevisionRefused.type_name), told.get(OrderRevised.type_name)
    work = [{name: step[name] for name in _SHOWN} for step in done["steps"]] if done else []
    penalty_minor = sum(one["amount_minor"] for one in done.get("penalties", ())) if done else 0
    why = _why_not(state, refused["past"]) if refused else ""
    return Amended(written, order_state(state.progress), len(state.revisions), work, why, penalty_minor)


_SHOWN = ("item", "step", "action", "waiting")


def _why_not(state: OrderState, past: Mapping[str, str]) -> str:
    lines = "; ".join(f"item {line}: {why}" for line, why in past.items())
    return f"order {state.external_id} was not changed, it is past the point of no return ({lines}); order a change of what comes of it instead"


def _text(paper: bytes | str | Mapping[str, Any]) -> str:
    return paper if isinstance(paper, str) else paper.decode("utf-8", "replace") if isinstance(paper, bytes) else json.dumps(paper)
