"""Whether the engine says what the oracle of money does: invoices and notes, books and balances.

`o2c events find > T.jsonl; o2c ledger export > L.csv; python -m tests.agreeing T.jsonl L.csv` tells where they differ, of the accounts that T.jsonl tells of;
timelines of all orders of an account will do as well. Nothing of the engine is imported.
"""

import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.campaigns import Campaigns
from tests.oracle import Account, Bill, Oracle
from tests.oracle_deposits import DepositOracle

IN_2026 = ("01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28")
BANK_HOLIDAYS = {*(f"2026-{day}" for day in IN_2026), "2027-01-01", "2027-03-26", "2027-03-29"}
"""Of England and Wales. Source: gov.uk/bank-holidays."""
Told = tuple[Any, ...]
Posted = Mapping[tuple[date, str], int]


def due_on(run: date, method: str) -> date:
    """The day on which a bill is due: 14 days later; a direct debit on the first bank's day from then on that is at least the tenth after the run."""
    days = [run + timedelta(n) for n in range(1, 99)]
    days = [day for day in days if method != "direct-debit" or (day.weekday() < 5 and str(day) not in BANK_HOLIDAYS)]
    return next(day for day in days[9:] if day >= run + timedelta(14))


def heard(events: Iterable[Mapping[str, Any]]) -> Oracle:
    """What events come to that are told in any order, and more than once."""
    oracle = DepositOracle()
    for event in sorted({event["position"]: event for event in events}.values(), key=lambda event: int(event["position"])):
        oracle.take(event)
    return oracle


def wrong_papers(oracle: Oracle) -> list[str]:
    """Where the invoices issued, and the notes for what was not served, differ from what they must be by the engine's last act."""
    wrong = [f"note of {number}: must be {must}, is {off}" for number, must, off in oracle.notes if off.items() - must.items()]
    papers = {number: (None, told) for number, told in oracle.told.items()}
    for name, account in oracle.accounts.items():
        account.look(oracle.until, oracle.rises, beside=True)
        due = {number: bill.unserved(account.charges) for number, bill in account.bills.items()}
        wrong += [f"note of {number}: must be {left}, is None" for number, left in due.items() if left]
        late = {number: late.too_much for number, late in getattr(account, "lates", {}).items()}
        wrong += [f"note for {number}, which was not late: must be {left}, is None" for number, left in late.items() if left]
        for run, bill in ((run, bill) for run, bill in account.must.items() if bill.lines):
            told = oracle.told.get(f"{name}-{run}")
            papers[f"{name}-{run}"] = as_told(run, bill, told), told
    wrong += oracle.overkept() if isinstance(oracle, DepositOracle) else []
    return wrong + [f"invoice {number}: must be {must}, is {told}" for number, (must, told) in sorted(papers.items()) if must != told]


def as_told(run: str, bill: Bill, told: Told | None) -> Told:
    """What an invoice must say: the day, net and total, the day on which it is due by the method by which it is paid, which is told, and its lines."""
    day, method = date.fromisoformat(run[:8]), told[3] if told else ""
    return (str(day), bill.net, bill.net + bill.tax, method, str(due_on(day, method)), sorted(bill.lines))


def wrong_uses(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """Where vouchers were not used as their campaigns allow, of events in any order: of those campaigns that they tell of."""
    campaigns = Campaigns()
    for event in sorted({event["position"]: event for event in events}.values(), key=lambda event: int(event["position"])):
        campaigns.take(event)
    return campaigns.wrong


def disagreements(timelines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Where the invoices issued, and the notes for what was not served, differ from what they must be."""
    return wrong_papers(heard(timelines))


def books_of(timelines: Iterable[Mapping[str, Any]]) -> dict[str, Account]:
    """The books of every account whose orders' timelines these are."""
    return dict(heard(timelines).accounts)


def standing(account: Account) -> dict[str, int]:
    """What an account has open, holds, and keeps."""
    stand = account.stand
    held = {"credit": -stand["customer-credit"], "owed": -stand["owed-to-customers"], "deposits": -stand["deposit"]}
    return {"open": sum(bill.open for bill in account.bills.values()), **held}


def sums(books: Iterable[Account], on: date) -> dict[str, int]:
    """How the accounts of the chart stand at the end of a day, what was earned by then included; without those that stand at nothing."""
    stand: Counter[str] = Counter()
    for account in books:
        for (day, name), minor in account.posted.items():
            stand[name] += minor if day <= on else 0
        earned = sum(line.by(on + timedelta(1)) for billed, line in account.served if billed <= on)
        stand["deferred-revenue"] += earned
        stand["revenue"] -= earned
    return {name: minor for name, minor in stand.items() if minor}


def with_earned(account: Account, since: date, until: date) -> Counter[tuple[date, str]]:
    """What was posted from a day up to another, and what each of these days moved from what is deferred to the revenue."""
    moved = Counter({(day, chart): minor for (day, chart), minor in account.posted.items() if since <= day <= until})
    for billed, line in account.served:
        day = max(line.start, billed, since)
        while day <= min(until, max(line.end - timedelta(1), billed)):
            minor = line.by(day + timedelta(1)) - (line.by(day) if day > billed else 0)
            moved[day, "deferred-revenue"] += minor
            moved[day, "revenue"] -= minor
            day += timedelta(1)
    return moved


def differences(books: Mapping[str, Posted], posted: Mapping[str, Posted]) -> list[str]:
    """Where what was posted, by account, day and account of the chart, is not what must be."""
    wrong = []
    for name in sorted(books.keys() | posted.keys()):
        must, told = books.get(name, {}), posted.get(name, {})
        for day, chart in sorted(must.keys() | told.keys()):
            if must.get((day, chart), 0) != told.get((day, chart), 0):
                wrong.append(f"{name} {day} {chart}: must be {must.get((day, chart), 0)}, is {told.get((day, chart), 0)}")
    return wrong


def of_export(rows: Iterable[Mapping[str, str]]) -> dict[str, Counter[tuple[date, str]]]:
    """What the lines of `o2c ledger export` post, by account; of a currency with pence."""
    posted: dict[str, Counter[tuple[date, str]]] = defaultdict(Counter)
    for row in rows:
        minor = int((Decimal(row["debit"] or "0") - Decimal(row["credit"] or "0")) * 100)
        posted[row["account"]][date.fromisoformat(row["day"]), row["ledger_account"]] += minor
    return posted


def checked(timelines: Path, export: Path) -> Iterator[str]:
    """Where the books of the accounts in some timelines differ from an export, what days earned included."""
    with export.open(encoding="utf-8", newline="") as lines:
        posted = of_export(csv.DictReader(lines))
    events = [json.loads(line) for line in timelines.read_text(encoding="utf-8").split("\n") if line]
    oracle = heard(events)
    yield from (*wrong_papers(oracle), *wrong_uses(events))
    last = max((day for account in posted.values() for day, _ in account), default=date.min)
    books = {name: with_earned(account, date.min, last) for name, account in oracle.accounts.items()}
    yield from differences(books, {name: posted.get(name, {}) for name in books})


if __name__ == "__main__":
    sys.exit("\n".join(checked(*map(Path, sys.argv[1:3]))) or None)
