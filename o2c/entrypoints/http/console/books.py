"""The books: how the accounts of the chart stand at the end of a day, the days that are closed, every posting as a file, and closing
one."""

from __future__ import annotations

import io
from functools import partial

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.deeds import carried
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, refusal_of, router
from o2c.entrypoints.ledger_csv import write_csv
from o2c.views.reading import day_of

pages = router()
CLOSINGS = 31


@pages.get("/ledger")
def standing(page: Asked, on: str = "", done: str = "") -> Response:
    """How the accounts stand at the end of a day; as they stand now, held against the other projections, where none is named."""
    try:
        return shown(page, on=on, done=done)
    except Refused as refused:
        if refused.kind != "usage":
            raise
        status, told = refusal_of(refused, page.request)
        return shown(page, status=status, refused=told)


@pages.get("/ledger/export.csv")
def export(page: Asked, since: str = "", on: str = "") -> Response:
    """Every posting of some days, to save."""
    rows = page.ask("ledger.export", since=day_of(since) if since else None, on=day_of(on) if on else None)
    written = io.StringIO()
    write_csv(rows, written)
    return Response(written.getvalue(), media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="ledger.csv"'})


@pages.post("/ledger/close")
def close(page: Asked, form: Sent) -> Response:
    """Close the books up to the end of a day, for good."""

    def deed() -> None:
        if not form["sure"]:
            raise Refused("a closed day is not opened again; say that you are sure")
        page.do("ledger.close", day_of(form["day"]), wish=form["wish"])

    return carried(page, form, deed, partial(shown, page), "/console/ledger", "closed")


def shown(page: Page, *, on: str = "", status: int = 200, refused: str = "", done: str = "", form: Form = NOTHING) -> Response:
    """The page of the books."""
    told = page.ask("ledger.trial-balance", on=day_of(on) if on else None)
    closings = page.ask("ledger.closings", limit=CLOSINGS)
    return page.shown("ledger.html", status=status, told=told, closings=closings, on=on, refused=refused, said=done, form=form)
