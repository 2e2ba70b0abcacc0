"""The store in numbers, each of which can be recomputed from the log."""

from __future__ import annotations

from typing import Any

from o2c.engine.app import Engine
from o2c.kernel.periods import stamp
from o2c.views.reading import Rows, plain


def cycle_times(app: Engine) -> Rows:
    return [plain(row) for row in app.reads.rows("SELECT * FROM projection.cycle_time")]


def _counts(app: Engine, sql: str) -> dict[str, int]:
    return {row["key"]: row["n"] for row in app.reads.rows(sql)}


def show_status(app: Engine) -> dict[str, Any]:
    """The whole store in numbers; every one can be recomputed from the log."""
    [log] = app.reads.rows("SELECT count(*) AS events, coalesce(max(position), 0) AS position FROM o2c.event")
    [intake] = app.reads.rows(
        "SELECT coalesce(sum(lines), 0)::bigint AS lines, coalesce(sum(captured), 0)::bigint AS captured, coalesce(sum(duplicates), 0)::bigint"
        " AS duplicates, coalesce(sum(resubmitted), 0)::bigint AS resubmitted, coalesce(sum(refused), 0)::bigint AS refused FROM projection.intakes"
    )
    clock = app.clock()
    by_state = _counts(app, "SELECT state AS key, count(*) AS n FROM projection.fallout GROUP BY 1")
    [invoices] = app.reads.rows(
        "SELECT count(*) AS issued, count(*) FILTER (WHERE state = 'paid') AS paid, count(*) FILTER (WHERE state = 'overdue') AS overdue"
        " FROM projection.invoices"
    )
    money = app.reads.rows(
        "SELECT currency, sum(total_minor)::bigint AS invoiced_minor, sum(paid_minor)::bigint AS paid_minor FROM projection.invoices GROUP BY 1"
    )
    stock = {
        f"{kind}s": _counts(app, f"SELECT state AS key, count(*) AS n FROM projection.stock WHERE kind = '{kind}' GROUP BY 1 ORDER BY 1")
        for kind in ("sim", "number")
    }
    return {
        "events": log["events"],
        "position": str(log["position"]),
        "clock": {"kind": clock.kind, "now": stamp(clock.now)},
        "ingest": intake,
        "orders": _counts(app, "SELECT state AS key, count(*) AS n FROM projection.orders GROUP BY 1 ORDER BY 1"),
        "items": _counts(app, "SELECT state AS key, count(*) AS n FROM projection.items GROUP BY 1 ORDER BY 1"),
        "fallouts": {
            "open": by_state.get("open", 0),
            "closed": by_state.get("closed", 0),
            "by_reason": _counts(app, "SELECT reason AS key, count(*) AS n FROM projection.fallout GROUP BY 1 ORDER BY 1"),
            "open_by_reason": _counts(
                app, "SELECT reason AS key, count(*) AS n FROM projection.fallout WHERE state = 'open' GROUP BY 1 ORDER BY 1"
            ),
        },
        "invoices": invoices,
        "money": {row.pop("currency"): row for row in money},
        "stock": stock,
    }


_BILLED = """SELECT EXISTS (SELECT FROM o2c.agenda a WHERE a.step = 'bill-run'
    AND (SELECT count(*) FROM o2c.event e WHERE e.stream = a.stream AND e.type = 'account.billed') < %s) AS short,
    EXISTS (SELECT FROM o2c.event WHERE type = 'account.billed') AS begun"""
"""Whether some account that waits for a bill run has had fewer than so many, and whether any was billed at all. Parameter: how many bill runs."""


def all_billed(app: Engine, runs: int) -> bool:
    """Whether every account with anything to charge has had at least so many bill runs; False before the first."""
    [row] = app.reads.rows(_BILLED, runs)
    return bool(row["begun"]) and not row["short"]
