"""What leaks from order to bill: looked for when somebody asks, by every rule or by one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from o2c.checks.assurance import DAYS_MAX, UNBILLED_DAYS, assurance_rules_listed
from o2c.desk.act import Refused
from o2c.entrypoints.http.console.frame import Asked, router

pages = router()
ROWS_MAX = 500
"""So many leaks are shown; the page says of how many, and the command line has them all."""


@pages.get("/assurance")
def leaks(page: Asked, rule: str = "", days: Annotated[int, Query(ge=0, le=DAYS_MAX)] = UNBILLED_DAYS, *, look: bool = False) -> Response:
    """The rules, and what they find once somebody asks: that reads the whole log."""
    if not page.may("assurance"):
        raise Refused(f"{page.context.actor} may not use assurance; ask a supervisor", kind="forbidden")
    found = page.ask("assurance", rule=rule, days=days) if look else []
    rows = [leak.row() for leak in found[:ROWS_MAX]]
    return page.shown("assurance.html", rows=rows, count=len(found), rules=assurance_rules_listed(), rule=rule, days=days, look=look)
