"""Lines of the books as CSV, for a spreadsheet or an accounting system; every face that hands out a file writes it here."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from o2c.views.reading import decimal_text

COLUMNS = (
    "day", "of_day", "position", "event", "line", "type", "ledger_account", "account", "customer", "order", "currency", "debit", "credit",
    "from_day", "to_day",
)  # fmt: skip


def write_csv(rows: Iterable[Mapping[str, Any]], to: TextIO) -> None:
    """Write the lines of an export with a heading; amounts are decimal text."""
    written = csv.DictWriter(to, COLUMNS, lineterminator="\n")
    written.writeheader()
    written.writerows(_of_csv(row) for row in rows)


def _of_csv(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line with amounts as decimal text; an account that begins as a formula does is no formula in a spreadsheet (OWASP ASVS 5.0,
    1.2.10)."""
    sums = {side: decimal_text(row[f"{side}_minor"], row["currency"]) if row[f"{side}_minor"] else "" for side in ("debit", "credit")}
    told = {**{name: row[name] for name in COLUMNS if name in row}, **sums}
    return {name: f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value for name, value in told.items()}
