"""Lives of accounts with usage, for the golden folds."""

from typing import Any

OF_USAGE: dict[str, Any] = {
    "usage, up to its limit and beyond": (
        ("account.opened", {}), ("account.charge-started", {"terms": {"usage_version": 12}}), ("account.limit-set", {}),
        ("account.limit-noticed", {}), ("account.limit-noticed", {"notice": "bill-2026-01-08-100", "percent": 100}),
        ("account.limit-exceed-agreed", {}), ("account.usage-rated", {}), ("account.limit-set", {"amount_minor": None}),
    ),
    "usage after the final bill: on a further one, then too late": (
        ("account.charge-started", {"terms": {"usage_version": 12}}), ("account.bill-run-requested", {}), ("account.billed", {}), ("account.charge-withdrawn", {"served": True}),
        ("account.bill-run-requested", {"run_on": "2026-02-08"}), ("account.billed", {"run_on": "2026-02-08", "billed_to": "2026-03-08", "final": True}),
        ("account.late-usage-reported", {"came_on": "2026-02-20"}), ("account.bill-run-requested", {"run_on": "2026-03-08"}), ("account.usage-rated", {"run_on": "2026-03-08"}),
        ("account.billed", {"run_on": "2026-03-08", "billed_to": "2026-04-08", "final": True}), ("account.usage-waived", {}),
    ),
}  # fmt: skip
