"""The overview of a supervisor and the figures of an analyst: each figure opens its definition, and what it is counted from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.frame import Asked, Page, router
from o2c.views.reading import time_of

pages = router()
TABLES = {"cycle-times": "metrics.cycle-time", "promises": "metrics.promises"}
WAITERS = ("us", "channel", "customer", "partner", "regulator")
ROWS_MAX = 50
"""So many orders stand in a table, the longest; the page says of how many."""
POINTS_MAX = 2_000
"""So many orders are drawn as points, the slowest; the page says of how many."""


@pages.get("/overview")
def overview(page: Asked) -> Response:
    """The figures of all there is, how old the open work is, and what it costs by reason."""
    *told, spent = page.ask("metrics.headlines")
    partners = page.ask("partners.status") if page.may("partners.status") else []
    return page.shown("overview.html", told=told, store=page.ask("status"), cost=_largest(spent), partners=partners, **_course(page))


def _course(page: Page) -> dict[str, Any]:
    """How orders and fallouts came and went, how far orders came, and how long they took."""
    took = page.ask("metrics.durations", limit=POINTS_MAX)
    ends = [datetime.fromisoformat(row["ended_at"]).timestamp() for row in took["orders"]]
    first, whole = min(ends, default=0.0), max(ends, default=0.0) - min(ends, default=0.0)
    # Those that ended at one moment stand in the middle, not on the axis.
    points = [((end - first) / whole if whole else 0.5, row["seconds"] / 3_600) for end, row in zip(ends, took["orders"], strict=True)]
    marks = [(f"{percent} %", took[f"p{percent}_s"] / 3_600) for percent in (50, 85, 95) if took[f"p{percent}_s"] is not None]
    ages = page.ask("metrics.ages")
    return {
        "ages": ages,
        "flow": page.ask("metrics.flow"),
        "funnel": page.ask("metrics.funnel"),
        "took": {**took, "points": points, "marks": marks},
    }


def _largest(spent: dict[str, Any]) -> list[dict[str, Any]]:
    """What reasons cost, the largest first; nothing where the money is of several currencies, which no one bar can tell."""
    rows = spent["rows"] if spent["by"] == "reason" else []
    return sorted((row for row in rows if row["value"]), key=lambda row: -float(row["value"]))


@pages.get("/figures")
def every(page: Asked) -> Response:
    """Every figure with what it means."""
    return page.shown("figures.html", rows=page.ask("metrics.list"))


@pages.get("/waiting")
def waiting(page: Asked) -> Response:
    """Who orders waited for, how old open ones are beside those that completed, what became of promises, and when queues clear."""
    ageing = page.ask("metrics.ageing", limit=ROWS_MAX)
    waited = page.ask("metrics.waiting")
    sums = {who: sum(row[f"{who}_s"] for row in waited) for who in WAITERS}
    parts = [{"who": who, "hours": round(seconds / 3_600, 1)} for who, seconds in sums.items()]
    counts, queues = page.ask("promises.count"), page.ask("queues.forecast")
    return page.shown(
        "waiting.html",
        ageing=ageing,
        waited=waited[:ROWS_MAX],
        many=len(waited),
        parts=parts,
        counts=counts,
        queues=queues,
    )


@pages.get("/figures/{name}")
def one(page: Asked, name: str, by: str = "", since: str = "", until: str = "") -> Response:
    """A figure: its definition, its value, by a dimension where one is asked for, and the orders that it is counted from."""
    window: dict[str, Any] = {"since": _time(since), "until": _time(until)}
    found = page.ask("metrics.explain", name, by=by, **window)
    [metric] = [row for row in page.ask("metrics.list") if row["name"] == name]
    orders = page.ask("metrics.orders", name, **window, limit=200)
    return page.shown("figure.html", found=found, metric=metric, by=by, since=since, until=until, orders=orders)


def _time(text: str) -> datetime | None:
    return time_of(text) if text else None


@pages.get("/tables/{name}")
def table(page: Asked, name: str) -> Response:
    """Cycle times, or promises kept and broken, by cohort."""
    if name not in TABLES:
        raise Refused(f"there is no table {name}; there are {' and '.join(TABLES)}", kind="missing")
    return page.shown("table.html", title=name.replace("-", " ").capitalize(), rows=page.ask(TABLES[name]))


@pages.get("/partners")
def partners(page: Asked) -> Response:
    """Which partners are up, down or draining."""
    return page.shown("partners.html", rows=page.ask("partners.status"))
