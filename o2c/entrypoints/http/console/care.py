"""Courtesy contacts that are due, each taken down where it stands, and what is agreed with customers: set and ended one by one, each time
as a version of the whole."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, cast

from fastapi import Query
from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.desk.customers import MEDIA, MILESTONES, STANDARD
from o2c.entrypoints.http.console.deeds import carried
from o2c.entrypoints.http.console.desk import ROWS_MAX
from o2c.entrypoints.http.console.forms import whole_of
from o2c.entrypoints.http.console.frame import Asked, Form, Page, Sent, router
from o2c.entrypoints.http.console.rendering import query
from o2c.entrypoints.http.console.sources import following, source_of
from o2c.views.care import STATES
from o2c.views.reading import Page as Rows

pages = router()
OWED, ANY = "owed", "any"
"""What is listed beside the states of contacts: those that nobody made yet, which is where somebody begins, and all."""
OF_FILTERS = ("state", "tier", "customer")
CONTACT = "contact."
"""The fields of a form that say within how many days begin so; behind it stands the milestone."""
Agreed = dict[str, Any]
"""What is agreed, as the file says it of a tier, or of `customers` of their own."""


@pages.get("/care")
def every(
    page: Asked,
    state: str = OWED,
    tier: str = "",
    customer: str = "",
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 50,
    done: str = "",
) -> Response:
    """The courtesy contacts that are due, the first due first, with the filters in the address; and what is agreed."""
    return shown(page, {"state": state, "tier": tier, "customer": customer, "limit": limit}, done=done)


@pages.post("/care/contact")
def spoken(page: Asked, form: Sent) -> Response:
    """Take down that we spoke with a customer unasked, about an order."""
    how = {"medium": form["medium"], "order": form["order"], "note": form["note"]}
    deed = partial(page.do, "customers.contact", form["customer"], topic="other", direction="outbound", wish=form["wish"], **how)
    return _back(page, form, deed, "taken down")


@pages.post("/care/agreements")
def agree(page: Asked, form: Sent) -> Response:
    """Set what is agreed with a tier, or with customers of its own."""
    return _back(page, form, lambda: _agree(page, form, _of_form(form)), "agreed")


@pages.post("/care/agreements/end")
def end(page: Asked, form: Sent) -> Response:
    """End an agreement: those who had it have that of their tier, or the standard."""
    return _back(page, form, partial(_agree, page, form, None), "ended")


def _back(page: Page, form: Form, deed: Any, what: str) -> Response:
    """Do something, and go back to the list as it was filtered."""
    filters = {name: form[f"of.{name}"] for name in OF_FILTERS}
    return carried(page, form, deed, partial(shown, page, {**filters, "limit": 50}), f"/console/care{query(filters)}", what)


def _agree(page: Page, form: Form, said: Agreed | None) -> None:
    """Load what is in force with one agreement as it is said, or without it. Raises Refused: conflict (something else is in force by now),
    missing, usage."""
    rows, name = page.ask("care.agreements"), form["agreement"]
    agreed = {row["agreement"]: _of_row(row) for row in rows}
    before = agreed.pop(name, said)
    if before is None:
        raise Refused(f"there is no agreement {name[:40]}; choose one that the page shows", kind="missing")
    if said is not None and ("customers" in before) != ("customers" in said):
        raise Refused(
            f"{name[:40]} is the name of {'an agreement of customers' if 'customers' in before else 'a tier'}; give this one another"
        )
    # What the form does not ask for stays as the file had it.
    agreed |= {name: {**{field: before[field] for field in _MORE if field in before}, **said}} if said is not None else {}
    tiers = {name: one for name, one in agreed.items() if "customers" not in one}
    own = {name: one for name, one in agreed.items() if "customers" in one}
    whole = {"version": following(rows[0]["version"]), "tiers": tiers, "agreements": own}
    page.do("care.load", definitions=source_of(whole), wish=form["wish"], seen=form["seen"])


_MORE = ("promised_working_days", "markets", "calendar", "closed_on")
"""What a file may say of an agreement beyond what the form asks for."""


def _of_row(row: dict[str, Any]) -> Agreed:
    whose = {"customers": row["customers"]} if row["customers"] else {}
    more = {name: row[name] for name in _MORE if row[name]}
    return {**whose, **{name: row[name] for name in ("contacts", "until_hour", "complete_within_days")}, **more}


def _of_form(form: Form) -> Agreed:
    customers = form["customers"].replace(",", " ").split()
    contacts = {milestone: whole_of(form, f"{CONTACT}{milestone}") for milestone in form.beginning(CONTACT)}
    rest = {name: whole_of(form, name) for name in ("until_hour", "complete_within_days")}
    return {**({"customers": customers} if customers else {}), "contacts": contacts, **rest}


def shown(page: Page, filters: dict[str, Any], **of_form: Any) -> Response:
    """The page of what is due and of what is agreed."""
    agreements = page.ask("care.agreements")
    told = {
        "rows": _due(page, **filters),
        "agreements": agreements,
        "seen": page.seen("care.agreements"),
        "tiers": [row["agreement"] for row in agreements if not row["customers"]],
        "history": _versions(page),
        "filters": filters,
        "states": (OWED, *STATES, ANY),
    }
    return page.shown("care.html", **of_form, **told, media=MEDIA, milestones=MILESTONES, standard=STANDARD)


def _due(page: Page, state: str, limit: int, **whose: str) -> Rows[Any]:
    """The contacts of a state, or those that nobody made yet: what can still be made in time first, then what was missed, the last
    first."""
    if state != OWED:
        return cast("Rows[Any]", page.ask("care.due", state="" if state == ANY else state, limit=limit, **whose))
    left = [row for row in page.ask("care.due", **whose) if row["by"] is None]
    missed = [row for row in left if row["state"] != "open"]
    rows = Rows([*(row for row in left if row["state"] == "open"), *reversed(missed)][:limit])
    rows.more = len(left) - len(rows)
    return rows


def _versions(page: Page) -> list[Any]:
    """The versions that were loaded, the last first, where the asker may see events."""
    return page.ask("streams.show", "care-main")[::-1] if page.may("streams.show") else []
