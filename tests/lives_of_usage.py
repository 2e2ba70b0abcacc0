"""Lives of accounts with usage, for the golden folds."""

from typing import Any

_LINE = "6f9619ff-8b86-5d01-b42d-00cf4fc964ff:1"
_RESTS = {"served": True, "rests": True, "product": _LINE, "by_product": True}
OF_USAGE: dict[str, Any] = {
    "usage, up to its limit and beyond": (
        ("account.opened", {}), ("account.charge-started", {"terms": {"usage_version": 12}}), ("account.limit-set", {}),
        ("account.limit-noticed", {}), ("account.limit-noticed", {"notice": "bill-2026-01-08-100", "percent": 100}),
        ("account.limit-exceed-agreed", {}), ("account.usage-rated", {}), ("account.limit-set", {"amount_minor": None}),
    ),
    "a pack bought, billed, and used in the next period": (
        ("account.opened", {}), ("account.charge-started", {"terms": {"usage_version": 12}}), ("account.pack-added", {"ends": "2026-03-08"}),
        ("account.usage-rated", {}), ("account.pack-added", {"bought_on": "2026-02-20", "ends": "2026-03-08"}), ("account.usage-rated", {"run_on": "2026-03-08"}),
    ),
    "usage after the final bill: on a further one, then too late": (
        ("account.charge-started", {"terms": {"usage_version": 12}}), ("account.bill-run-requested", {}), ("account.billed", {}), ("account.charge-withdrawn", {"served": True}),
        ("account.bill-run-requested", {"run_on": "2026-02-08"}), ("account.billed", {"run_on": "2026-02-08", "billed_to": "2026-03-08", "final": True}),
        ("account.late-usage-reported", {"came_on": "2026-02-20"}), ("account.bill-run-requested", {"run_on": "2026-03-08"}), ("account.usage-rated", {"run_on": "2026-03-08"}),
        ("account.billed", {"run_on": "2026-03-08", "billed_to": "2026-04-08", "final": True}), ("account.usage-waived", {}),
    ),
    "a product that rests, uncharged, serves again, rests, and ends": (
        ("account.charge-started", {}), ("account.bill-run-requested", {}), ("account.billed", {}), ("account.charge-withdrawn", _RESTS),
        ("account.charge-started", {"item": "2", "product": _LINE, "starts_on": "2026-02-03"}), ("account.charge-withdrawn", {**_RESTS, "item": "2", "ended_on": "2026-02-20"}),
        ("account.rest-ended", {"product": _LINE}), ("account.bill-run-requested", {"run_on": "2026-04-08"}),
    ),
}  # fmt: skip
OF_PREPAID: dict[str, Any] = {
    "given back, and topped up again": (("prepaid.topped-up", {}), ("prepaid.returned", {"amount_minor": 1000, "fee_minor": 100, "tax_minor": 17}), ("prepaid.topped-up", {"reference": "PAY-7782"})),
}  # fmt: skip
"""Of prepaid money."""
