"""The store in numbers, each of which can be recomputed from the log."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from o2c.engine.app import Engine
from o2c.kernel.periods import stamp
from o2c.views.reading import plain
from o2c.views.shown import CycleTimeShown, PromisesKeptShown, StoreShown
from projections import fallout, intakes, invoices, items, milestones, orders, promises, stock

LOG_SIZE = "SELECT count(*) AS events, coalesce(max(position), 0) AS position FROM o2c.event"
"""How many events the log holds, and the position of the last. No parameters."""

LOG_SIZE_FOR_READERS = "SELECT count(*) AS events, coalesce(max(position), 0) AS position FROM o2c.analyst_event"
"""The same for a login that does not see the log itself. No parameters."""


def cycle_times(app: Engine) -> list[CycleTimeShown]:
    """How long orders take: percentiles of the seconds between milestones, by channel and offering; `*` stands for all of them.

    The projections must be caught up.
    """
    rows = app.reads.rows(milestones.CYCLE_TIMES)
    return [plain({**row, "from_words": milestone_in_words(row["from"]), "to_words": milestone_in_words(row["to"])}) for row in rows]


def promises_kept(app: Engine) -> list[PromisesKeptShown]:
    """Promises kept and broken, against the day promised first and the day as last revised, by offering and by cause; `*` stands for all.

    The cause is the step from which the first revision came, with the reason of its fallout (empty: it took longer without one). Items that
    are open count as promised only. The projections must be caught up.
    """
    return [plain(row) for row in app.reads.rows(promises.KEEPING)]


_WHOLE = {"captured": "order captured", "planned": "order planned", "closed": "order closed", "completed": "item completed"}


def milestone_in_words(milestone: str) -> str:
    """A milestone as people call it: `sim.requested` is "sim asked for"."""
    step, _, reached = milestone.partition(".")
    return _WHOLE.get(milestone) or f"{step.replace('-', ' ')} {'asked for' if reached == 'requested' else reached}"


def _counts(app: Engine, sql: str, *parameters: object) -> dict[str, int]:
    return {row["key"]: row["n"] for row in app.reads.rows(sql, *parameters)}


def show_status(app: Engine) -> StoreShown:
    """The whole store in numbers; every one can be recomputed from the log."""
    [log] = app.reads.rows(LOG_SIZE if app.sees_log else LOG_SIZE_FOR_READERS)
    [ingest] = app.reads.rows(intakes.SUMS)
    clock = app.clock()
    by_state = _counts(app, fallout.COUNT_BY_STATE)
    [invoiced] = app.reads.rows(invoices.COUNTS)
    shown = {
        "events": log["events"],
        "position": str(log["position"]),
        "clock": {"kind": clock.kind, "now": stamp(clock.now)},
        "ingest": ingest,
        "orders": _counts(app, orders.COUNT_BY_STATE),
        "items": _counts(app, items.COUNT_BY_STATE),
        "fallouts": {
            "open": by_state.get("open", 0),
            "closed": by_state.get("closed", 0),
            "by_reason": _counts(app, fallout.COUNT_BY_REASON),
            "open_by_reason": _counts(app, fallout.OPEN_BY_REASON),
        },
        "invoices": invoiced,
        "money": {row.pop("currency"): row for row in app.reads.rows(invoices.SUMS_BY_CURRENCY)},
        "stock": {f"{kind}s": _counts(app, stock.COUNT_BY_STATE, kind) for kind in ("sim", "number", "device")},
    }
    return cast("StoreShown", shown)


_BILLED = """SELECT EXISTS (SELECT FROM o2c.agenda a WHERE a.step = 'bill-run'
    AND (SELECT count(*) FROM o2c.event e WHERE e.stream = a.stream AND e.type = 'account.billed') < %s) AS short,
    EXISTS (SELECT FROM o2c.event WHERE type = 'account.billed') AS begun"""
"""Whether some account that waits for a bill run has had fewer than so many, and whether any was billed at all. Parameter: how many bill
runs."""


def all_billed(app: Engine, runs: int) -> bool:
    """Whether every account with anything to charge has had at least so many bill runs; False before the first."""
    [row] = app.reads.rows(_BILLED, runs)
    return bool(row["begun"]) and not row["short"]


def now_of(app: Engine) -> datetime:
    """What time it is in the store, which may be simulated: ages and times to come are told by it."""
    return app.clock().now
