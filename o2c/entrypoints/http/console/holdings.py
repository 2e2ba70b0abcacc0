"""What one account holds: credits and deposits by where they came from, refunds, prepaid money with what sessions hold, agreements to pay
by instalments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.deeds import carried
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, router
from o2c.entrypoints.http.console.rendering import quoted
from o2c.views.reading import day_of

pages = router()
REFUNDS = 25
"""So many refunds of an account are shown, the last ones; each has a stream of its own."""
STATES = {
    "refund.opened": "asked",
    "refund.requested": "asked",
    "retry.scheduled": "asked",
    "partner.silent": "unknown",
    "refund.completed": "paid back",
    "refund.fell-out": "refused",
    "refund.given-up": "given up",
    "refund.reported-paid": "paid after all",
}
"""How a refund stands after an event of its stream; what is not here leaves it as it was."""


def _request(page: Page, account: str, form: Form) -> None:
    page.do("refunds.request", account, amount=form["amount"], wish=form["wish"], seen=form["seen"])


def _approve(page: Page, account: str, form: Form) -> None:
    page.do("refunds.approve", account, form["refund"], wish=form["wish"], seen=form["seen"])


def _give_up(page: Page, account: str, form: Form) -> None:
    page.do("refunds.give-up", account, form["refund"], reason=form["reason"], wish=form["wish"], seen=form["seen"])


def _paid(page: Page, account: str, form: Form) -> None:
    day = day_of(form["day"]) if form["day"] else None
    page.do("refunds.paid", account, form["refund"], reference=form["reference"], paid_on=day, wish=form["wish"])


def _top_up(page: Page, account: str, form: Form) -> None:
    days = form["days"]
    if days and not (days.isascii() and days.isdecimal() and len(days) < 5):
        raise Refused(f"{days[:20]} is no number of days; write 0 for money that stays for good")
    how: dict[str, Any] = {"amount": form["amount"], "reference": form["reference"], "valid_days": int(days) if days else None}
    page.do("prepaid.top-up", account, wish=form["wish"], **how)


def _give_back(page: Page, account: str, form: Form) -> None:
    page.do("prepaid.refund", account, wish=form["wish"])


def _settle(page: Page, account: str, form: Form) -> None:
    page.do("instalments.settle", account, form["order"], form["item"], wish=form["wish"])


DEEDS: dict[str, tuple[str, Callable[[Page, str, Form], None]]] = {
    "refund": ("refund asked for", _request),
    "approve": ("refund approved", _approve),
    "give-up": ("refund given up", _give_up),
    "paid": ("recorded as paid", _paid),
    "top-up": ("topped up", _top_up),
    "give-back": ("what is left goes back", _give_back),
    "settle": ("billed at once", _settle),
}
"""By the last part of a form's address what it does, and the words in which the page says that it was done."""


@pages.post("/holdings/{account:path}/{deed}")
def act(page: Asked, form: Sent, account: str, deed: str) -> Response:
    """Do something about what an account holds as a form says."""
    if deed not in DEEDS:
        raise Refused(f"there is no action {deed[:40]} on what an account holds; choose one that the page offers", kind="missing")
    said, does = DEEDS[deed]
    back = f"/console/holdings/{quoted(account)}"
    return carried(page, form, partial(does, page, account, form), partial(shown, page, account, deed=deed), back, said)


@pages.get("/holdings/{account:path}")
def one(page: Asked, account: str, on: str = "", done: str = "") -> Response:
    """What an account holds; what settles its agreements on a day, today where none is named."""
    return shown(page, account, on=on, done=done)


def shown(
    page: Page, account: str, *, on: str = "", status: int = 200, refused: str = "", done: str = "", form: Form = NOTHING, deed: str = ""
) -> Response:
    """The page of what an account holds. `deed` is the form that was refused, which stands open again."""
    told = {
        "account": account,
        "rows": page.ask("balance.show", account),
        "seen": page.seen("balance.show", account),
        "refunds": refunds_of(page, account) if page.may("streams.show") else [],
        "prepaid": page.ask("prepaid.show", account) if page.may("prepaid.show") else None,
        "agreements": page.ask("instalments.show", account, on=day_of(on) if on else None) if page.may("instalments.show") else [],
        "on": on,
    }
    return page.shown("holdings.html", status=status, refused=refused, done=done, form=form, deed=deed, **told)


def refunds_of(page: Page, account: str) -> list[dict[str, Any]]:
    """The refunds of an account, the last one first: how much, by which way, who wanted it, who approved it, how it stands, and its
    fallout."""
    found: dict[str, dict[str, Any]] = {}
    for row in page.ask("streams.show", f"account-{account}"):
        if row.type in ("account.refund-wanted", "account.refund-reserved"):
            state = "waits" if row.type == "account.refund-wanted" else "asked"
            found[row.data["refund"]] = {
                "method": "",
                "approved_by": "",
                **row.data,
                "state": state,
                "fallout": "",
                "since": row.occurred_at,
            }
        if row.type == "account.refund-withdrawn":
            found[row.data["refund"]] |= {"state": "given up", "since": row.occurred_at}
    last = list(found.values())[: -REFUNDS - 1 : -1]
    return [{**each, **dict(_standing(page, each["refund"]))} if each["state"] == "asked" else each for each in last]


def _standing(page: Page, refund: str) -> Iterator[tuple[str, Any]]:
    """How a refund stands after each of its events: the last word is the one that holds."""
    for row in page.ask("streams.show", f"refund-{refund}"):
        if state := STATES.get(row.type):
            yield "state", state
            yield "since", row.occurred_at
        if row.type == "refund.fell-out":
            yield "fallout", row.data["fallout"]
