"""Events of a SIM, and of the step that assigns one."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from o2c.kernel.event import Names, Upcast
from o2c.kernel.shapes import CODE_KEPT, Done, FellOut, Freed, HeldByItem, Offered, OutOfStock, Renewed, Requested, Undone, Withdrawn
from o2c.stock.events import Identified, StockAnnounced, StockArrived


class SimRequested(Requested, name="sim.requested", step="sim", stream="order"):
    """A SIM of the ordered kind is to be taken from stock."""

    example = {"item": "1", "attempt": 1, "due_at": "2026-01-05T09:00:00Z"}


class SimAssigned(Done, name="sim.assigned", step="sim", stream="order"):
    """A SIM was taken from stock for the item."""

    example = {"item": "1", "iccid": "8944770000000000009", "imsi": "001010000000000", "kind": "esim"}
    iccid: Annotated[str, Names("sim")]
    imsi: str
    kind: str


class SimFellOut(OutOfStock, name="sim.fell-out", step="sim", stream="order"):
    """No SIM could be assigned; out of stock waits for the next delivery, which is due at `expected_at` if it is announced."""

    example = {
        "item": "1", "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "INV-SIM", "fault_class": "business", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "partner", "queue": "inventory", "awaits": "sim/esim",
        "detail": "expected on 2026-02-02", "expected_at": "2026-02-02T00:00:00Z",
    }  # fmt: skip
    upcasts = (Upcast(defaults={"expected_at": None}), CODE_KEPT)


class SimReleased(Undone, name="sim.released", step="sim", stream="order"):
    """The item ended and gave its SIM back."""

    noun: ClassVar[str] = "SIM"
    example = {"item": "1", "iccid": "8944770000000000009"}
    iccid: Annotated[str, Names("sim")]


class SimLost(Renewed, name="sim.lost", step="sim", stream="order"):
    """The item's SIM was lost on its way, or can serve it no more: it is blocked for good, and another is to be taken.

    `cost_minor` is what the replacement costs us, in minor units of the order's currency.
    """

    example = {"item": "1", "iccid": "8944770000000000009", "cost_minor": 450, "currency": "GBP"}
    iccid: Annotated[str, Names("sim")]
    cost_minor: int
    currency: str


class SimsAnnounced(StockAnnounced, name="sims.announced", step="sim-arrival", stream="delivery"):
    """A delivery of SIMs is to be taken in: rows of ICCID, IMSI, kind."""

    example = {"due_at": "2026-02-02T00:00:00Z", "rows": [["8944770000000000009", "001010000000000", "esim"]]}


class SimsArrived(StockArrived, name="sims.arrived", step="sim-arrival", stream="delivery"):
    """A delivery of SIMs was taken in."""

    example = {"pools": {"sim/esim": 1}}


class SimsFellOut(FellOut, name="sims.fell-out", step="sim-arrival", stream="delivery"):
    """A delivery of SIMs could not be taken in."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip


class SimReceived(Offered, Identified, name="sim.received", stream="sim"):
    """A SIM came into stock."""

    example = {"iccid": "8944770000000000009", "imsi": "001010000000000", "kind": "esim"}
    iccid: Annotated[str, Names("sim")]
    imsi: str
    kind: str

    def offer(self) -> tuple[str, str, dict[str, str]]:
        """Put the SIM into the pool of its kind."""
        return f"sim/{self.kind}", self.iccid, {"iccid": self.iccid, "imsi": self.imsi, "kind": self.kind}

    def identifiers(self) -> tuple[tuple[str, str], ...]:
        """Give the IMSI, which one SIM has."""
        return (("imsi", self.imsi),)


class SimTaken(Withdrawn, HeldByItem, name="sim.taken", stream="sim"):
    """An order item took the SIM."""

    example = {"iccid": "8944770000000000009", "kind": "esim", "order": "6f9619ff-8b86-5d01-b42d-00cf4fc964ff", "item": "1"}
    iccid: Annotated[str, Names("sim")]
    kind: str

    def withdrawal(self) -> tuple[str, str]:
        """Take the SIM out of the pool of its kind."""
        return f"sim/{self.kind}", self.iccid


class SimReturned(Requested, Freed, name="sim.returned", step="sim-restock", stream="sim"):
    """The SIM came back unused; it is to be counted and shelved by `due_at`."""

    example = {"iccid": "8944770000000000009", "imsi": "001010000000000", "kind": "esim", "due_at": "2026-01-06T00:00:00Z"}
    iccid: Annotated[str, Names("sim")]
    imsi: str
    kind: str


class SimScrapped(Freed, name="sim.scrapped", stream="sim"):
    """The SIM had left the house, or its profile was downloaded or used, or it was lost; it is blocked, and nobody gets it again."""

    example = {"iccid": "8944770000000000009", "cause": "lost"}
    upcasts = (Upcast(defaults={"cause": "used"}),)
    iccid: Annotated[str, Names("sim")]
    cause: Literal["used", "lost"] = "used"


class SimRestocked(Done, Offered, name="sim.restocked", step="sim-restock", stream="sim"):
    """The SIM that came back can be assigned again."""

    example = {"iccid": "8944770000000000009", "imsi": "001010000000000", "kind": "esim"}
    iccid: Annotated[str, Names("sim")]
    imsi: str
    kind: str

    def offer(self) -> tuple[str, str, dict[str, str]]:
        """Put the SIM back into the pool of its kind."""
        return f"sim/{self.kind}", self.iccid, {"iccid": self.iccid, "imsi": self.imsi, "kind": self.kind}


class SimRestockFellOut(FellOut, name="sim.restock-fell-out", step="sim-restock", stream="sim"):
    """A SIM that came back could not be restocked."""

    example = {
        "fallout": "5d3f0a5e-6f0e-5a53-9d4c-0d8a35a0b8f1", "reason": "SYS-BUG", "fault_class": "defect", "origin": "direct",
        "recoverability": "correctable", "waiting_for": "us", "queue": "engineering",
    }  # fmt: skip
