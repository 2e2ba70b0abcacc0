"""Finding what a caller is about, and everything about one customer."""

from __future__ import annotations

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.customers import MEDIA, TOPICS
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, done, refusal_of, router
from o2c.views.finding import FORMS

pages = router()
NOTHING = Form({})


@pages.get("/search")
def to_search(page: Asked) -> Response:
    """Where to say what a caller says; it is posted, for it may be personal."""
    return page.shown("search.html", form=NOTHING, forms=tuple(FORMS), rows=None, refused="")


@pages.post("/search")
def search(page: Asked, form: Sent) -> Response:
    """What a number, SIM, id, name or e-mail leads to."""
    try:
        rows = page.ask("orders.find", form["text"], form["by"], why=form["why"])
    except Refused as refused:
        if refused.kind in ("forbidden", "unavailable"):
            raise
        status, told = refusal_of(refused, page.request)
        return page.shown("search.html", status=status, form=form, forms=tuple(FORMS), rows=[], refused=told)
    return page.shown("search.html", form=form, forms=tuple(FORMS), rows=rows, refused="")


@pages.get("/customers/{customer}")
def one(page: Asked, customer: str, done: str = "") -> Response:
    """A customer, without what is personal."""
    return shown(page, customer, done=done)


@pages.post("/customers/{customer}/personal")
def with_personal(page: Asked, form: Sent, customer: str) -> Response:
    """The same with name, address and notes; that they were shown is on record."""
    return shown(page, customer, personal=True, why=form["why"])


@pages.post("/customers/{customer}/contact")
def contact(page: Asked, form: Sent, customer: str) -> Response:
    """Note down a contact."""
    try:
        page.do(
            "customers.contact", customer, medium=form["medium"], topic=form["topic"], direction=form["direction"], order=form["order"],
            note=form["note"], wish=form["wish"],
        )  # fmt: skip
    except Refused as refused:
        if refused.kind in ("forbidden", "unavailable"):
            raise
        status, told = refusal_of(refused, page.request)
        return shown(page, customer, status=status, refused=told, form=form)
    return done(f"/console/customers/{customer}", "noted")


def shown(
    page: Page,
    customer: str,
    *,
    personal: bool = False,
    why: str = "",
    status: int = 200,
    refused: str = "",
    done: str = "",
    form: Form = NOTHING,
) -> Response:
    """The page of a customer."""
    found = page.ask("customers.show", customer, personal=personal, why=why)
    return page.shown(
        "customer.html", status=status, found=found, personal=personal, refused=refused, done=done, form=form, media=MEDIA, topics=TOPICS
    )
