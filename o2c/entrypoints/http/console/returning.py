"""Withdrawals that were declared, and goods that are to come back: a list that leads to each product."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.frame import Asked, router
from o2c.views.withdrawals import GOODS_STATES, STATES

pages = router()


@pages.get("/returns")
def every(
    page: Asked,
    state: str = "",
    goods: str = "",
    customer: str = "",
    late: bool = False,
    overdue: bool = False,
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 50,
) -> Response:
    """Withdrawals, the oldest first; the filters stand in the address."""
    filters = {"state": state, "goods": goods, "customer": customer, "late": late, "overdue": overdue, "limit": limit}
    named: dict[str, Any] = {"states": state, "goods_states": goods, "customers": customer}
    picked: dict[str, Any] = {name: (value,) for name, value in named.items() if value}
    rows = page.ask("returns.list", late=late, overdue=overdue, limit=limit, **picked)
    return page.shown("returns.html", rows=rows, filters=filters, states=STATES, goods_states=GOODS_STATES)
