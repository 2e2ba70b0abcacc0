"""What all views share: projections that are current, and values as JSON shows them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from o2c.engine.app import Engine
from o2c.kernel.periods import stamp
from projections.engine.operations import catch_up, refuse_missing_tables

Rows = list[dict[str, Any]]


def caught_up(app: Engine) -> None:
    """Reading commands first catch up: what was written before is seen. On a standby, what the primary has projected; Refused when it has not."""
    if app.takes_writes:
        catch_up(app.dsn)
    else:
        refuse_missing_tables(app.dsn)


def plain(value: Any) -> Any:
    """A value as JSON shows it: times as stamps, positions as strings (they pass 2^53 one day)."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value
