"""Versions of the price list side by side, and one that is not loaded yet tried on the orders that came."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from o2c.catalogue.events import OfferingPrice, OfferingPublished
from o2c.catalogue.rules import in_force, publish
from o2c.catalogue.state import STREAM, CatalogueState, evolve, stage
from o2c.engine.app import Engine
from o2c.kernel.frozen import changed
from o2c.kernel.periods import local_date, parse_time
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.markets.registry import HOME
from o2c.orders.document import Unreadable, strict_json
from o2c.orders.event_parts import HeldProduct
from o2c.orders.pricing import Total, priced, totals
from o2c.orders.state import OrderState
from o2c.orders.validation import flaw, flaw_by
from o2c.orders.vouchers import held_by
from o2c.orders.wish import resolved
from o2c.plan import SPECIFICATIONS
from o2c.views.papers import before_plan
from o2c.views.shown import DryRunShown, OfferingChangeShown
from o2c.views.zones import market_priced
from projections import orders

PAGE_ORDERS = 500
LOOKED_BACK = timedelta(days=31)
_FIELDS = (
    "version", "status", "specification", "bundle", "sellable", "valid_from", "valid_to", "market", "currency", "characteristics", "optional", "defaults", "requires",
)  # fmt: skip
_NO_TOTALS: Mapping[str, Total] = {}


def diff_catalogue(app: Engine, a: int, b: int = 0) -> list[OfferingChangeShown]:
    """What differs between two versions of the catalogue, offering by offering and price by price; `b` 0 is the version of now.

    A version is that of the catalogue's stream, which orders pin. A price is known by its kind, its period and the start of its validity;
    amounts are net, in minor units. A draft of an offering that is on sale is compared with the draft of before. Raises Refused (missing)
    for a version that there is not.
    """
    last = app.load_one(STREAM).version
    for version in (a, b or last):
        if not 0 <= version <= last:
            raise Refused(f"there is no version {version} of the catalogue; the last is {last}", kind="missing")
    before, after = (_standing(app.book.catalogue(version)) for version in (a, b or last))
    rows = (row for key in sorted(before.keys() | after.keys()) for row in _changes(key[0], before.get(key), after.get(key)))
    return cast("list[OfferingChangeShown]", list(rows))


def _standing(state: CatalogueState) -> dict[tuple[str, str], OfferingPublished]:
    """The offerings of a version, and the drafts beside them."""
    return {(name, ""): each for name, each in state.offerings.items()} | {(name, "draft"): each for name, each in state.drafts.items()}


def _changes(name: str, before: OfferingPublished | None, after: OfferingPublished | None) -> Iterator[dict[str, Any]]:
    either = after or before
    assert either is not None
    of = {"offering": name, "stage": stage(either), "currency": either.currency}
    none = {"was": "", "now": "", "before_minor": None, "after_minor": None}
    if before is None or after is None:
        yield {**of, "what": "offering", "change": "added" if before is None else "removed", **none}
    else:
        for field in _FIELDS:
            was, now = getattr(before, field), getattr(after, field)
            if was != now:
                yield {**of, "what": field.replace("_", " "), "change": "changed", **none, "was": _told(was), "now": _told(now)}
    prices = [{_price_name(price): price for price in each.prices} if each else {} for each in (before, after)]
    for key in sorted(prices[0].keys() | prices[1].keys()):
        was, now = prices[0].get(key), prices[1].get(key)
        if was != now:
            yield {**of, "what": key, **none, **_price_change(was, now)}


def _price_name(price: OfferingPrice) -> str:
    if priced := price.usage or price.allowance:
        return f"{price.kind} {priced.name}"
    since = f" from {price.valid_from.removesuffix('T00:00:00Z')}" if price.valid_from else ""
    return f"{price.kind}{f' {price.recurrence.words}' if price.kind == 'recurring' else ''}{since}"


def _price_change(was: OfferingPrice | None, now: OfferingPrice | None) -> dict[str, Any]:
    told = [_terms(each) if each else "" for each in (was, now)]
    return {
        "change": "added" if was is None else "removed" if now is None else "changed",
        "was": told[0],
        "now": told[1],
        "before_minor": was.amount_minor if was else None,
        "after_minor": now.amount_minor if now else None,
    }


def _terms(price: OfferingPrice) -> str:
    """What of a price its name and amount do not say."""
    priced = price.usage or price.allowance
    of_usage = f"{json.dumps(priced.model_dump(mode='json', exclude_defaults=True))}, " if priced else ""
    return f"{of_usage}{price.tax_group}{f' until {price.valid_to}' if price.valid_to else ''}"


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_told(each)}" for name, each in sorted(value.items()))
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def dry_run(app: Engine, offerings: str, *, since: datetime | None = None, on: datetime | None = None, market: str = HOME) -> DryRunShown:
    """Try a price list that is not loaded (the text of a TMF620 list) on the orders captured from a time on, by default of the last 31
    days: which would have been priced otherwise, and which would have fallen out. Nothing is written.

    Each order is judged and priced twice by the rules as they are, with what was corrected before it was planned: by the catalogue that it
    pinned, and by the same one with what the list changes of today's. Drafts count as on sale, and what the list changes counts as it
    stands at `on` (by default now, or when the last of its validities begins), whatever the day of the order. Sums are net, in minor units:
    of what recurs by period, once for each.

    The projections must be caught up. Raises Refused (usage) for a text of another shape, and for an offering that `catalogue load` would
    refuse.
    """
    state, now = app.load_one(STREAM).state, app.clock().now  # first: who does not see the log is told so
    changes = _changed(state, offerings, market_priced(app, market, now.date()), now)
    begin = [parse_time(text) for each in changes for text in (each.valid_from, *(price.valid_from for price in each.prices)) if text]
    at = on or max([now, *begin])
    tried = {
        each.offering: in_force(each.model_copy(update={"status": "Active"}) if stage(each) == "draft" else each, at) for each in changes
    }
    counted, rows, sums = 0, list[dict[str, Any]](), dict[str, list[int]]()
    for row in _orders(app, since or now - LOOKED_BACK):
        counted += 1
        state = before_plan(app, f"order-{row['order']}")
        if (came := _came(app, state, tried, sums)) is not None:
            rows.append({"order": row["order"], "external_id": row["external_id"], **came})
    counts = {word: sum(row["came_out"] == word for row in rows) for word in ("priced otherwise", "falls out", "goes through")}
    return {
        "offerings_changed": len(tried),
        "on": at.isoformat(),
        "orders": counted,
        "priced_otherwise": counts["priced otherwise"],
        "fall_out": counts["falls out"],
        "go_through": counts["goes through"],
        "sums": [
            {"charged": key.partition("/")[2], "currency": key.partition("/")[0], "before_minor": was, "after_minor": is_, "difference_minor": is_ - was}
            for key, (was, is_) in sorted(sums.items())
        ],
        "items": cast("Any", rows),
    }  # fmt: skip


def _changed(state: CatalogueState, text: str, rules: Market, now: datetime) -> list[OfferingPublished]:
    """What loading a list would publish over the catalogue of today."""
    try:
        documents = strict_json(text.encode())
    except (Unreadable, UnicodeEncodeError) as error:
        raise Refused(f"the price list is no list of TMF620 offerings: {error}") from None
    if not isinstance(documents, list) or not documents or not all(isinstance(each, dict) for each in documents):
        raise Refused("the price list is no list of TMF620 offerings")
    events = list[OfferingPublished]()
    for document in documents:
        for event in publish(state, document=document, market=rules, on=local_date(now, rules.zone), specifications=SPECIFICATIONS):
            state = evolve(state, event)
            events.append(event)
    return events


def _orders(app: Engine, since: datetime) -> Iterator[dict[str, Any]]:
    after = (since, "")
    while page := app.reads.rows(orders.CAPTURED_FROM, *after, PAGE_ORDERS):
        yield from page
        after = (page[-1]["captured_at"], page[-1]["order"])


def _came(app: Engine, state: OrderState, tried: Mapping[str, OfferingPublished], sums: dict[str, list[int]]) -> dict[str, Any] | None:
    """How an order would have come out; None where that is as it did. What it costs both times is added to the sums where both times it
    goes through."""
    if known := [HeldProduct.model_validate(one) for one in state.record("", "validation").outcome.get("products", ())]:
        state = changed(state, lines=tuple(resolved(state.lines, {one.line: one for one in known})))
    if not any(line.offering in tried for line in state.lines):
        return None
    pinned = app.book.catalogue(state.catalogue_version)
    other = replace(pinned, offerings={**pinned.offerings, **tried})
    rules = app.book.market(state.market)
    judge = flaw_by if known or held_by(state) else partial(flaw, party_known=True)
    flaws = [judge(state, catalogue=each, market=rules) for each in (pinned, other)]
    assert state.captured_at is not None
    costs = [
        _NO_TOTALS if why else totals(priced(state.lines, each, state.captured_at))
        for each, why in zip((pinned, other), flaws, strict=True)
    ]
    before, after = ({name: total.net_minor for name, total in each.items()} for each in costs)
    told = {"before": before, "after": after, "currency": rules.currency}
    if all(flaws):
        return None
    if any(flaws):
        return {"came_out": "falls out" if flaws[1] else "goes through", "why": flaws[1] or flaws[0], **told}
    for name in before.keys() | after.keys():
        pair = sums.setdefault(f"{rules.currency}/{name}", [0, 0])
        pair[0] += before.get(name, 0)
        pair[1] += after.get(name, 0)
    return {"came_out": "priced otherwise", "why": "", **told} if before != after else None
