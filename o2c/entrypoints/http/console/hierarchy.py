"""The hierarchy of a business customer's accounts: what each stands for, who pays for whom, and giving an account its place."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from fastapi.responses import Response

from o2c.desk.accounts import LEVELS
from o2c.desk.act import Refused
from o2c.entrypoints.http.console.deeds import carried, disclosing
from o2c.entrypoints.http.console.frame import Asked, Page, Sent, router
from o2c.entrypoints.http.console.rendering import quoted

pages = router()


@pages.post("/customers/{customer}/accounts")
def place(page: Asked, form: Sent, customer: str) -> Response:
    """Give an account its place."""
    how = {name: cast("Any", form[name]) for name in ("level", "parent", "pays", "contact")}
    deed = partial(page.do, "accounts.place", customer, form["account"], wish=form["wish"], **how)
    return carried(page, form, deed, partial(shown, page, customer), f"/console/customers/{quoted(customer)}/accounts", "placed")


def shown(page: Page, customer: str, *, personal: bool = False, why: str = "", **of_form: Any) -> Response:
    """The page of a hierarchy; a customer that has none sees where to begin one. Raises Refused: missing (no such customer), forbidden."""
    found = page.ask("customers.show", customer)
    try:
        rows = page.ask("accounts.tree", customer, personal=personal, why=why)
    except Refused as nothing_placed:
        if nothing_placed.kind != "missing":
            raise
        rows = []
    told = {"customer": found["customer"], "rows": rows, "personal": personal, "levels": LEVELS, "orders": found["orders"]}
    return page.shown("hierarchy.html", **of_form, **told)


disclosing(pages, "/customers/{name}/accounts", shown)
