"""Usage that nobody was charged for yet: numbers missing in the sequences of sources, and records that wait in suspense."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.frame import Asked, router

pages = router()


@pages.get("/usage")
def standing(page: Asked, source: str = "", limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 100) -> Response:
    """Gaps in the sequences of sources, or of one, and records in suspense, the first that came first."""
    gaps = page.ask("usage.gaps", source=source, limit=limit)
    records = page.ask("usage.list", suspense=True, limit=limit) if page.may("usage.list") else None
    return page.shown("usage.html", gaps=gaps, records=records, filters={"source": source, "limit": limit})
