"""The roles of an open store: made, granted what is theirs in log and projections, and shown."""

from __future__ import annotations

from typing import Any

from o2c.engine.app import Engine
from o2c.store.database import arrange_roles, connect
from o2c.store.roles import standing_of
from projections.engine.ownership import take_over

MAY = {
    "owner": "owns the store: changes its schema, adopts it",
    "appender": "reads the log, appends through append(), leases work",
    "projector": "reads the log, writes the rows of projections",
    "reader": "reads analyst views and projections, nothing personal",
}


def arranged_roles(app: Engine) -> list[dict[str, Any]]:
    """Make and grant whatever is missing; each role with what it may do and the logins that are members. Raises Refused."""
    arrange_roles(app.dsn)
    with connect(app.dsn) as conn:
        take_over(conn)
        return [
            {"role": row["role"], "may": may, "members": row["members"]} for row, may in zip(standing_of(conn), MAY.values(), strict=True)
        ]
