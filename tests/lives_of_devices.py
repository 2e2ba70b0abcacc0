"""The lives of devices, and of accounts that pay for them in instalments, for the golden folds."""

from collections.abc import Mapping, Sequence
from typing import Any

Told = tuple[str, Mapping[str, Any]]
_NO = {"item": ""}
OF_DEVICES: Mapping[str, Sequence[Told]] = {
    "assigned": (("device.received", {}), ("device.taken", {})),
    "returned": (("device.received", {}), ("device.taken", {}), ("device.returned", {}), ("device.restocked", {})),
    "lost": (("device.received", {}), ("device.taken", {}), ("device.given-up", {})),
    "stolen from its holder": (("device.received", {}), ("device.taken", {}), ("device.blocked", {})),
    "found by its holder": (("device.received", {}), ("device.taken", {}), ("device.blocked", {}), ("device.unblocked", {})),
    "came back after all": (
        ("device.received", {}),
        ("device.taken", {}),
        ("device.given-up", {}),
        ("device.unblocked", {}),
        ("device.returned", {}),
    ),
    "blocked on its way back": (("device.received", {}), ("device.blocked", {}), ("device.returned", {}), ("device.restock-fell-out", {})),
    "came back used": (("device.received", {}), ("device.taken", {}), ("device.scrapped", {})),
    "stopped": (("device.received", {}), ("device.returned", {}), ("step.stopped", {**_NO, "step": "device-restock"})),
}
OF_INSTALMENTS: Mapping[str, Sequence[Told]] = {
    "goods in instalments, one agreement settled": (
        ("account.opened", {}),
        ("account.charge-started", {"item": "2", "goods": True, "instalments": 24, "recurring_minor": 0, "one_time_minor": 49917}),
        ("account.one-off-invoice-requested", {}),
        ("account.instalments-agreed", {}),
        ("account.one-off-invoiced", {}),
        ("account.bill-run-requested", {}),
        ("account.instalment-billed", {}),
        ("account.billed", {}),
        ("account.settlement-asked", {}),
        ("account.one-off-invoice-requested", {}),
        ("account.one-off-invoice-fell-out", {}),
        ("account.instalments-settled", {}),
        ("step.cancelled", {**_NO, "step": "one-off-invoice"}),
    ),
    "goods in instalments, withdrawn from": (
        ("account.opened", {}),
        ("account.charge-started", {"item": "2", "goods": True, "instalments": 24, "recurring_minor": 0, "one_time_minor": 49917}),
        ("account.one-off-invoice-requested", {}),
        ("account.instalments-agreed", {}),
        ("account.one-off-invoiced", {}),
        ("account.charge-withdrawn", {"item": "2", "served": True, "one_time_owed": False}),
        ("account.goods-taken-back", {"kept_minor": 9983}),
        ("account.withdrawal-credit-asked", {"item": "2", "kept_minor": 9983}),
        ("account.credit-received", {"amount_minor": 47920, "invoice": "BA-1001-20260107-G1"}),
        ("account.settlement-asked", {}),
    ),
    "a service withdrawn from": (
        ("account.opened", {}),
        ("account.charge-started", {}),
        ("account.bill-run-requested", {}),
        ("account.billed", {}),
        ("account.charge-withdrawn", {"served": True, "one_time_owed": False}),
        ("account.withdrawal-credit-asked", {}),
    ),
    "a service withdrawn from before it was billed": (
        ("account.opened", {}),
        ("account.charge-started", {}),
        ("account.charge-withdrawn", {"served": True, "one_time_owed": False}),
    ),
    "goods in instalments, all due as the service ended": (
        ("account.opened", {}),
        ("account.instalments-agreed", {"at_end": "at-once"}),
        ("account.bill-run-requested", {}),
        ("account.instalments-settled", {}),
        ("account.billed", {}),
    ),
}
OF_DELIVERIES: Mapping[str, Sequence[Told]] = {
    "devices": (("devices.announced", {}), ("devices.arrived", {})),
    "devices standing still": (("devices.announced", {}), ("devices.fell-out", {})),
}
OF_INVOICES: Mapping[str, Sequence[Told]] = {
    "put on instalments": (("invoice.issued", {}), ("invoice.put-on-instalments", {"of_open_minor": 2399})),
    "credited once there was a number": (
        ("invoice.issued", {}),
        ("credit-note.requested", {"awaits_number": True, "reason": "not-served", "author": "engine", "ended_on": "2026-01-20"}),
        ("invoice.note-number-requested", {}),
        ("invoice.note-number-fell-out", {}),
        ("invoice.note-number-requested", {"attempt": 2}),
        ("credit-note.issued", {}),
        ("invoice.notes-numbered", {"attempt": 2}),
    ),
}
