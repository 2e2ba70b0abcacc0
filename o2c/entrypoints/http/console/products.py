"""What customers have in service, and had: a list, and one product with what happened to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.withdrawals import GRADES
from o2c.entrypoints.http.console.deeds import carried, foreseen
from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, router
from o2c.views.products import STATUSES
from o2c.views.reading import day_of

pages = router()
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
def one(page: Asked, product: str, done: str = "") -> Response:
    """One product and its history. Raises Refused (missing)."""
    return shown(page, product, done=done)


def shown(
    page: Page, product: str, *, status: int = 200, refused: str = "", done: str = "", form: Form = NOTHING, given: Any = None
) -> Response:
    """The page of a product; `given` is the answer to who asked for the code of its number. Raises Refused (missing)."""
    history = page.ask("products.history", product)
    order, _, item = product.partition(":")
    found = page.ask("products.list", orders=(order,), items_named=(item,), statuses=STATUSES)
    row = next((each for each in found if each["product"] == product), None)
    if row is None:
        raise Refused(f"no product {product}; see `o2c products list`", kind="missing")
    notices = page.ask("products.notices", product)
    told = {"row": row, "history": history, "notices": notices, "given": given, **_right(page, product)}
    return page.shown("product.html", status=status, refused=refused, done=done, **told)


@pages.post("/products/{product:path}/withdraw")
def withdraw(page: Asked, form: Sent, product: str) -> Response:
    """Withdraw from a contract for its customer."""
    return _carried(page, form, product, "withdrawn", lambda: page.do("products.withdraw", product, wish=form["wish"]))


@pages.post("/products/{product:path}/sent")
def sent(page: Asked, form: Sent, product: str) -> Response:
    """Take down that the goods were proven sent."""

    def deed() -> None:
        page.do("returns.sent", product, wish=form["wish"], sent_on=day_of(form["sent_on"]), reference=form["reference"])

    return _carried(page, form, product, "sent", deed)


@pages.post("/products/{product:path}/grade")
def grade(page: Asked, form: Sent, product: str) -> Response:
    """Say how goods came back."""
    return _carried(page, form, product, "graded", lambda: page.do("returns.grade", product, form["grade"], wish=form["wish"]))


@pages.post("/products/{product:path}/lock")
def lock(page: Asked, form: Sent, product: str) -> Response:
    """Keep the number from going to another operator, or lift that lock."""
    lift = form["lift"] == "yes"
    deed = partial(page.do, "products.lock", product, lift=lift, wish=form["wish"])
    return _carried(page, form, product, "lock lifted" if lift else "locked", deed)


@pages.post("/products/{product:path}/transfer")
def transfer(page: Asked, form: Sent, product: str) -> Response:
    """Take down that the owner agrees to give the product to another customer, or that he keeps it."""
    keeps = form["keeps"] == "yes"
    how: dict[str, Any] = {"withdraw": True} if keeps else {"to": form["to"], "commitment": form["commitment"]}
    deed = partial(page.do, "products.transfer", product, wish=form["wish"], **how)
    return _carried(page, form, product, "he keeps it" if keeps else "agreed", deed)


def _carried(page: Page, form: Form, product: str, word: str, deed: Callable[[], Any]) -> Response:
    def shows(*, status: int, refused: str, form: Form) -> Response:
        return shown(page, product, status=status, refused=refused)

    return carried(page, form, deed, shows, f"/console/products/{quote(product, safe='')}", word)


def _right(page: Page, product: str) -> dict[str, Any]:
    """The right to withdraw, and the withdrawal where there is one; nothing for who may not see them."""
    right = page.ask("products.withdrawal", product) if page.may("products.withdrawal") else None
    seen = right and right["declared_on"] and page.may("returns.show")
    return {"right": right, "withdrawal": page.ask("returns.show", product) if seen else None, "grades": GRADES}
