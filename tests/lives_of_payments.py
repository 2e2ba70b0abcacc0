"""Lives of invoices and accounts whose payments were taken back, for the golden folds."""

from typing import Any

_LEFT = {"item": "", "step": "credit-return"}
CREDIT_TAKEN_BACK: dict[str, Any] = {
    "a deposit kept for its bills, and split at the last one": (
        ("account.opened", {}), ("account.deposit-kept", {}), ("account.charge-started", {}), ("account.deposit-retained", {}),
        ("account.bill-run-requested", {}), ("account.billed", {}), ("account.deposit-retained", {"good_bills": 6}),
        ("account.deposit-freed", {"amount_minor": 4000, "becomes": "credit"}), ("account.deposit-freed", {"amount_minor": 6000}),
    ),
    "a refund withdrawn before it was approved": (
        ("account.opened", {}), ("account.credit-received", {"amount_minor": 20_000}), ("account.refund-wanted", {"amount_minor": 15_000}),
        ("account.refund-withdrawn", {"amount_minor": 15_000}),
    ),
    "prepaid money that is given back": (("account.opened", {}), ("account.prepaid-owed", {}), ("account.refund-reserved", {"amount_minor": 284, "of_credit_minor": 0}), ("account.money-returned", {"amount_minor": 284, "of_owed_minor": 284, "refund": "BA-1001-R1"})),
    "left with a credit, which goes back by itself": (
        ("account.charge-started", {}), ("account.bill-run-requested", {}), ("account.billed", {}), ("account.charge-withdrawn", {}), ("account.credit-received", {}),
        ("account.credit-return-requested", {}), ("step.cancelled", _LEFT), ("account.credit-return-requested", {}), ("account.credit-return-fell-out", {}),
        ("account.credit-return-requested", {"attempt": 2}), ("account.money-returned", {"amount_minor": 200, "of_owed_minor": 0, "method": "set-off"}),
        ("account.refund-reserved", {"amount_minor": 300, "of_credit_minor": 300}), ("account.credit-return-settled", {"attempt": 2, "set_off_minor": 200}),
        ("account.credit-received", {}), ("account.credit-return-requested", {}), ("step.stopped", _LEFT),
    ),
    "a number that was late": (("account.opened", {}), ("account.compensated", {}), ("account.charge-started", {}), ("account.credit-used", {"amount_minor": 300})),
    "a fixed line that was late": (
        ("account.compensated", {"cause": "missed-visit", "msisdn": "", "missed_on": "2026-01-09"}), ("account.opened", {}), ("account.charge-started", {}),
        ("account.compensated", {"cause": "late-start", "msisdn": "", "missed_on": "2026-01-09"}), ("account.credit-used", {"amount_minor": 700}),
    ),
    "a complaint made good": (("account.opened", {}), ("account.goodwill-given", {}), ("account.charge-started", {}), ("account.credit-used", {"amount_minor": 300})),
    "its credit taken back": (
        ("account.opened", {}), ("account.credit-received", {"amount_minor": 700}), ("account.credit-received", {}),
        ("account.credit-taken-back", {"amount_minor": 900}),
    ),
    "a refund given up": (
        ("account.opened", {}), ("account.credit-received", {"amount_minor": 700}), ("account.refund-reserved", {}), ("account.refund-released", {}),
    ),
}  # fmt: skip
"""Of accounts."""
CHARGED_BACK: dict[str, Any] = {
    "charged back, then won, then moved in part": (
        ("invoice.issued", {}), ("payment.requested", {}), ("payment.received", {"amount_minor": 2899, "credit_minor": 500}),
        ("payment.charged-back", {"amount_minor": 2899, "of_credit_minor": 500, "above_minor": 500}), ("invoice.overdue-check-requested", {"attempt": 2}),
        ("payment.chargeback-reversed", {"amount_minor": 2899}), ("payment.received", {"amount_minor": 2899, "credit_minor": 500, "won_back": "CB-20417"}),
        ("payment.moved", {"payment": 2, "amount_minor": 1000}),
    ),
    "paid, and a refund reclaimed on it": (
        ("invoice.issued", {}), ("payment.requested", {}), ("payment.received", {"amount_minor": 2399}), ("payment.refund-reclaimed", {}),
    ),
}  # fmt: skip
"""Of invoices."""
GIVEN_UP: dict[str, Any] = {
    "refused, then given up": (
        ("refund.opened", {}), ("refund.requested", {}), ("refund.fell-out", {}), ("step.cancelled", {"item": "", "step": "refund"}), ("refund.given-up", {}),
    ),
    "refused, given up, and paid after all": (
        ("refund.opened", {}), ("refund.requested", {}), ("refund.fell-out", {}), ("step.cancelled", {"item": "", "step": "refund"}), ("refund.given-up", {}),
        ("refund.reported-paid", {}),
    ),
}  # fmt: skip
"""Of refunds."""
PAID_IN_PARTS: dict[str, Any] = {
    "planned, a part kept, broken, planned again, kept": (
        ("collections.arrears-changed", {}), ("collections.plan-agreed", {}), ("collections.arrears-changed", {"open_minor": 1199, "cause": "payment"}),
        ("collections.plan-part-kept", {}), ("collections.plan-broken", {}), ("collections.plan-agreed", {}), ("collections.plan-kept", {}),
    ),
    "placed with an agency, and written off": (
        ("collections.arrears-changed", {}), ("collections.stage-entered", {"stage": "agency"}), ("collections.debt-placed", {}), ("collections.given-up", {}),
    ),
}  # fmt: skip
"""Of collections."""
PAID_LATE: dict[str, Any] = {
    "charged for paying late, and too much": (
        ("collections.arrears-changed", {"business": True, "open_minor": 100_000}), ("collections.late-payment-charged", {}),
        ("collections.arrears-changed", {"business": True, "open_minor": 0, "cause": "payment", "paid_on": "2026-01-24"}),
        ("collections.late-payment-overcharged", {}),
        ("collections.arrears-changed", {"business": True, "invoice": "BA-1001-20260208", "open_minor": 7_515, "claims_minor": 7_515}),
    ),
}  # fmt: skip
"""Of collections."""
BILLED_LATE: dict[str, Any] = {
    "billed for paying late, up to the end": (
        ("account.charge-started", {}), ("account.bill-run-requested", {}), ("account.billed", {}), ("account.late-payment-noted", {}),
        ("account.late-payment-noted", {"invoice": "BA-1001-20260208", "open": False, "on": "2026-02-01"}),
        ("account.bill-run-requested", {"run_on": "2026-02-08"}), ("account.billed", {"run_on": "2026-02-08", "billed_to": "2026-03-08"}),
        ("account.late-payment-noted", {"open": False, "on": "2026-02-20"}),
    ),
}  # fmt: skip
"""Of accounts."""
RANGED: dict[str, Any] = {
    "ranges": {
        "used up, followed by one that is closed": (
            ("ranges.approved", {}), ("ranges.low-noticed", {}), ("ranges.used-up", {}),
            ("ranges.approved", {"approved": {"entity": "GB1", "prefix": "SETQ-", "first": 1, "last": 9, "valid_from": "2027-01-01", "valid_to": "", "approval": "DEC-2", "low_at": 0}}),
            ("ranges.closed", {"range": "SETQ-1"}),
        ),
    },
}  # fmt: skip
"""Of ranges of invoice numbers."""
