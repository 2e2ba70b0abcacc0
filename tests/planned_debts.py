"""Whether every plan by which a debt is paid in parts was of the whole debt, and kept or broken as it was paid, by what the oracle of money says is open; of the
engine nothing is imported."""

from collections.abc import Mapping
from typing import Any

from tests.oracle import Oracle

Json = Mapping[str, Any]


class Plans:
    """The plans that stand, by account, each with the debt it was made for; `wrong` are those that were not as they must be."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle, self.wrong = oracle, list[str]()
        self.stand: dict[str, tuple[Json, int]] = {}

    def take(self, event: Json) -> None:
        """Go on by an event that the oracle has taken."""
        account, name, data = event["stream"].partition("-")[2], event["type"], event["data"]
        if name == "collections.plan-agreed":
            self.stand[account] = data, self._open(account, data)
            must = self.stand[account][1], self._parts(data)
        elif name == "collections.plan-part-kept":
            plan, debt = self.stand[account]
            due = self._parts(plan, data["number"])
            must = due, min(due, debt - self._open(account, plan))
        elif name in ("collections.plan-kept", "collections.plan-broken"):
            plan, debt = self.stand.pop(account)
            paid = max(debt - self._open(account, plan), 0)
            must = (debt, min(debt, paid)) if name.endswith("kept") else (paid, data["paid_minor"])
        else:
            return
        if must[0] != must[1]:
            self.wrong.append(f"{name} of {account}: must be {must[0]}, is {must[1]}")

    def _open(self, account: str, plan: Json) -> int:
        bills = self.oracle.accounts[account].bills
        return sum(max(bills[invoice].open, 0) for invoice in plan["invoices"])

    def _parts(self, plan: Json, most: int | None = None) -> int:
        return sum(part["amount_minor"] for part in plan["parts"][:most])
