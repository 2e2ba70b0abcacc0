"""What a business owes for paying late, worked out again from events alone, over tests/oracle_held.py; of the engine nothing is imported.

Of an invoice that was not paid by its due day each day is late on which anything was open as it began: of what was open, without what is itself charged for
late payment, at 11.75 % a year (8 above the Bank Rate of 31 December 2025 and of 30 June 2026) of 365 days, in all rounded once; and a sum by how much was open
on the first of them. What came counts from the day after it had come; what was credited was never open. A bill has what was late before its day and is on
no bill; of an account that has ended only the final bill, and one once nothing is open. It has no tax, and is other income.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from fractions import Fraction

from tests.oracle import LONDON, Bill, Json, Line, iso
from tests.oracle_held import HeldAccount, HeldOracle

KINDS = ("late-interest", "late-sum")
TAKEN_OFF = ("credit-note.issued", "invoice.voided")
SUMS = ((1_000_000, 10_000), (100_000, 7_000), (0, 4_000))


class Lateness:
    """How much of a bill was open from which day on, `own_minor` of which is charged for late payment; whether it was told to be `overdue`, and since which day
    nothing of it is open. `charged` is what bills have of it, by kind, for days before `to`."""

    def __init__(self, due_on: date, open_minor: int, own_minor: int) -> None:
        self.due_on, self.own_minor, self.moves = due_on, own_minor, Counter({date.min: open_minor})
        self.overdue, self.closed, self.charged, self.to = False, date.max, Counter(), date.min

    def open(self, day: date) -> int:
        """What was open as a day began."""
        return max(sum(minor for of, minor in self.moves.items() if of < day) - self.own_minor, 0)

    def move(self, day: date, minor: int, told_on: date) -> None:
        self.moves[day] += minor
        self.closed = date.max if self.open(date.max) else min(self.closed, told_on)

    def owed(self, before: date) -> tuple[list[date], dict[str, int]]:
        """The late days before one, and what is owed for them."""
        days = [day for n in range(1, (before - self.due_on).days) if self.open(day := self.due_on + timedelta(n))]
        exact = sum(Fraction(1175 * self.open(day), 3_650_000) for day in days)
        fixed = next(minor for least, minor in SUMS if self.open(days[0]) >= least) if days else 0
        return days, {"late-interest": int(exact + Fraction(1, 2)), "late-sum": fixed}

    def lines(self, number: str, run: date) -> Iterator[Line]:
        """What the bill of a day has."""
        days, owed = self.owed(run) if self.overdue else ([], {})
        fresh = [day for day in days if day >= self.to]
        for kind in KINDS if fresh else ():
            if net := owed[kind] - self.charged[kind]:
                end = fresh[-1] + timedelta(1)
                yield Line(f"{number}/", kind, fresh[0] if kind == "late-interest" else end, end, net, "late-payment")
                self.charged[kind] += net
                self.to = max(self.to, end)

    def over(self, run: date) -> bool:
        """Whether nothing was open any more before a day, and something is to be billed."""
        return self.overdue and self.closed < run and self.owed(run)[0][-1:] >= [self.to]

    @property
    def too_much(self) -> dict[str, int]:
        """What was charged and is not owed as it turns out, and no note credited; below nothing where notes credited too much."""
        owed = self.owed(self.to)[1] if self.to > date.min else {}
        return {kind: self.charged[kind] - minor for kind, minor in owed.items() if self.charged[kind] != minor}


class LateAccount(HeldAccount):
    """An account with what was late of its bills, by number; of a business alone. It is `settled` once a run was the last of what it was served."""

    def __init__(self) -> None:
        super().__init__()
        self.lates, self.settled = {}, False

    def look(self, until: datetime, rises: list[Json], *, beside: bool) -> None:
        known = {*self.must}
        super().look(until, rises, beside=beside)
        for run in sorted(run for run in self.must.keys() - known if "-" not in run):
            day, lines = iso(run), self.must[run].lines
            runs = any(datetime.combine(day, time(6), LONDON) <= x.ended for x in self.charges.values() if x.every or not x.goods)
            charged, self.settled = lines or runs or not self.settled or any(late.over(day) for late in self.lates.values()), not runs
            more = [line for number, late in self.lates.items() if charged for line in late.lines(number, day)]
            self.must[run] = Bill(sorted([*lines, *more]))

    def bill(self, day: date, tax: int, lines: list[Line], owed: str) -> None:
        super().bill(day, tax, [line for line in lines if line.kind not in KINDS], owed)
        self.post(day, "receivable", {"other-income": own(lines)})


def own(lines: list[Line]) -> int:
    return sum(line.net for line in lines if line.kind in KINDS)


class LateOracle(HeldOracle):
    """The oracle that knows of late payment as well."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts = defaultdict(LateAccount)

    def of_invoice(self, account: LateAccount, number: str, name: str, data: Json, at: datetime) -> None:
        """What is open of an invoice of a business, and since when; a line about late payment is known by the invoice that was paid late."""
        if name == "invoice.issued":
            data = {**data, "lines": [{**x, "order": x["of_invoice"]} if x.get("of_invoice") else x for x in data["lines"]]}
        bill, day = account.bills.get(number, Bill([])), at.date()
        before = bill.open + bill.given_up, sum(bill.taken.values()) + bill.taxed
        super().of_invoice(account, number, name, data, at)
        if name == "invoice.issued" and number in account.bills and data["business"]:
            bill = account.bills[number]
            account.lates[number] = Lateness(iso(data["due_on"]), bill.open, own(bill.lines))
        if name == "invoice.overdue" and number in account.lates:
            account.lates[number].overdue = True
        lines = [bill.lines[x["line"] - 1]._replace(net=x["net_minor"]) for x in data["lines"]] if bill.taken and name in TAKEN_OFF else []
        for line in lines if data.get("author") == "engine" and name == "credit-note.issued" else ():
            if line.kind in KINDS:
                account.lates[line.key.removesuffix("/")].charged[line.kind] -= line.net
        if late := account.lates.get(number):
            lowered, credited = before[0] - bill.open - bill.given_up, sum(bill.taken.values()) + bill.taxed - before[1]
            if name in TAKEN_OFF:
                late.move(date.min, own(lines) - credited, day)
            elif name in ("payment.charged-back", "payment.moved", "payment.refund-reclaimed"):
                # What was credited since it was paid is not open again: it stays with the customer, or is taken back with the money.
                late.move(day, bill.open + bill.given_up - late.moves.total(), day)
            elif name.startswith("payment."):
                late.move(iso(data.get("arrived_on") or str(day)), -lowered, day)
