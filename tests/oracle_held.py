"""Money that is on no bill, worked out again from events alone, over tests/oracle.py: deposits, what is owed to customers and goes back to them, prepaid money.

What becomes of the deposit of an order that completed (in part) tests/oracle_deposits.py works out, that of any other is owed as it ends. Paid back is first what
is owed, and what is to go back is owed, until that is given up and what is told of it is a credit again. What prepaid usage took off the balance is told; it is
earned then, and what is left of a top-up when it expires, the first to expire first; what is left when it is asked back is owed, but for a fee that is told. A fixed line that starts late is a credit for each day from that promised first
(moved by what was the customer's own) to that on which it is on, and so is a visit that nobody made.
"""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta

from tests.oracle import NEVER, Account, Json, Line, Oracle, iso, place

COMPENSATION = {
    "late-start": ((date(2026, 4, 1), 646), (date(2025, 4, 1), 624)),
    "missed-visit": ((date(2026, 4, 1), 3_231), (date(2025, 4, 1), 3_119)),
}  # of a fixed line, a day or a visit, since a day: Ofcom, automatic compensation


class HeldAccount(Account):
    """An account with its deposits by order, what is set aside for refunds (`going`), and what is left of top-ups by when they expire."""

    def __init__(self) -> None:
        super().__init__()
        self.deposits, self.going, self.top_ups = Counter[str](), Counter[str](), Counter[datetime]()


class HeldOracle(Oracle):
    """The oracle that knows of such money as well."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts, self.counted_on = defaultdict(HeldAccount), dict[str, date]()

    def of_account(self, account: HeldAccount, key: str, name: str, data: Json, at: datetime) -> None:
        super().of_account(account, key, name, data, at)
        if name in ("order.planned", "order.revised"):
            days = {f"{key}/{x['item']}": iso(x["promised_on"]) for x in data["items"] if x["promised_on"]}
            self.counted_on = {**days, **self.counted_on}
        elif name == "promise.revised" and data["by_customer"] and (item := f"{key}/{data['item']}") in self.counted_on:
            self.counted_on[item] += iso(data["promised_on"]) - iso(data["promised_before"])
        self.of_balance(account, key, name, data, at)

    def of_balance(self, account: HeldAccount, key: str, name: str, data: Json, at: datetime) -> None:
        """What comes, goes, and changes its name."""
        if name == "deposit.received":
            account.deposits[key] += data["amount_minor"]
            account.post(at.date(), "cash", {"deposit": data["amount_minor"]})
        elif name == "account.refund-released" and account.going.pop(data["refund"], 0):
            account.post(at.date(), "owed-to-customers", {"customer-credit": data["of_credit_minor"]})
        elif name[6:] in ("failed", "rejected", "cancelled") or (name == "account.deposit-freed" and account.deposits[data["order"]]):
            minor, order = data.get("amount_minor", account.deposits[key]), data.get("order", key)
            account.deposits[order] -= minor
            account.post(at.date(), "deposit", {"customer-credit" if data.get("becomes") == "credit" else "owed-to-customers": minor})
        elif name in ("account.refund-reserved", "account.money-returned"):
            minor, becomes = data["amount_minor"], "cash" if "returned" in name else "owed-to-customers"
            owed = min(minor, account.going.pop(data.get("refund"), 0) or -account.stand["owed-to-customers"] - account.going.total())
            account.going |= Counter({data["refund"]: minor}) if "reserved" in name else {}  # it goes back by nothing else
            account.post(at.date(), becomes, {"owed-to-customers": -owed, "customer-credit": owed - minor})
        elif name == "account.compensated" and (rates := COMPENSATION.get(data["cause"])):
            counted_on, starts = self.counted_on.get(place(data), date.max), self.items[place(data)].starts
            missed, days = (counted_on, (starts - counted_on).days) if data["cause"] == "late-start" else (at.date(), 1)
            account.post(at.date(), "compensation", {"customer-credit": next(minor for since, minor in rates if since <= missed) * days})
        elif name == "prepaid.topped-up":
            account.top_ups[datetime.fromisoformat(data["expires_at"]) if data["expires_at"] else NEVER] += data["amount_minor"]
            account.post(at.date(), "cash", {"prepaid": data["amount_minor"]})
        elif name in ("quota.committed", "prepaid.usage-charged"):
            left, tax = data["charged_minor"], data["tax_minor"]
            for expires in sorted(x for x in account.top_ups if x > at):
                account.top_ups[expires] -= (part := min(account.top_ups[expires], left))
                left -= part  # what remains is more than there was
            account.post(at.date(), "prepaid", {"tax": tax, "revenue": data["charged_minor"] - tax - left})
        elif name in ("prepaid.expired", "prepaid.returned"):
            left = sum(account.top_ups.pop(x) for x in [*account.top_ups] if (x > at) == ("returned" in name))
            kept, tax = data.get("fee_minor", left), data.get("tax_minor", 0)
            account.post(at.date(), "prepaid", {"revenue": kept - tax, "tax": tax, "owed-to-customers": left - kept})
        elif name == "account.pack-added":
            day, ends = iso(data["bought_on"]), iso(data["ends"])
            account.used[day + timedelta(1)] += [Line(place(data), "pack", day, ends, data["net_minor"], data["tax_group"])]
