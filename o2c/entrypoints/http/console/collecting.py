"""Who owes past a due day: by how far the collection went, what bars the lines, what holds it."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from fastapi import Query
from fastapi.responses import Response

from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.frame import Asked, router
from o2c.views.collections import Bar, holds_known, stages_known

pages = router()


@pages.get("/collections")
def every(
    page: Asked, stage: str = "", bar: Bar = "", hold: str = "", account: str = "", limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 100
) -> Response:
    """Accounts that owe, the longest owed first."""
    filters = {"stage": stage, "bar": bar, "hold": hold, "account": account}
    rows = page.ask("collections.list", accounts=[account] if account else [], stage=stage, bar=bar, hold=hold, limit=limit)
    known: dict[str, Any] = {"stages": stages_known(), "bars": [each for each in get_args(Bar) if each], "kinds": holds_known()}
    narrowed = any(filters.values())
    return page.shown("collections.html", rows=rows, filters={**filters, "limit": limit}, narrowed=narrowed, **known)
