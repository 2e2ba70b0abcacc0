"""The bills of a business as one: of a day, each account that pays with the parts of those below it, those that pay themselves, and the
sum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi.responses import Response

from o2c.desk.act import Refused
from o2c.entrypoints.http.console.frame import Asked, router

pages = router()
BILLS_MAX = 100
"""So many bills of a day are shown; the page says of how many."""
INVOICES_MAX = 1_000
SUMS = ("net_minor", "tax_minor", "total_minor")


@pages.get("/customers/{customer}/bills")
def of_day(page: Asked, customer: str, on: str = "") -> Response:
    """The bills of a day, of the last one where none is named; of a customer whose accounts have no place there are those of its own
    pages."""
    tree = page.ask("accounts.tree", customer)
    payers = sorted({row["payer"] for row in tree if row["payer"]})
    issued = page.ask("payments.invoices", accounts=payers, limit=INVOICES_MAX) if payers else []
    days = sorted({row["issued_on"] for row in issued}, reverse=True)
    if on and on not in days:
        raise Refused(f"nothing was billed on {on[:10]}; choose a day that the page offers", kind="missing")
    names = [row["invoice"] for row in issued if row["issued_on"] == (on or (days or [""])[0])]
    bills = _in_order([page.ask("invoices.show", name) for name in names[:BILLS_MAX]], [row["account"] for row in tree])
    stands_for = {row["account"]: row["level"] for row in tree}
    told: dict[str, Any] = {"customer": customer, "days": days, "on": on, "many": len(names), "stands_for": stands_for}
    return page.shown("bills.html", bills=bills, sums=_sums(bills), purchase_orders=purchase_orders_of, **told)


def _in_order(bills: list[Any], accounts: list[str]) -> list[Any]:
    """Bills as their accounts stand in the hierarchy: who is above comes first."""
    return sorted(bills, key=lambda bill: accounts.index(bill["account"]))


def purchase_orders_of(bill: Any, cost_centre: str | None = None) -> list[str]:
    """The customer's own purchase orders on a bill, or on one part of it, each once."""
    lines = (line for line in bill["lines"] if cost_centre in (None, line["cost_centre"]))
    return list(dict.fromkeys(line["purchase_order"] for line in lines if line["purchase_order"]))


def _sums(bills: Iterable[Any]) -> dict[str, dict[str, int]]:
    """What all bills come to, by currency."""
    found: dict[str, dict[str, int]] = {}
    for bill in bills:
        so_far = found.setdefault(bill["currency"], dict.fromkeys(SUMS, 0))
        found[bill["currency"]] = {name: so_far[name] + bill[name] for name in SUMS}
    return found
