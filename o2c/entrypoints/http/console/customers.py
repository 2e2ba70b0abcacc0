"""Finding what a caller is about, and everything about one customer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, get_args

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.complaints import Channel, Topic
from o2c.desk.customers import MEDIA, TOPICS
from o2c.entrypoints.http.console.deeds import carried, disclosing
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Page, Sent, refusal_of, router
from o2c.entrypoints.http.console.rendering import quoted
from o2c.views.finding import FORMS

pages = router()
TOLD_MAX = 50
"""So many messages, courtesy contacts, promises and things told are on the page of a customer or an order, the last ones."""
NEWEST = 10
"""Of how many products of a customer it is said until when they may be withdrawn from: the period is short, so that it is over for older
ones."""


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


@pages.post("/customers/{customer}/contact")
def contact(page: Asked, form: Sent, customer: str) -> Response:
    """Note down a contact."""
    how = {name: form[name] for name in ("medium", "topic", "direction", "order", "note")}
    deed = partial(page.do, "customers.contact", customer, wish=form["wish"], **how)
    return carried(page, form, deed, partial(shown, page, customer, deed="contact"), f"/console/customers/{quoted(customer)}", "noted")


@pages.post("/customers/{customer}/complaint")
def complain(page: Asked, form: Sent, customer: str) -> Response:
    """Take down what the customer complains of."""
    how = {name: form[name] for name in ("topic", "channel", "order", "note")}
    deed = partial(page.do, "complaints.open", customer, wish=form["wish"], **how)
    again = partial(shown, page, customer, deed="complaint")
    return carried(page, form, deed, again, f"/console/customers/{quoted(customer)}", "complaint taken down")


def shown(page: Page, customer: str, *, personal: bool = False, why: str = "", **of_form: Any) -> Response:
    """The page of a customer. `deed` is the form that was refused, which stands open again."""
    found = page.ask("customers.show", customer, personal=personal, why=why)
    found = {**found, "in_service": _in_service(page, found)}
    told = {
        "found": found,
        "accounts": _accounts(page, found),
        "personal": personal,
        "media": MEDIA,
        "topics": TOPICS,
        "grievances": get_args(Topic),
        "channels": get_args(Channel),
        **_care(page, customer),
        **_kept(page, customer),
        "messages": page.ask("messages.list", customer=customer, limit=TOLD_MAX) if page.may("messages.list") else [],
        "care": page.ask("care.due", customer=customer, limit=TOLD_MAX) if page.may("care.due") else [],
    }
    return page.shown("customer.html", **of_form, **told)


disclosing(pages, "/customers/{name}", shown)


def _kept(page: Page, customer: str) -> dict[str, Any]:
    """What was promised to the customer and what became of it, and what he was told, the last first, where the asker may see that."""
    promises = page.ask("promises.list", customer=customer) if page.may("promises.list") else []
    told_of = page.ask("customers.told", customer) if page.may("customers.told") else []
    last = {"promises": promises[: -TOLD_MAX - 1 : -1], "told_of": told_of[: -TOLD_MAX - 1 : -1]}
    return {**last, "promised_before": len(promises) - len(last["promises"]), "told_before": len(told_of) - len(last["told_of"])}


def _care(page: Page, customer: str) -> dict[str, Any]:
    """What the customer tried, complains of and may be offered, where the asker may see that."""
    return {
        "journeys": page.ask("journeys.list", customer=customer, everything=True) if page.may("journeys.list") else [],
        "complaints": page.ask("complaints.list", customer=customer) if page.may("complaints.list") else [],
        "offers": page.ask("customers.context", customer)["offers"] if page.may("customers.context") else [],
    }


def _in_service(page: Page, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is in service, the newest with the last day on which the customer may withdraw from it, where the asker may see that."""
    rows = [{**row, "withdraw_by_on": None} for row in found["in_service"]]
    for row in rows[-NEWEST:] if page.may("products.withdrawal") else ():
        right = page.ask("products.withdrawal", row["product"])
        row["withdraw_by_on"] = right["last_day"] if right["may"] else None
    return rows


def _accounts(page: Page, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The accounts that bill the customer or hold his money, each with how far its collection went, where the asker may see that."""
    names = sorted({row["account"] for row in (*found["invoices"], *found["money_held"])})
    if not names or not page.may("accounts.list"):
        return []
    collected = page.ask("collections.list", accounts=names) if page.may("collections.list") else []
    stages = {row["account"]: {"stage": row["stage"], "bar": row["bar"]} for row in collected}
    return [{"stage": "", "bar": "", **row, **stages.get(row["account"], {})} for row in page.ask("accounts.list", accounts=names)]
