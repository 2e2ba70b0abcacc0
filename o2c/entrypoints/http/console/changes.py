"""Many products of an account changed by a list: what is wrong with which row is seen first, then each row is an order of its own; what
failed is a list to correct and hand in again."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.changes_csv import failed_of, rows_of
from o2c.entrypoints.http.console.deeds import foreseen
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, router

pages = router()
VERB = "products.bulk-change"
ROWS_MAX = 500
"""So many rows are shown, those that failed first; the page says of how many."""


@pages.get("/accounts/{account:path}/changes")
def wanted(page: Asked, account: str) -> Response:
    """Where to hand in a list."""
    return shown(page, account)


@pages.post("/accounts/{account:path}/changes/preview")
def preview(page: Asked, form: Sent, account: str) -> Response:
    """What would become of each row. Nothing is ordered."""
    written = _with_file(form)
    return foreseen(page, written, partial(_carried, page, account, written, dry_run=True), partial(shown, page, account))


@pages.post("/accounts/{account:path}/changes")
def change(page: Asked, form: Sent, account: str) -> Response:
    """Order what each row says; sent again, it goes on where it was. What became of the rows is told on this very page: it stands nowhere
    else as a whole."""
    return foreseen(page, form, partial(_carried, page, account, form), partial(shown, page, account), as_name="came")


@pages.post("/accounts/{account:path}/changes/failed")
def failed(page: Asked, form: Sent, account: str) -> Response:
    """The rows that failed, to save: corrected, they can be handed in as they are."""
    rows = rows_of(form["list"], "the list")
    done = page.do(VERB, account, rows, dry_run=True, wish=form["wish"])
    headers = {"Content-Disposition": "attachment; filename=failed.csv"}
    return Response(failed_of(rows, done.rows), media_type="text/csv; charset=utf-8", headers=headers)


def _with_file(form: Form) -> Form:
    """The form with the list as text: a file counts before what stands in the field."""
    return Form({**form.values, "list": [form["file"] or form["list"]]})


def _carried(page: Page, account: str, form: Form, *, dry_run: bool = False) -> Any:
    return page.do(VERB, account, rows_of(form["list"], "the list"), dry_run=dry_run, wish=form["wish"])


def shown(page: Page, account: str, *, form: Form = NOTHING, foreseen: Any = None, came: Any = None, **of_form: Any) -> Response:
    """The page of a list: what would become of its rows (`foreseen`), or what became of them (`came`). Raises Refused: forbidden,
    missing."""
    if not page.may(VERB):
        raise Refused(f"{page.context.actor} may not change products by a list; ask an agent or a supervisor", kind="forbidden")
    found = page.ask("accounts.list", accounts=[account])
    if not found:
        raise Refused(f"there is no account {account[:80]}; find it on the customer's page", kind="missing")
    told = came or foreseen
    rows = sorted(told.rows, key=lambda row: (row.result != "failed", row.row))[:ROWS_MAX] if told else []
    return page.shown("changes.html", row=found[0], told=told, rows=rows, is_done=came is not None, form=form, **of_form)
