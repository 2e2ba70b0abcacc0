"""Who orders waited for, how long and for which step, to the second; and how old what is open is beside how long what is over took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.markets.base import Market
from o2c.markets.hours import working_time
from o2c.markets.registry import HOME, MARKETS, market
from o2c.views.metrics import percentile
from o2c.views.order_page import STREAMS_OF_ORDER
from o2c.views.orders import find_order
from o2c.views.reading import Page, plain
from o2c.views.shown import AgeingShown, WaitingShown
from projections import captures, orders, waits
from projections.critical_path import WAITERS, Stretch, critical_path, waited_s, whole_s
from projections.engine.operations import as_of, horizon_mark

PERCENTS = (50, 85, 95)
COHORT_MIN = 20
"""From so many orders that are over a channel is a cohort of its own; a smaller one is told by all."""
TIME_OF_POSITION = "SELECT max(occurred_at) AS at FROM o2c.event WHERE position <= %s"
"""Until when things had happened, of the events up to a position: they are not in the order of business time. Parameter: the position."""
_COMPLETED = ("order.completed", "order.partially-completed")


def waiting_times(
    app: Engine,
    *,
    order: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    at: datetime | None = None,
    known_at: int | None = None,
    limit: int | None = None,
) -> Page[WaitingShown]:
    """Who each order waited for, in seconds from its capture to its end or until now, the longest first; the parts sum to `cycle_s`
    exactly.

    Where several things were waited for at once it is the one that the end really waited for (docs/decisions/0052). `working_us_s` is what
    of `us_s` lies in the market's office hours. Of an `order`, or of those captured from `since` on and before `until`; as of a time
    (`at`), or of the events up to a position (`known_at`). Those of programs and of tests of our own are left out where no `order` is
    named. The projections must be caught up. Raises Refused: missing (no such order), usage (a time to come).
    """
    rows, end = _rows(app, order, since, until, at, known_at)
    told = sorted((_told(row, end) for row in rows), key=lambda row: (-row["cycle_s"], row["order"]))
    page: Page[WaitingShown] = Page(cast("WaitingShown", plain(row)) for row in told[:limit])
    page.more = len(told) - len(page)
    return page


def _rows(
    app: Engine, order: str, since: datetime | None, until: datetime | None, at: datetime | None, known_at: int | None
) -> tuple[Sequence[Mapping[str, Any]], datetime]:
    """The rows of the projection, and the time up to which open orders have waited."""
    now = app.clock().now
    ids = [find_order(app, order)[0].removeprefix("order-")] if order else []
    if at is None and known_at is None:
        return app.reads.rows(waits.WAITED, orders=ids, since=since, until=until), now
    if at is not None and at > now:
        raise Refused(f"{plain(at)} is still to come: the clock stands at {plain(now)}; give a time up to then")
    if known_at is not None and known_at > (last := horizon_mark(app.dsn).position):
        raise Refused(f"position {known_at} is not reached: the log ends at {last}; give one up to there")
    end = at or now
    if known_at is not None and (found := app.reads.rows(TIME_OF_POSITION, known_at)):
        end = min(end, found[0]["at"] or end)
    streams = [row["stream"] for row in app.reads.rows(STREAMS_OF_ORDER, *ids)] if ids else None
    folded = [_timed(row) for row in as_of(app.dsn, waits.WAITS, known_at, at, streams)]
    apart = set() if ids else {row["order_id"] for row in app.reads.rows(captures.ALL_APART)}
    return [row for row in folded if row["order_id"] not in apart and _wanted(row, ids, since, until)], end


def _wanted(row: Mapping[str, Any], ids: Sequence[str], since: datetime | None, until: datetime | None) -> bool:
    captured_at: datetime = row["captured_at"]
    return (not ids or row["order_id"] in ids) and (since is None or captured_at >= since) and (until is None or captured_at < until)


def _timed(row: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: datetime.fromisoformat(row[name]) if row[name] else None for name in ("captured_at", "closed_at")}
    return {**row, **times}


def path_of(row: Mapping[str, Any], end: datetime) -> list[Stretch]:
    """What an order waited for, the first first: to its end, or until a time where it is open."""
    if row["closed_at"]:
        return [Stretch(_time(begun), _time(ended), who, place) for begun, ended, who, place in row["spans"]]
    return critical_path(row["steps"], row["captured_at"], end)


def _told(row: Mapping[str, Any], end: datetime) -> dict[str, Any]:
    path = path_of(row, end)
    sums = waited_s(path)
    last = path[-1] if path and not row["closed_at"] else None
    return {
        "order": row["order_id"],
        "external_id": row["external_id"],
        "channel": row["channel"],
        "captured_at": row["captured_at"],
        "closed_at": row["closed_at"],
        "cycle_s": whole_s(path[0].begun, path[-1].ended) if path else 0,
        **{f"{who}_s": sums[who] for who in WAITERS},
        "working_us_s": working_s(path, _market(row)),
        "waits_for": last.who if last else None,
        "waits_on": last.place.strip("/") if last else None,
        "waits_since": last.begun if last else None,
    }


def working_s(path: Sequence[Stretch], of: Market) -> int:
    """How many seconds of those in which we were waited for lie in the market's office hours; each bound is cut to its second, as in
    `us_s`: no more are worked than waited."""
    ours = (working_time(of, part.begun.replace(microsecond=0), part.ended.replace(microsecond=0)) for part in path if part.who == "us")
    return int(sum(ours, timedelta()).total_seconds())


def _market(row: Mapping[str, Any]) -> Market:
    return market(row["market"]) or MARKETS[HOME][-1]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def work_in_progress(app: Engine, *, limit: int | None = None) -> AgeingShown:
    """How old the open orders are, the oldest first, beside how long those took that completed: nothing open drops from sight.

    `band` says where an order is among the `count` completed ones of its channel, or of all where its channel has too few (`cohort`):
    `under p50`, `p50 to p85`, `p85 to p95`, `over p95`, or `beyond all` that was ever completed. Percentiles are of all, by the nearest
    rank; None of none. Completed orders alone flatter, as the slow ones are not over yet: hence the two beside one another. The projections
    must be caught up.
    """
    took = app.reads.rows(captures.DURATIONS, since=None, until=None)
    ranked = _ranked(took)
    open_ones = [_told(row, app.clock().now) for row in app.reads.rows(waits.OPEN)]
    open_ones.sort(key=lambda row: (-row["cycle_s"], row["order"]))
    states = {row["order"]: row["state"] for row in app.reads.rows(orders.LISTED_BY_ID, [row["order"] for row in open_ones])}
    aged = [_aged(row, ranked, states) for row in open_ones]
    told = {f"p{percent}_s": percentile(ranked["*"], percent) for percent in PERCENTS}
    longest = max(ranked["*"], default=None)
    bands = {band: sum(row["band"] == band for row in aged) for band in BANDS}
    found = {"count": len(took), **told, "longest_s": longest, "open": len(aged), "bands": bands, "orders": plain(aged[:limit])}
    return cast("AgeingShown", found)


BANDS = ("under p50", "p50 to p85", "p85 to p95", "over p95", "beyond all")


def _ranked(took: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """How long orders took, by channel and of all (`*`), in order."""
    found: dict[str, list[float]] = {"*": sorted(float(row["seconds"]) for row in took)}
    for row in took:
        found.setdefault(row["channel"], []).append(float(row["seconds"]))
    return {channel: sorted(seconds) for channel, seconds in found.items() if channel == "*" or len(seconds) >= COHORT_MIN}


def _aged(row: Mapping[str, Any], ranked: Mapping[str, Sequence[float]], states: Mapping[str, str]) -> dict[str, Any]:
    cohort = row["channel"] if row["channel"] in ranked else "*"
    names = ("order", "external_id", "channel", "captured_at", "waits_for", "waits_on", "waits_since")
    age_s = row["cycle_s"]
    return {
        **{name: row[name] for name in names},
        "state": states.get(row["order"], ""),
        "age_s": age_s,
        "cohort": cohort,
        "band": band_of(age_s, ranked[cohort]),
    }


def band_of(age_s: float, took: Sequence[float]) -> str:
    """Where an age is among how long others took. Beyond all of none is nothing: with none to compare it is `under p50`."""
    if not took:
        return BANDS[0]
    bounds = [percentile(took, percent) or 0.0 for percent in PERCENTS] + [max(took)]
    return BANDS[sum(age_s > bound for bound in bounds)]
