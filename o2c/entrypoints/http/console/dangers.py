"""Promises in danger, the worst first; and, once somebody asks, how good that is at telling who will be late."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.frame import Asked, router
from o2c.views.jeopardy_learnt import LEVELS
from o2c.views.jeopardy_scored import COHORTS

pages = router()


@pages.get("/jeopardy")
def every(
    page: Asked, level: str = "", limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 50, *, score: bool = False, by: str = ""
) -> Response:
    """What is in danger by the level in the address; with `score` the figures of the levels, which are worked out from all that is over, or
    `by` market or step."""
    filters: dict[str, Any] = {"level": level, "limit": limit}
    rows = page.ask("jeopardy.list", **filters)
    scores = page.ask("jeopardy.score", by=by) if score else None
    return page.shown("jeopardy.html", rows=rows, filters=filters, levels=tuple(LEVELS), scores=scores, by=by, cohorts=COHORTS)
