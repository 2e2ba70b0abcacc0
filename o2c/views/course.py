"""How orders and fallouts come and go: by day, how far orders came, how long they took, and the orders behind a figure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import cast

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.figures import Facts, deeds_of
from o2c.views.metrics import METRICS, percentile
from o2c.views.reading import Page, plain
from o2c.views.shown import AgeShown, CountedOrderShown, DayShown, DurationsShown, StageShown
from o2c.views.status import now_of
from projections import captures, fallout, milestones, orders

PERCENTS = (50, 85, 95)


def daily_flow(app: Engine, *, since: datetime | None = None, until: datetime | None = None) -> list[DayShown]:
    """For each day (UTC) on which anything came or went: orders captured and ended, fallouts `opened` and `closed`, the first day first.

    Of what happened from `since` on and before `until`. The projections must be caught up.
    """
    return [plain(row) for row in app.reads.rows(captures.FLOW, since=since, until=until)]


def order_funnel(app: Engine, *, since: datetime | None = None, until: datetime | None = None) -> list[StageShown]:
    """How far the orders came that were captured from `since` on and before `until`: by stage how many `reached` it.

    `fell_out` counts those with a fallout on the way to it, then or later, and `open` those of them with one that is open. A fallout of an
    item counts on the way to the end. The projections must be caught up.
    """
    return [plain(row) for row in app.reads.rows(milestones.FUNNEL, since=since, until=until)]


def order_durations(
    app: Engine, *, since: datetime | None = None, until: datetime | None = None, limit: int | None = None
) -> DurationsShown:
    """How long orders took that were captured from `since` on and before `until` and completed, whole or in part: `orders`, the slowest
    first.

    `seconds` run from capture to end; of `count` orders `p50_s`, `p85_s` and `p95_s` are the times that so many in a hundred do not exceed
    (nearest rank; None of none). The percentiles are of all, the list has at most `limit`. The projections must be caught up.
    """
    rows = app.reads.rows(captures.DURATIONS, since=since, until=until)
    seconds = [float(row["seconds"]) for row in rows]
    told = {f"p{percent}_s": percentile(seconds, percent) for percent in PERCENTS}
    return cast("DurationsShown", {"count": len(rows), **told, "orders": [plain(row) for row in rows[:limit]]})


def fallout_ages(app: Engine) -> list[AgeShown]:
    """How many of the fallouts that are open now are of which age by the store's clock, the youngest first; each is of one age.

    One that falls out at a time to come, as a paper taken in before its day may have it, is of none yet. The projections must be caught up.
    """
    words, ends = [word for word, _ in fallout.AGES], [end for _, end in fallout.AGES]
    rows = app.reads.rows(fallout.AGED, now=now_of(app), words=words, least=[0, *ends[:-1]], most=ends)
    return [plain(row) for row in rows]


def orders_of_metric(
    app: Engine, name: str, *, since: datetime | None = None, until: datetime | None = None, limit: int | None = None
) -> Page[CountedOrderShown]:
    """The orders that a figure is counted from, by capture time: those that the events of its numerator are about, and how many of these
    (`counts`).

    What is of no order (an invoice's fallout) is of none of them. The projections must be caught up. Raises Refused: missing (no such
    figure).
    """
    metric = METRICS.get(name)
    if metric is None:
        raise Refused(f"there is no metric {name}; see `o2c metrics list`", kind="missing")
    facts = Facts(app, since, until)
    order_of = _order_of(facts)
    counts = Counter(order for each in metric.numerator(facts) if (order := order_of.get(each.event)))
    rows = app.reads.rows(orders.LISTED_BY_ID, list(counts))
    page: Page[CountedOrderShown] = Page(plain({**row, "counts": counts[row["order"]]}) for row in rows[:limit])
    page.more = len(rows) - len(page)
    return page


def _order_of(facts: Facts) -> dict[str, str]:
    """By event the order that it is about, for every event that a figure counts."""
    found: dict[str, str] = {}
    for order in facts.orders:
        found |= {event: order["order_id"] for event in (order["captured_event"], order["ended_event"]) if event}
    for row in facts.all_fallouts:
        if row["order_id"]:
            events = (row["opened_event"], row["closed_event"], *(deed["event"] for deed in deeds_of(row)))
            found |= {event: row["order_id"] for event in events if event}
    return found
