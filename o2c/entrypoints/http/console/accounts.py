"""The money of one account: what is open, credit, how far its collection went and what holds it, disputes, what is used, included and
limited."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.deeds import carried
from o2c.entrypoints.http.console.frame import NOTHING, Asked, Form, Page, Sent, router
from o2c.entrypoints.http.console.rendering import quoted
from o2c.views.collections import hold_kinds
from o2c.views.reading import day_of

pages = router()
ROWS = 100
RECORDS = 25


def _hold(page: Page, account: str, form: Form) -> None:
    until = day_of(form["until"]) if form["until"] else None
    page.do("collections.hold", account, form["kind"], until=until, note=form["note"], wish=form["wish"])


def _release(page: Page, account: str, form: Form) -> None:
    page.do("collections.release", account, form["kind"], note=form["note"], wish=form["wish"])


def _promise(page: Page, account: str, form: Form) -> None:
    page.do(
        "collections.promise", account, amount=form["amount"], by=day_of(form["by"]), currency=form["currency"], note=form["note"], wish=form["wish"],
    )  # fmt: skip


def _plan(page: Page, account: str, form: Form) -> None:
    parts = [line.split(None, 1) for line in form["parts"].splitlines() if line.strip()]
    if any(len(part) < 2 for part in parts) or len({part[0] for part in parts}) < len(parts):
        raise Refused("a plan has a line for each part: its day, a space, its amount, as 2026-02-27 12.00; each day once")
    page.do("collections.plan", account, dict(parts), currency=form["currency"], note=form["note"], wish=form["wish"])


def _dispute(page: Page, account: str, form: Form) -> None:
    page.do("disputes.open", form["invoice"], amount=form["amount"], note=form["note"], wish=form["wish"])


def _settle(page: Page, account: str, form: Form) -> None:
    page.do("disputes.settle", form["invoice"], outcome=form["outcome"], note=form["note"], wish=form["wish"])


def _limit(page: Page, account: str, form: Form) -> None:
    page.do("limits.set", account, amount=form["amount"], kind=_kind_of_limit(form), wish=form["wish"])


def _agree(page: Page, account: str, form: Form) -> None:
    page.do("limits.agree", account, notice=form["notice"], wish=form["wish"])


def _pack(page: Page, account: str, form: Form) -> None:
    page.do("allowances.buy", account, offering=form["offering"], line=form["line"], wish=form["wish"])


def _kind_of_limit(form: Form) -> str:
    if form["kind"] not in ("bill", "roaming"):
        raise Refused("a limit is of the bill or of roaming; choose one that the page offers")
    return form["kind"]


DEEDS: dict[str, tuple[str, Callable[[Page, str, Form], None]]] = {
    "hold": ("held", _hold),
    "release": ("released", _release),
    "promise": ("promise taken down", _promise),
    "plan": ("plan agreed", _plan),
    "dispute": ("dispute opened", _dispute),
    "settle": ("dispute settled", _settle),
    "limit": ("limit set", _limit),
    "agree": ("agreement recorded", _agree),
    "pack": ("pack bought", _pack),
}
"""By the last part of a form's address what it does, and the words in which the page says that it was done."""


@pages.post("/accounts/{account:path}/{deed}")
def act(page: Asked, form: Sent, account: str, deed: str) -> Response:
    """Do something about the money of an account as a form says."""
    if deed not in DEEDS:
        raise Refused(f"there is no action {deed[:40]} on an account; choose one that the page offers", kind="missing")
    said, does = DEEDS[deed]
    return carried(
        page, form, partial(does, page, account, form), partial(shown, page, account), f"/console/accounts/{quoted(account)}", said
    )


@pages.get("/accounts/{account:path}")
def one(page: Asked, account: str, done: str = "") -> Response:
    """An account."""
    return shown(page, account, done=done)


def shown(page: Page, account: str, *, status: int = 200, refused: str = "", done: str = "", form: Form = NOTHING) -> Response:
    """The page of an account."""
    found = page.ask("accounts.list", accounts=[account])
    if not found:
        raise Refused(f"there is no account {account[:80]}; find it on the customer's page", kind="missing")
    row = found[0]
    invoices, history = page.ask("payments.invoices", accounts=[account], limit=ROWS), _history(page, account)
    told = {
        "row": row,
        "invoices": invoices,
        "held": _allowed(page, "payments.owed", accounts=[account]),
        "collections": _allowed(page, "collections.list", accounts=[account]),
        "kinds": hold_kinds(row["market"]),
        "history": history,
        "disputed": _disputed(history),
        **_of_usage(page, account, charged=bool(row["charges"])),
    }
    return page.shown("account.html", status=status, refused=refused, done=done, form=form, **told)


def _of_usage(page: Page, account: str, *, charged: bool) -> dict[str, Any]:
    """What was used, what is left of what is included, and how the account stands with its limits; nothing where nothing is charged."""
    return {
        "limits": _allowed(page, "limits.show", account) if charged else [],
        "allowances": _allowed(page, "allowances.show", account) if charged else [],
        "records": _allowed(page, "usage.list", account=account, limit=RECORDS),
    }


def _allowed(page: Page, view: str, *arguments: Any, **options: Any) -> Any:
    """What a view gives; nothing for who may not ask it."""
    return page.ask(view, *arguments, **options) if page.may(view) else []


def _history(page: Page, account: str) -> list[Any]:
    """What was told to the customer, held, promised and barred, the last first; looks that came to nothing are left out."""
    rows = _allowed(page, "streams.show", f"collection-{account}")
    return [row for row in reversed(rows) if row.type.startswith("collections.") and not row.type.startswith("collections.look")]


def _disputed(history: list[Any]) -> list[str]:
    """The invoices whose last dispute is not settled."""
    last: dict[str, str] = {}
    for row in history:
        if row.type in ("collections.dispute-opened", "collections.dispute-settled"):
            last.setdefault(row.data["invoice"], row.type)
    return [invoice for invoice, type_name in last.items() if type_name == "collections.dispute-opened"]
