"""The fallout queue: open fallouts, or one with everything known of it."""

from __future__ import annotations

from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.reasons import REASONS
from o2c.kernel.refusal import Refused
from o2c.views.reading import Rows, plain
from projections import fallout

REASON_CODES = tuple(REASONS)
"""The codes that say why a step could not go on by itself."""
QUEUES = tuple(sorted({reason.queue for reason in REASONS.values()}))
"""The queues in which people find fallouts."""


def list_fallouts(app: Engine, *, queue: str = "", reason: str = "", order: str = "", everything: bool = False) -> Rows:
    """Open fallouts (or all), oldest first."""
    found = [plain(row) for row in app.reads.rows(fallout.LISTED, everything, queue, queue, reason, reason, order, order)]
    return found if everything else [{key: value for key, value in row.items() if key not in ("state", "closed_at")} for row in found]


def show_fallout(app: Engine, name: str) -> dict[str, Any]:
    """One fallout with everything known of it. Raises Refused (missing)."""
    found = app.reads.rows(fallout.ROW_OF_FALLOUT, name)
    if not found:
        raise Refused(f"no fallout {name}; see `o2c fallout list`", kind="missing")
    row = found[0]
    row.pop("group_key", None)
    return cast("dict[str, Any]", plain({**row, "class": row["class"], "order": row.pop("order_id")}))


def fallouts_by_reason(app: Engine) -> Rows:
    """How many fallouts there ever were, and how many are open, for each reason in each queue; the most frequent first."""
    return app.reads.rows(fallout.COUNT_BY_REASON_AND_QUEUE)
