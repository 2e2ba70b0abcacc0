"""Events of a fixed service that goes to another provider by One Touch Switch: what was matched and told, what the new provider ordered,
and the day on which it has the customer.

Source: Ofcom General Conditions of Entitlement, C7; TOTSCO, OTS message specification (match, order, update, trigger, cancel) [M].
"""

from __future__ import annotations

from datetime import datetime

from o2c.kernel.event import Event, Upcast
from o2c.kernel.shapes import Done, FellOut, Requested


class SwitchMatched(Event, name="switch-out.matched", stream="product"):
    """Another provider's customer is ours at this address: the provider has a `reference` to order under, good through the local day
    `valid_through`, and our customer was told at `told_at` what switching means: what the contract costs that ends before its term
    (`early_minor`, net, and `early_gross_minor` with tax), what of the bills is open (`owed_minor`), and the products in service that end
    with it. `request` is the hub's own id of the question."""

    upcasts = (Upcast(defaults={"early_gross_minor": 0}),)
    example = {
        "request": "OTS-77120", "reference": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "gaining": "Other Fibre", "matched_on": "2026-03-05", "valid_through": "2026-04-04",
        "told_at": "2026-03-05T10:00:00Z", "early_minor": 21150, "early_gross_minor": 25380, "owed_minor": 0, "currency": "GBP", "ends": [],
    }  # fmt: skip
    request: str
    reference: str
    gaining: str
    matched_on: str
    valid_through: str
    told_at: datetime
    early_minor: int
    owed_minor: int
    currency: str
    ends: tuple[str, ...] = ()
    early_gross_minor: int = 0


class SwitchOrdered(Event, name="switch-out.ordered", stream="product"):
    """The new provider takes the customer over on the local day `planned_on`; said again with another day where it moved."""

    example = {"reference": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "planned_on": "2026-03-19"}
    reference: str
    planned_on: str


class SwitchWithdrawn(Event, name="switch-out.withdrawn", stream="product"):
    """The new provider called the switch off: the service stays as it is."""

    example = {"reference": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1"}
    reference: str


class SwitchTriggered(Requested, name="switch-out.triggered", step="switch-out", stream="product"):
    """The new provider's service is on since the local day `activated_on`: the network is to switch ours off."""

    example = {
        "attempt": 1,
        "due_at": "2026-03-19T12:00:00Z",
        "reference": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1",
        "activated_on": "2026-03-19",
    }
    reference: str
    activated_on: str


class SwitchedOut(Done, name="switch-out.completed", step="switch-out", stream="product"):
    """Our service is off; its charge ended on the day on which the new one began, `activated_on`, without notice.

    `early_minor` is what the contract costs that ended before its term, net, charged once under `early_charge` (`ORDER/ITEM`, empty where
    it costs nothing).
    """

    example = {
        "gaining": "Other Fibre", "activated_on": "2026-03-19", "early_minor": 21150, "early_charge": "960dd07c-b654-5d95-9a31-65845ce3ab78/1-switch-out",
    }  # fmt: skip
    gaining: str
    activated_on: str
    early_minor: int
    early_charge: str


class SwitchOutFellOut(FellOut, name="switch-out.fell-out", step="switch-out", stream="product"):
    """The network did not switch off a service whose customer another provider has."""

    upcasts = ()
    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "NET-HLR", "fault_class": "technical", "origin": "direct",
        "recoverability": "transient", "waiting_for": "us", "queue": "network", "partner_code": "UNAVAILABLE",
    }  # fmt: skip
