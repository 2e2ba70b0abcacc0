"""What customers have in service, and had: a list, and one product with what happened to it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.deeds import foreseen
from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, router
from o2c.views.products import STATUSES

pages = router()
NOTHING = Form({})
ANY = "any"
"""The word for products of every status; without one, those in service are listed."""


@pages.get("/products")
def every(
    page: Asked,
    status: str = "",
    customer: str = "",
    offering: str = "",
    order: str = "",
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 50,
) -> Response:
    """Products, the oldest first; the filters stand in the address."""
    filters = {"status": status, "customer": customer, "offering": offering, "order": order, "limit": limit}
    named: dict[str, Any] = {"customers": customer, "offerings": offering, "orders": order, "statuses": status}
    picked: dict[str, Any] = {name: (value,) for name, value in named.items() if value} | ({"statuses": STATUSES} if status == ANY else {})
    rows = page.ask("products.list", limit=limit, **picked)
    return page.shown("products.html", rows=rows, filters=filters, statuses=(*STATUSES, ANY))


@pages.post("/products/{product:path}/porting-code")
def give_code(page: Asked, form: Sent, product: str) -> Response:
    """Give the customer the code for his number. It is on this answer alone and in no address: whoever has it takes the number."""
    ask = partial(page.do, "products.porting-code", product, wish=form["wish"])
    return foreseen(page, form, ask, partial(shown, page, product), as_name="given")


@pages.get("/products/{product:path}")
def one(page: Asked, product: str) -> Response:
    """One product and its history. Raises Refused (missing)."""
    return shown(page, product)


def shown(page: Page, product: str, *, status: int = 200, refused: str = "", form: Form = NOTHING, given: Any = None) -> Response:
    """The page of a product; `given` is the answer to who asked for the code of its number. Raises Refused (missing)."""
    history = page.ask("products.history", product)
    order, _, item = product.partition(":")
    found = page.ask("products.list", orders=(order,), items_named=(item,), statuses=STATUSES)
    row = next((each for each in found if each["product"] == product), None)
    if row is None:
        raise Refused(f"no product {product}; see `o2c products list`", kind="missing")
    notices = page.ask("products.notices", product)
    return page.shown("product.html", status=status, refused=refused, row=row, history=history, notices=notices, given=given)
