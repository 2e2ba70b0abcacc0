"""What the books must say, worked out again from timelines alone: every posting and every balance, to the penny.

`for ID in ...; do o2c orders timeline $ID -o jsonl; done > T.jsonl; o2c ledger export > L.csv; python -m tests.ledger_oracle T.jsonl L.csv` tells where the
books differ, of the accounts whose orders are all in T.jsonl.

What is billed comes of tests/oracle.py, never of what an invoice says of itself; of payments, deposits and paybacks the amount that came or went is
taken, and of credit notes the net of their lines, and nothing that was concluded from it. Money that comes for an invoice above what is open is a credit; a bill takes what credit there is;
the deposit of an order that completed (in part) is a credit, that of one which ended otherwise is owed; paid back is what is owed first. Days are London's. A
line over days of service is earned by days, the day itself included, half-up over all that were served; what was served before the bill is earned on
its day. Nothing of the engine is imported.
"""

import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from tests.oracle import LONDON, bills, half_up

BECOMES = {
    "order.completed": "customer-credit", "order.partially-completed": "customer-credit", "order.failed": "owed-to-customers",
    "order.rejected": "owed-to-customers", "order.cancelled": "owed-to-customers",
}  # fmt: skip
"""What becomes of the deposit of an order by its end."""


class Line(NamedTuple):
    """What is earned by days: net, from and to (exclusive), and the day on which it was billed."""

    net: int
    start: date
    end: date
    billed: date

    def earned(self, day: date) -> int:
        """What is earned of it at the end of a day."""
        served = min(max((day - self.start).days + 1, 0), (self.end - self.start).days)
        earned = half_up(abs(self.net) * served, (self.end - self.start).days) if day >= self.billed else 0
        return earned if self.net > 0 else -earned


@dataclass
class Account:
    """A billing account: open invoices, what it holds for its customer, and all that was posted, by day and account of the chart."""

    open: dict[str, int] = field(default_factory=dict)
    held: Counter[str] = field(default_factory=Counter)
    deposits: dict[str, int] = field(default_factory=dict)
    posted: Counter[tuple[date, str]] = field(default_factory=Counter)
    lines: list[Line] = field(default_factory=list)
    noted: dict[str, tuple[int, int]] = field(default_factory=dict)

    def post(self, day: date, debit: str, credit: str, minor: int) -> None:
        """Move an amount from the credit of one account of the chart to the debit of another."""
        self.posted[day, debit] += minor
        self.posted[day, credit] -= minor

    def bill(self, number: str, bill: tuple[Any, ...]) -> None:
        """Post a bill as it must be, and take what credit there is off it."""
        issued, _, net, total, lines = bill
        day = date.fromisoformat(issued)
        served = [Line(line[4], *map(date.fromisoformat, line[2:4]), day) for line in lines if line[2] < line[3]]
        deferred = sum(line.net for line in served)
        for account, minor in (("deferred-revenue", deferred), ("revenue", net - deferred), ("tax", total - net)):
            self.post(day, "receivable", account, minor)
        used = min(self.held["customer-credit"], total)
        self.post(day, "customer-credit", "receivable", used)
        self.held["customer-credit"] -= used
        self.open[number] = total - used
        self.lines += served

    def credit(self, day: date, number: str, bill: tuple[Any, ...], taken: Iterable[Mapping[str, Any]], *, whole: bool) -> None:
        """Post what is taken off a bill, by the net of its lines: the tax of all that was taken so far is its share of the bill's; what is not open
        is a credit. A void takes the `whole` and gives back the credit that the bill used."""
        _, _, net_of_bill, total_of_bill, _ = bill
        lines = [(line["net_minor"], line["from_day"], line["to_day"]) for line in taken]
        net, (noted, taxed) = sum(line[0] for line in lines), self.noted.get(number, (0, 0))
        tax = half_up((total_of_bill - net_of_bill) * (noted + net), net_of_bill) - taxed
        self.noted[number] = noted + net, taxed + tax
        served = [Line(-minor, date.fromisoformat(start), date.fromisoformat(end), day) for minor, start, end in lines if start < end]
        deferred = -sum(line.net for line in served)
        for account, minor in (("deferred-revenue", deferred), ("revenue", net - deferred), ("tax", tax)):
            self.post(day, account, "receivable", minor)
        lowered = min(net + tax, max(self.open.get(number, 0), 0))
        self.open[number] = self.open.get(number, 0) - lowered
        self.post(day, "receivable", "customer-credit", net + tax - lowered)
        self.held["customer-credit"] += net + tax - lowered
        self.lines += served
        assert not whole or self.noted[number] == (net_of_bill, total_of_bill - net_of_bill)

    def pay(self, day: date, number: str, minor: int) -> None:
        """Post money that came for an invoice; what is above the open amount is a credit."""
        above = max(minor - max(self.open.get(number, 0), 0), 0)
        self.open[number] = self.open.get(number, 0) - minor + above
        self.post(day, "cash", "receivable", minor)
        self.post(day, "receivable", "customer-credit", above)
        self.held["customer-credit"] += above

    def free(self, day: date, order: str, becomes: str) -> None:
        """Post the end of a deposit."""
        minor = self.deposits.pop(order, 0)
        self.post(day, "deposit", becomes, minor)
        self.held[becomes] += minor

    def pay_back(self, day: date, minor: int) -> None:
        """Post money that was paid back: what is owed first."""
        owed = min(minor, self.held["owed-to-customers"])
        for account, part in (("owed-to-customers", owed), ("customer-credit", minor - owed)):
            self.post(day, account, "cash", part)
            self.held[account] -= part

    def standing(self) -> dict[str, int]:
        """What it has open, holds, and keeps."""
        return {
            "open": sum(self.open.values()), "credit": self.held["customer-credit"], "owed": self.held["owed-to-customers"],
            "deposits": sum(self.deposits.values()),
        }  # fmt: skip


