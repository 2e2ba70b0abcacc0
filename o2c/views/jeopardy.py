"""Which promises are in danger, and which orders without one: by what came of items of before whose steps were open as long, as near to
their day, and by how long steps take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, cast

from o2c.customers.agreements import Agreement, AgreementBook
from o2c.customers.care import market_of
from o2c.engine.app import Engine
from o2c.kernel.periods import local_date, local_time
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.views.care import agreed
from o2c.views.jeopardy_learnt import LEVELS, LIKE_MIN, Item, Learnt, damped
from o2c.views.jeopardy_scored import COHORTS, scored
from o2c.views.reading import Page, plain
from o2c.views.shown import JeopardyScoreShown, JeopardyShown
from projections import promises


def list_jeopardy(app: Engine, *, level: str = "", limit: int | None = None) -> Page[JeopardyShown]:
    """The open items that are in danger of missing the first day that they were promised, the worst first: `hazard` from a chance of 20 in
    a hundred on that they do, `critical` from 50 on; and so the orders as a whole (`item` empty) of which nothing open is promised, by the
    day on which what is agreed with the customer has them complete (`agreed_on`). Of a customer with an agreement of its own the earlier of
    both days counts. An order beyond its day never drops from sight.

    Learnt from items that are over: the share that was late of those whose same step was open about as long, as near to the end of their
    day (of an item that has not begun, a step of one that it relies on); of too few like it, by how long the step takes and what follows
    it, so that one which takes longer than it ever did is critical. A level counts once it held for six hours. `projected_on` is the day by
    which half of its like were complete (None: none that was so slow ever was). An item past its day is critical until it is over. Of
    programs and of tests of our own nothing is told, or learnt. With `level` those alone. The projections must be caught up. Raises
    Refused (usage) for a level that is none.
    """
    if level and level not in LEVELS:
        raise Refused(f"a danger is {', '.join(LEVELS)}, not {level}")
    now, told = app.clock().now, []
    for item, learnt in open_items(app):
        stands, chance = damped(learnt, item, now)
        if stands != "normal" and level in ("", stands):
            told.append(_told(item, stands, chance, learnt.projected(item, now), now))
    told.sort(key=lambda row: (list(LEVELS).index(row["level"]), row["lead_h"], row["order"], row["item"]))
    page: Page[JeopardyShown] = Page(cast("JeopardyShown", plain(row)) for row in told[:limit])
    page.more = len(told) - len(page)
    return page


def open_items(app: Engine) -> Iterator[tuple[Item, Learnt]]:
    """Every open item with a promise, and every open order of which nothing open is promised, by when the order was captured, with what
    came of those that are over."""
    items, book = items_of(app), agreed(app)(app.clock().now)
    learnt = Learnt([item for item in items if item.facts["over"]])
    for item in items:
        if not item.over and item.facts["state"] not in ("failed", "cancelled", "rejected"):
            yield _agreed_of_its_own(app, item, book), learnt
    if waiting := _whole_orders(app, book, is_open=True):
        # A gate is mostly passed at once: of a few that were, one that is not passed says nothing of a day weeks ahead.
        of_whole = Learnt(_whole_orders(app, book, is_open=False), least=LIKE_MIN)
        yield from ((item, of_whole) for item in waiting)


def _agreed_of_its_own(app: Engine, item: Item, book: AgreementBook) -> Item:
    """An item due by the day that its customer's own agreement says, where that is before the one promised."""
    market = app.book.market(item.facts["market"])
    if not (own := book.own_of(item.facts["customer"], market.code)):
        return item
    day, zone = _complete_on(book.own[own], market, item.captured_at)
    return replace(item, due=min(item.due, _end_of(day, zone)), facts={**item.facts, "agreed_on": day})


def _complete_on(agreement: Agreement, market: Market, captured_at: datetime) -> tuple[date, str]:
    """The day by which an agreement has an order complete, and the time zone of that day."""
    zone = market_of(agreement, market, captured_at.date()).zone
    return local_date(captured_at, zone) + timedelta(days=agreement.complete_within_days), zone


def _whole_orders(app: Engine, book: AgreementBook, *, is_open: bool) -> list[Item]:
    """Orders as a whole: the open ones of which nothing open is promised, or those that are over."""
    return [_whole(row, book, app.book.market(row["market"])) for row in app.reads.rows(promises.WITHOUT_A_PROMISE, open=is_open)]


