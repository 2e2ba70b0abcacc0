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
}