def books_of(timelines: Iterable[Mapping[str, Any]]) -> dict[str, Account]:
    """The books of every account whose orders' timelines these are."""
    events = sorted({event["position"]: event for event in timelines}.values(), key=lambda event: int(event["position"]))
    must, _, _ = bills(map(dict, events))
    books: dict[str, Account] = defaultdict(Account)
    accounts, ended = dict[str, str](), dict[str, str]()
    for event in events:
        kind, _, key = event["stream"].partition("-")
        day = datetime.fromisoformat(event["occurred_at"]).astimezone(LONDON).date()
        data, name = event["data"], event["type"]
        if kind == "order":
            accounts |= {key: data["account"]} if data.get("account") else {}
            _of_order(books, accounts, ended, key, name, data, day)
        elif name == "invoice.issued" and data["number"] in must:
            books[data["account"]].bill(data["number"], must[data["number"]])
        elif name in ("credit-note.issued", "invoice.voided") and key in must:
            books[key[:-9]].credit(day, key, must[key], data["lines"], whole=name == "invoice.voided")
        elif name in ("payment.received", "payment.part-received"):
            books[key[:-9]].pay(day, key, data["amount_minor"])
        elif name == "account.money-returned":
            books[key].pay_back(day, data["amount_minor"])
    return dict(books)


def _of_order(
    books: dict[str, Account], accounts: dict[str, str], ended: dict[str, str], key: str, name: str, data: Mapping[str, Any], day: date
) -> None:
    if name == "deposit.received":
        account = books[accounts[key]]
        account.deposits[key] = account.deposits.get(key, 0) + data["amount_minor"]
        account.post(day, "cash", "deposit", data["amount_minor"])
    elif name in BECOMES:
        ended[key] = BECOMES[name]
    if key in ended and key in accounts and accounts[key] in books:
        books[accounts[key]].free(day, key, ended[key])


def sums(books: Iterable[Account], on: date) -> dict[str, int]:
    """How the accounts of the chart stand at the end of a day, what was earned by then included; without those that stand at nothing."""
    stand: Counter[str] = Counter()
    for account in books:
        for (day, name), minor in account.posted.items():
            stand[name] += minor if day <= on else 0
        earned = sum(line.earned(on) for line in account.lines)
        stand["deferred-revenue"] += earned
        stand["revenue"] -= earned
    return {name: minor for name, minor in stand.items() if minor}


def earned_by_day(account: Account, until: date) -> Counter[tuple[date, str]]:
    """What each day up to one moved from what is deferred to the revenue."""
    moved: Counter[tuple[date, str]] = Counter()
    for line in account.lines:
        day = max(line.start, line.billed)
        while day <= min(until, max(line.end - timedelta(1), line.billed)):
            minor = line.earned(day) - line.earned(day - timedelta(1))
            moved[day, "deferred-revenue"] += minor
            moved[day, "revenue"] -= minor
            day += timedelta(1)
    return moved


def differences(books: Mapping[str, Account], posted: Mapping[str, Mapping[tuple[date, str], int]]) -> list[str]:
    """Where what was posted, by account, day and account of the chart, is not what must be."""
    wrong = []
    for name in sorted(books.keys() | posted.keys()):
        must, told = books[name].posted if name in books else {}, posted.get(name, {})
        for day, chart in sorted(must.keys() | told.keys()):
            if must.get((day, chart), 0) != told.get((day, chart), 0):
                wrong.append(f"{name} {day} {chart}: must be {must.get((day, chart), 0)}, is {told.get((day, chart), 0)}")
    return wrong


def of_export(rows: Iterable[Mapping[str, str]], earned: bool) -> dict[str, Counter[tuple[date, str]]]:
    """What the lines of `o2c ledger export` post, by account; of a currency with pence."""
    posted: dict[str, Counter[tuple[date, str]]] = defaultdict(Counter)
    for row in rows:
        if earned or row["type"] != "revenue.earned":
            minor = int((Decimal(row["debit"] or "0") - Decimal(row["credit"] or "0")) * 100)
            posted[row["account"]][date.fromisoformat(row["day"]), row["ledger_account"]] += minor
    return posted


def checked(timelines: Path, export: Path) -> Iterator[str]:
    """Where the books of the accounts in some timelines differ from an export, what days earned included."""
    with export.open(encoding="utf-8", newline="") as lines:
        posted = of_export(csv.DictReader(lines), earned=True)
    books = books_of(map(json.loads, filter(None, timelines.read_text(encoding="utf-8").split("\n"))))
    last = max((day for account in posted.values() for day, _ in account), default=date.min)
    for account in books.values():
        account.posted.update(earned_by_day(account, last))
    yield from differences(books, {name: posted.get(name, {}) for name in books})


if __name__ == "__main__":
    sys.exit("\n".join(checked(*map(Path, sys.argv[1:3]))) or None)