def _whole(row: Mapping[str, Any], book: AgreementBook, market: Market) -> Item:
    reached = {name: datetime.fromisoformat(at) for name, at in row["reached"].items()}
    day, zone = _complete_on(book.of(row["customer_id"], row["tier"], market.code), market, row["captured_at"])
    return Item(
        order=row["order_id"],
        item="",
        captured_at=row["captured_at"],
        planned_at=row["captured_at"],
        promised_on=day,
        due=_end_of(day, zone),
        asked=_times(reached, ".requested"),
        done=_times(reached, ".done"),
        over=row["closed_at"] if row["state"] == "completed" else None,
        facts={
            "external_id": row["external_id"],
            "offering": "",
            "state": row["state"],
            "agreed_on": day,
            "over": row["closed_at"] is not None,
        },
    )


def _times(reached: Mapping[str, datetime], end: str) -> dict[str, datetime]:
    return {name.removesuffix(end): at for name, at in reached.items() if name.endswith(end)}


def _end_of(day: date, zone: str) -> datetime:
    return local_time(day + timedelta(days=1), 0, 0, zone)


def _told(item: Item, level: str, chance: float, projected: datetime | None, now: datetime) -> dict[str, Any]:
    return {
        "order": item.order,
        "external_id": item.facts["external_id"],
        "item": item.item,
        "offering": item.facts["offering"],
        "level": level,
        "chance": round(chance, 3),
        "promised_on": item.promised_on if item.item else None,
        "agreed_on": item.facts.get("agreed_on"),
        "projected_on": projected.date() if projected else None,
        "lead_h": round((item.due - now).total_seconds() / 3_600, 1),
        "open_steps": list(dict.fromkeys(step for step, _ in item.open_steps(now))),
    }


def score_jeopardy(app: Engine, *, by: str = "") -> list[JeopardyScoreShown]:
    """How good the levels are, on orders held back: learnt from two thirds of those that are over, the first captured, and told of the last
    third.

    Every six hours from the plan to the end of the day promised it is looked, with what was known then (but that a step done anew counts as
    open throughout). `predicted` items reached the level in time, `hit` of them were late; `recall` is of all that were `late`.
    `lead_h_p50` hours before the end of the day half of the hits were known. `baseline` tells by the age of the order alone, at that same
    lead, from the age that was best where it was learnt. `better` where the level's F1 is the higher. With `by` (market, step) the same for
    each cohort of the items held back, those with most that were late first: of a step all items that asked for it; what is learnt, but for
    the age, is learnt from all. The projections must be caught up. Raises Refused (usage) for a `by` that is none.
    """
    if by and by not in COHORTS:
        raise Refused(f"danger is scored by {' or '.join(COHORTS)}, not {by[:40]}")
    items = sorted((item for item in items_of(app) if item.facts["over"]), key=lambda item: (item.captured_at, item.order, item.item))
    return [cast("JeopardyScoreShown", row) for row in scored(items, by)]


def items_of(app: Engine) -> list[Item]:
    """Every item with a promise, by when its order was captured."""
    rows = app.reads.rows(promises.WITH_MILESTONES)
    alone = {(row["order_id"], row["item"]): _item(row) for row in rows}
    relies = {(row["order_id"], row["item"]): frozenset(row["relies_on"]) for row in rows}
    return [replace(item, beside=tuple(alone[base] for base in bases_of(place, relies) if base in alone)) for place, item in alone.items()]


def bases_of(place: tuple[str, str], relies: Mapping[tuple[str, str], frozenset[str]]) -> list[tuple[str, str]]:
    """The items of its order on which an item relies, and on which these do."""
    order, item = place
    found, left = {item}, {item}
    while left:
        new = relies.get((order, left.pop()), frozenset()) - found
        found |= new
        left |= new
    return [(order, base) for base in sorted(found - {item})]


def _item(row: Mapping[str, Any]) -> Item:
    reached = {name: datetime.fromisoformat(at) for name, at in row["reached"].items()}
    promised_on: date = row["first_promised_on"]
    ended = row["state"] in ("completed", "failed")
    facts = {
        **{name: row[name] for name in ("external_id", "offering", "state", "danger", "zone", "market")},
        "customer": row["customer_id"],
        "over": ended,
    }
    return Item(
        order=row["order_id"],
        item=row["item"],
        captured_at=reached["captured"],
        planned_at=reached.get("planned", reached["captured"]),
        promised_on=promised_on,
        due=_end_of(promised_on, row["zone"]),
        asked=_times(reached, ".requested"),
        done=_times(reached, ".done"),
        over=reached.get("completed") if row["state"] == "completed" else None,
        facts=facts,
    )
