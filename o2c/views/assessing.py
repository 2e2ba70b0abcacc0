"""What a change would take of an order in flight, before anybody decides it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from o2c.engine.app import Engine
from o2c.kernel.frozen import changed
from o2c.kernel.merging import merged
from o2c.kernel.refusal import Refused
from o2c.orders.assessing import Assessed, Difference, as_it_stands, assess, laid_over
from o2c.orders.changing import names_product, streams_named
from o2c.orders.document import Unreadable, parse, read
from o2c.orders.points_of_no_return import VERSION
from o2c.orders.rollup import FINAL, order_state
from o2c.orders.state import OrderState
from o2c.orders.validation import flaw
from o2c.orders.wish import CODE, NUMBER, Wish
from o2c.views.orders import find_order
from o2c.views.papers import ORIGINAL_OF_FIRST, before_plan
from o2c.views.shown import AssessedShown

HIDDEN = frozenset({"place", NUMBER, CODE})
"""Attributes whose values are personal: that they differ is told, and not how. So it is with what is not significant: it may say anything."""


def assess_change(app: Engine, name: str, paper: bytes | str | Mapping[str, Any], *, merge: bool = False) -> AssessedShown:
    """What it would take to make an order in flight the one of a changed paper: nothing is written.

    `paper` is the whole order as it is to be (TMF622), or with `merge` a merge patch on the paper that was captured (RFC 7396: a list takes the place
    of the whole list). The answer names what differs, whether each line can still be changed (free: nothing of it has begun; soft: work is taken back
    or done anew; hard: past its point of no return, which needs an order of its own), the work that this makes in its order, what it costs
    more (net, in minor units; less where negative), and the days promised before and after. What was corrected stays corrected. Prices are ours to say: those of
    the paper are not read. Raises Refused: missing (no such order), conflict (an order that is not planned or is over), usage (a paper
    that cannot be read or carried out, or names another customer or a product in service).
    """
    stream, state = find_order(app, name)
    _refuse_still(state)
    [row], in_force = app.reads.rows(ORIGINAL_OF_FIRST, stream), before_plan(app, stream)
    captured = str(row["original"])
    before, after = _read(captured, app), _read(_changed(captured, paper, merge), app)
    wished = _wished(state, in_force, before, after)
    products = {stream: loaded.state for stream, loaded in app.load(streams_named(wished.lines)).items()}
    rules, catalogue = app.book.market(state.market), app.book.catalogue(state.catalogue_version)
    if why := flaw(wished, party_known=True, catalogue=catalogue, market=rules, products=products):
        raise Refused(f"order {state.external_id}: as it is to be it could not be carried out: {why}")
    return _shown(state, assess(state, as_it_stands(state, in_force.lines), wished, app.clock().now, app.book))


def _refuse_still(state: OrderState) -> None:
    how = order_state(state.progress)
    if how in FINAL or how == "pendingCancellation":
        raise Refused(f"order {state.external_id} is {how}; order a change of what is in service instead", kind="conflict")
    if not state.planned:
        raise Refused(f"order {state.external_id} is not planned yet; correct it where it waits (`o2c fallout list`)", kind="conflict")


def _changed(captured: str, paper: bytes | str | Mapping[str, Any], merge: bool) -> str:
    raw = paper if isinstance(paper, bytes) else (paper if isinstance(paper, str) else json.dumps(paper)).encode()
    try:
        document = parse(raw)
        return json.dumps(merged(parse(captured.encode()), document) if merge else document)
    except Unreadable as error:
        raise Refused(f"the changed paper cannot be read: {error}") from None


def _read(paper: str, app: Engine) -> Wish:
    try:
        return read(paper.encode(), now=app.clock().now)
    except Unreadable as error:
        raise Refused(f"the changed paper cannot be read: {error}") from None


def _wished(state: OrderState, in_force: OrderState, before: Wish, after: Wish) -> OrderState:
    """The order as it is to be, before its plan. Raises Refused (usage)."""
    if (after.party, after.owner, after.external_id) != (before.party, before.owner, before.external_id):
        raise Refused(f"order {state.external_id}: another customer or another id is another order; cancel this one and send that")
    lines = laid_over(as_it_stands(state, in_force.lines), before.lines, after.lines)
    known = {line.item: line for line in in_force.lines}
    if other := [line.item for line in lines if names_product(line) and line != known.get(line.item)]:
        raise Refused(f"order {state.external_id}: item {other[0]} is about a product in service; change that by an order of its own")
    dates = {
        name: value for name in ("requested_start", "requested_completion") if (value := getattr(after, name)) != getattr(before, name)
    }
    account = {} if after.account == before.account else {"account": after.account}
    return changed(in_force, lines=lines, prices=(), records=state.records, **dates, **account)


def _shown(state: OrderState, found: Assessed) -> AssessedShown:
    return {
        "order": state.order_id,
        "external_id": state.external_id,
        "points_version": VERSION,
        "possible": all(verdict != "hard" for verdict, *_ in found.verdicts.values()),
        "diff": [
            {
                "item": one.line,
                "attribute": one.attribute,
                "from": one.before if _is_told(one) else None,
                "to": one.after if _is_told(one) else None,
                "significant": one.significant,
            }
            for one in found.differences
        ],
        "lines": [{"item": line, "verdict": verdict, "ponr": step, "why": why} for line, (verdict, step, why) in found.verdicts.items()],
        "plan": [{"item": one.item, "step": one.step, "action": one.action, "waits": list(one.waits)} for one in found.work],
        "price": {
            "currency": found.after.currency,
            "one_time_minor": _once(found.after) - _once(found.before),
            "recurring_minor": _recurring(found.after) - _recurring(found.before),
        },
        "dates": [
            {"item": item, "promised_before": state.items[item].promised_on if item in state.items else "", "promised_after": day}
            for item, day in found.promised.items()
        ],
    }


def _is_told(one: Difference) -> bool:
    return one.significant and one.attribute.partition("#")[0] not in HIDDEN


def _once(priced: Any) -> int:
    return int(priced.one_time_minor - priced.one_time_reduced_minor)


def _recurring(priced: Any) -> int:
    return sum(each.amount_minor - each.reduced_minor for each in priced.recurring)
