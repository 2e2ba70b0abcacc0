"""The balances of accounts as they are shown, held against the books."""

from collections import defaultdict
from typing import Any

from o2c.engine.app import Engine
from o2c.views.balance import show_balance
from o2c.views.reading import caught_up

SAME = {"open_minor": "receivable", "credit_minor": "customer-credit", "owed_minor": "owed-to-customers", "deposits_minor": "deposit",
        "unallocated_minor": "unallocated"}  # fmt: skip
"""By what is shown of an account, the account of the chart that says the same."""
POSTED = (
    "SELECT ledger_account, sum(amount_minor)::bigint AS minor FROM projection.postings WHERE account = %s AND currency = %s GROUP BY 1"
)


def unlike_the_books(app: Engine) -> list[str]:
    """Where the balance of an account is not what its postings say; nothing where all agree."""
    caught_up(app)
    wrong = []
    for account in (name.removeprefix("account-") for name in app.reads.streams_like("account-")):
        for row in show_balance(app, account):
            posted = defaultdict(int, {one["ledger_account"]: one["minor"] for one in app.reads.rows(POSTED, account, row["currency"])})
            told: dict[str, Any] = {**row}
            shown = {chart: told[name] if name == "open_minor" else -told[name] for name, chart in SAME.items()}
            wrong += [f"{account} {chart}: {minor}, posted {posted[chart]}" for chart, minor in shown.items() if minor != posted[chart]]
    return wrong
