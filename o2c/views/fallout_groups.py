"""Groups of like fallouts: what stopped the same step for the same reason, so that it can be worked as one."""

from __future__ import annotations

from o2c.engine.app import Engine
from o2c.views.fallouts import filtered_by
from o2c.views.reading import Page, page_of
from o2c.views.shown import FalloutGroupShown
from projections import fallout


def list_groups(
    app: Engine, *, queue: str = "", reason: str = "", open_only: bool = False, limit: int | None = None
) -> Page[FalloutGroupShown]:
    """Groups of fallouts of one step, reason, partner's code, offering and plan version; those with most open ones first, then by money
    held up.

    `count` is of all there ever were (without filters the counts sum to all fallouts), `open` of the open ones. `first_at` and `last_at`
    are when the first and the last fell out, `trend_7d` how many did on each of the last seven days (UTC), the oldest first.
    `revenue_minor` is the price of what the open ones hold up, and empty like `currency` where they are of several currencies. `hours_lost`
    sums the hours of our own clock. `sample` is the oldest open one, or the oldest. The projections must be caught up. Raises Refused
    (usage) for a queue or reason that is none.
    """
    filtered_by(app, queue, reason)
    now = app.clock().now
    filters = {"queue": queue, "reason": reason, "open_only": open_only, "now": now, "today": now.date(), "limit": limit}
    page = page_of(app.reads.rows(fallout.GROUPED, **filters), "n")
    for place, row in enumerate(page):
        step = app.book.steps.get(row["step"])
        head = {name: row.pop(name) for name in ("group", "step", "reason", "partner_code")}
        page[place] = {**head, "partner": step.partner if step else "", **row}
    return page
