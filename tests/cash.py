"""What is claimed of the money of a job: the books balance, are what the oracle works out of timelines alone, and nothing leaks from order to bill."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from o2c.checks.assurance import check_assurance
from o2c.engine.app import Engine
from o2c.views.ledger import postings_between, trial_balance
from o2c.views.reading import caught_up
from o2c.views.timeline import order_timeline
from tests.agreeing import books_of, differences, standing, sums
from tests.fates import Claim
from tests.oracle import Account

DAYS = (date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31))
"""Days at whose end the books of all accounts together are held against the oracle's."""
BALANCES = "SELECT account, credit_minor AS credit, owed_minor AS owed, deposits_minor AS deposits FROM projection.balances"
OPEN = "SELECT account, sum(greatest(total_minor - credit_used_minor - lowered_minor - paid_minor + above_minor - written_off_minor, 0))::bigint AS open FROM projection.invoices GROUP BY 1"


def claims(app: Engine, drawn: Iterable[Iterable[str]]) -> Iterator[Claim]:
    """`drawn` are the ids of all orders, some hundred at a time, those of one account together: the oracle sees what `o2c orders timeline` tells of them."""
    caught_up(app)
    books: dict[str, Account] = {}
    for orders in drawn:
        books |= books_of(event for order in orders for event in order_timeline(app, order))
    last = trial_balance(app)
    posted: dict[str, Counter[tuple[date, str]]] = defaultdict(Counter)
    lines = postings_between(app, None, date.fromisoformat(last["on"]))
    for row in lines:
        posted[row["account"]][row["day"], row["ledger_account"]] += row["amount_minor"]
    wrong = differences({name: account.posted for name, account in books.items()}, posted)
    yield Claim(
        "the oracle agrees on every posting", bool(lines) and not wrong, f"{len(lines)} postings of {len(books)} accounts{_first(wrong)}"
    )
    yield Claim("the oracle agrees on every balance", *_balances(app, books))
    for day in DAYS:
        stand = {row["ledger_account"]: row["balance_minor"] for row in trial_balance(app, on=day)["accounts"] if row["balance_minor"]}
        must = sums(books.values(), day)
        yield Claim(
            f"the books at the end of {day} are the oracle's", stand == must, str(stand) + ("" if stand == must else f", not {must}")
        )
    differing = [row for row in last["compared"] if row["difference_minor"]]
    told_of = f"{len(last['accounts'])} accounts sum to zero, {len(last['compared'])} compared, {len(differing)} differ"
    yield Claim("the trial balance is what the projections say", last["balanced"] and not differing, told_of)
    leaks = check_assurance(app)
    yield Claim("nothing leaks from order to bill", not leaks, f"{len(leaks)} leaks{_first([str(leak.row()) for leak in leaks])}")


def _balances(app: Engine, books: Mapping[str, Account]) -> tuple[bool, str]:
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for row in (*app.reads.rows(BALANCES), *app.reads.rows(OPEN)):
        account = row.pop("account")
        told[account].update(row)
    wrong = [
        f"{name}: must be {must}, is {dict(told[name])}"
        for name, account in books.items()
        for must in [standing(account)]
        if must != {key: told[name][key] for key in must}
    ]
    wrong += [f"{name} holds money that no timeline tells of" for name in told.keys() - books.keys() if any(told[name].values())]
    return not wrong, f"{len(books)} accounts{_first(wrong)}"


def _first(wrong: list[str]) -> str:
    return f"; {len(wrong)} differ: {wrong[0][:400]}" if wrong else ""
