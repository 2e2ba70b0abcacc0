"""An order as a changed paper wishes it: laid over what was corrected and changed since, or refused by what was lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from o2c.customers.agreements import STREAM as CARE
from o2c.customers.care import promised_by
from o2c.customers.state import stream_of as customer_stream
from o2c.customers.state import tier_of
from o2c.engine.app import Engine
from o2c.engine.drafts import Loaded
from o2c.kernel.charges import account_stream
from o2c.kernel.event import Fact
from o2c.kernel.frozen import changed
from o2c.kernel.merging import laid_over as documents_laid_over
from o2c.kernel.merging import merged
from o2c.kernel.periods import stamp
from o2c.kernel.refusal import Lost, Refused
from o2c.orders.assessing import as_it_stands, differences, laid_over
from o2c.orders.changing import streams_named
from o2c.orders.document import Unreadable, parse, read
from o2c.orders.events import CorrectionApplied
from o2c.orders.named_products import as_known, named_anew, other_product, read_alike, said_anew
from o2c.orders.revision_events import OrderRevised
from o2c.orders.rollup import FINAL, order_state
from o2c.orders.state import OrderState, Resubmission
from o2c.orders.validation import flaw
from o2c.orders.vouchers import NAME as VOUCHER
from o2c.orders.vouchers import revouched, without_lost
from o2c.orders.vouchers import streams_named as vouchers_named
from o2c.orders.wish import CODE, NUMBER, Line, Wish
from o2c.products.state import ProductState
from o2c.views.papers import PAPER_OF_RESUBMISSION, PAPERS, before_plan

HIDDEN = frozenset({"place", NUMBER, CODE, VOUCHER})
"""Attributes whose values are personal, or worth money: that they differ is told, and not how. So it is with what is not significant: it
may say anything."""
OF_ORDER = ("account", "requested_start", "requested_completion")
Attribute = tuple[str, str]
"""What a paper says of a line: (line, attribute). The line is empty for what it says of the order."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """The order as it is to be (`wished`, before its plan), its lines as they are (`in_force`), and the whole paper that would be its own.

    `base_version` is the version of the stream that it was decided by, if one is known, and `settles` the fallout that asked what to do
    with the paper. `beside` are the campaigns of the vouchers and the products in service that it names, as they were read, `agreed` the
    day for which what is delivered anew is promised by what is agreed (see `agreements.promised_by`)."""

    wished: OrderState
    in_force: tuple[Line, ...]
    original: str
    base_version: int | None = None
    settles: str = ""
    beside: Mapping[str, Loaded] = field(default_factory=dict)
    agreed: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Change:
    """What is wished for an order: the whole `paper` as it is to be, or with `merge` a merge patch on the one in force; or else, of a
    `resubmission` (the fallout by which a person is asked, or the first letters of its id), the paper that a channel sent later. Raises
    Refused for both or none."""

    paper: bytes | str | Mapping[str, Any] = field(default="", repr=False)
    merge: bool = False
    base_version: int | None = None
    resubmission: str = ""

    def __post_init__(self) -> None:
        if (self.paper in ("", b"")) != bool(self.resubmission):
            raise Refused("say what the order is to be: a paper, or the fallout of the one that a channel sent later; one of them")
        if self.merge and self.resubmission:
            raise Refused("what a channel sent later is a whole paper, and no merge patch")


def proposed(app: Engine, stream: str, state: OrderState, change: Change) -> Proposed:
    """Read a changed paper as the order that it wishes. It is held against the paper that stood at `base_version` of the stream (the
    present one without; for a resubmission the one that stood as it came), so that what others changed since stays, as long as it is
    something else.

    Raises Refused: conflict (an order that is not planned or is over; a resubmission that was decided), missing (no such resubmission),
    usage (a paper that cannot be read or carried out, or names another customer, or by the same line another product; a version that the
    order never had); Lost where both changed the same.
    """
    _refuse_still(state)
    paper, merge, base_version, settles = change.paper, change.merge, change.base_version, ""
    if change.resubmission:
        came = _came_later(state, change.resubmission)
        [row] = app.reads.rows(PAPER_OF_RESUBMISSION, stream, came.fingerprint)
        paper, base_version, settles = str(row["original"]), base_version or int(row["version"]), came.fallout
    papers = app.reads.rows(PAPERS, stream)
    seen = [row for row in papers if base_version is None or row["version"] <= base_version]
    if not seen:
        raise Refused(f"order {state.external_id} had no version {base_version}; say which you read (`o2c orders show`)")
    before_text, now_text = str(seen[-1]["original"]), str(papers[-1]["original"])
    after_text = _changed(before_text, paper, merge)
    original = json.dumps(documents_laid_over(*(parse(text.encode()) for text in (before_text, after_text, now_text))))
    before, after = _read(before_text, app), _read(after_text, app)
    drafted = before_plan(app, stream)
    in_force = as_it_stands(state, drafted.lines)
    wished = _wished(state, drafted, in_force, before, after)
    if base_version is not None:
        _refuse_lost(app, stream, state, before, after, base_version)
    known = as_known(state, in_force, wished.lines)
    wished = changed(wished, lines=said_anew(state, wished.lines, known, after.lines))
    products, vouchers = streams_named(wished.lines), vouchers_named(without_lost(state, in_force, wished.lines))
    named = app.load([*products, *vouchers, customer_stream(state.party), CARE])
    states = {name: loaded.state for name, loaded in named.items()}
    rules, catalogue = app.book.market(state.market), app.book.catalogue(state.catalogue_version)
    judged, tier = changed(wished, lines=without_lost(state, in_force, wished.lines)), tier_of(states[customer_stream(state.party)])
    told: dict[str, Any] = {"catalogue": catalogue, "market": rules, "campaigns": states, "tier": tier, "products": states, "known": known}
    if why := flaw(judged, party_known=True, **told):
        raise Refused(f"order {state.external_id}: as it is to be it could not be carried out: {why}")
    now = app.clock().now
    wished = named_anew(state, wished, known, states, _bill_dates(app, [states[name] for name in products]))
    wished = revouched(state, wished, without_lost(state, in_force, wished.lines), states, catalogue, rules, now)
    agreed = promised_by(named[CARE].state.loaded, state.party, tier, rules, now)
    beside = {name: named[name] for name in (*products, *vouchers)}
    return Proposed(wished, read_alike(state, in_force, wished), original, base_version, settles, beside, agreed)


def _bill_dates(app: Engine, products: Iterable[ProductState | None]) -> dict[str, str]:
    """The days of the next bills of the accounts to which products are charged."""
    accounts = sorted({one.standing.account for one in products if one and one.standing})
    opened = app.load(account_stream(account) for account in accounts)
    return {account: loaded.state.next_run for account in accounts if (loaded := opened[account_stream(account)]).state}


def _came_later(state: OrderState, fallout: str) -> Resubmission:
    """The resubmission that a fallout is about. Raises Refused: missing, conflict."""
    found = [one for one in state.resubmissions if one.fallout.startswith(fallout)]
    if len(found) != 1:
        why = "of no paper that came later" if not found else "of several papers; give more letters"
        raise Refused(f"order {state.external_id}: fallout {fallout[:40]} is {why} (`o2c orders show`)", kind="missing")
    if decision := found[0].decision:
        raise Refused(f"order {state.external_id}: the paper of fallout {fallout[:40]} was decided already ({decision})", kind="conflict")
    return found[0]


def _refuse_still(state: OrderState) -> None:
    how = order_state(state.progress)
    if how in FINAL or how == "pendingCancellation":
        instead = "order a change of what is in service instead" if how in ("completed", "partial") else "order anew what is wanted"
        raise Refused(f"order {state.external_id} is {how}; {instead}", kind="conflict")
    if not state.planned:
        raise Refused(f"order {state.external_id} is not planned yet; correct it where it waits (`o2c fallout list`)", kind="conflict")


def _changed(before: str, paper: bytes | str | Mapping[str, Any], merge: bool) -> str:
    raw = paper if isinstance(paper, bytes) else (paper if isinstance(paper, str) else json.dumps(paper)).encode()
    try:
        document = parse(raw)
        return json.dumps(merged(parse(before.encode()), document) if merge else document)
    except Unreadable as error:
        raise Refused(f"the changed paper cannot be read: {error}") from None


def _read(paper: str, app: Engine) -> Wish:
    try:
        return read(paper.encode(), now=app.clock().now)
    except Unreadable as error:
        raise Refused(f"the changed paper cannot be read: {error}") from None


def _wished(state: OrderState, drafted: OrderState, in_force: tuple[Line, ...], before: Wish, after: Wish) -> OrderState:
    """The order as it is to be, before its plan. Raises Refused (usage)."""
    if (after.party, after.owner, after.external_id) != (before.party, before.owner, before.external_id):
        raise Refused(f"order {state.external_id}: another customer or another id is another order; cancel this one and send that")
    lines = laid_over(in_force, before.lines, after.lines)
    if other := other_product(state, lines):
        raise Refused(
            f"order {state.external_id}: item {other} names another product than before; take it out, and name that by another item"
        )
    own = {name: value for name in OF_ORDER if (value := getattr(after, name)) != getattr(before, name)}
    return changed(drafted, lines=lines, prices=(), records=state.records, **own)


def _refuse_lost(app: Engine, stream: str, state: OrderState, before: Wish, after: Wish, base_version: int) -> None:
    """Raise Lost for what others changed since, where the paper wishes it otherwise too."""
    own = {(one.line, one.attribute) for one in differences(before.lines, after.lines, ())}
    own |= {("", name) for name in OF_ORDER if getattr(before, name) != getattr(after, name)}
    lost = [row for row in _since(app, stream, state, base_version) if any(_same(mine, (row["item"], row["attribute"])) for mine in own)]
    if lost:
        named = ", ".join(
            dict.fromkeys(f"{row['attribute']} of item {row['item']}" if row["item"] else str(row["attribute"]) for row in lost)
        )
        why = f"order {state.external_id}: {named} was changed since version {base_version} by {lost[-1]['by']}; read it again and decide anew"
        raise Lost(why, lost=lost)


def _same(mine: Attribute, theirs: Attribute) -> bool:
    """Whether two changes are about the same: the same attribute of a line, a line as a whole, or what the order says for all of its
    lines."""
    if mine[1] == theirs[1]:
        return mine[0] == theirs[0] or not (mine[0] and theirs[0])
    return "line" in (mine[1], theirs[1]) and mine[0] == theirs[0]


def _since(app: Engine, stream: str, state: OrderState, version: int) -> Iterator[dict[str, Any]]:
    """What was changed of an order after a version of its stream, with who, when, through which channel, and how it stands now."""
    for fact in cast("Iterator[Fact]", app.events.get(stream, gt=version)):
        for line, attribute in _told(fact.event, state):
            yield {
                "item": line,
                "attribute": attribute,
                "by": fact.actor,
                "at": stamp(fact.occurred_at),
                "channel": fact.channel,
                "value_now": _value(state, line, attribute),
            }


def _told(event: Any, state: OrderState) -> Iterator[Attribute]:
    if isinstance(event, OrderRevised):
        yield from ((one.line, one.attribute) for one in event.changed)
    elif isinstance(event, CorrectionApplied) and event.item in state.items:
        yield from ((state.items[event.item].line, name) for name in event.corrected or event.changes)


def _value(state: OrderState, line: str, attribute: str) -> str | None:
    """How an attribute stands; None where it is personal, or no item is of the line any more."""
    item = next((item for item in state.items.values() if item.line == line), None)
    if item is None or attribute in HIDDEN:
        return None
    named = {"offering": item.offering, "account": item.account, "requested_start": item.start_on, "requested_completion": item.wished_on}
    return named.get(attribute, item.characteristics.get(attribute))
