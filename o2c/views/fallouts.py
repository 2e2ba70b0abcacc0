"""The fallout queue: open fallouts, or one with everything known of it."""

from __future__ import annotations

from typing import Any, cast

from o2c.engine.app import Engine
from o2c.kernel.refusal import Refused
from o2c.views.reading import Rows, plain

FALLOUT_FIELDS = {
    "fallout": "fallout", "order": "order_id",
    **{name: name for name in ("item", "step", "reason", "class", "origin", "waiting_for", "queue", "opened_at", "attempts")},
}  # fmt: skip
"""What is shown of a fallout, and the column it stands in."""

FALLOUT_COLUMNS = ", ".join(f'{column} AS "{shown}"' for shown, column in FALLOUT_FIELDS.items())


def list_fallouts(app: Engine, *, queue: str = "", reason: str = "", order: str = "", everything: bool = False) -> Rows:
    """Open fallouts (or all), oldest first."""
    sql = f"""SELECT {FALLOUT_COLUMNS}, state, closed_at FROM projection.fallout WHERE (%s OR state = 'open') AND (%s = '' OR queue = %s)
        AND (%s = '' OR reason = %s) AND (%s = '' OR order_id::text = %s) ORDER BY opened_at, fallout"""
    found = [plain(row) for row in app.reads.rows(sql, everything, queue, queue, reason, reason, order, order)]
    return found if everything else [{key: value for key, value in row.items() if key not in ("state", "closed_at")} for row in found]


def show_fallout(app: Engine, name: str) -> dict[str, Any]:
    """One fallout with everything known of it. Raises Refused (missing)."""
    found = app.reads.rows("SELECT * FROM projection.fallout WHERE fallout::text = %s", name)
    if not found:
        raise Refused(f"no fallout {name}; see `o2c fallout list`", kind="missing")
    row = found[0]
    row.pop("group_key", None)
    return cast("dict[str, Any]", plain({**row, "class": row["class"], "order": row.pop("order_id")}))
